"""Frozen values as plain JSON and back, exactly, driven by their own type hints: what the saved plan is made of.

Pure. A value gained by a type is carried without a line here. Reading trusts nothing: an unknown key, a missing one whose
field has no default, a wrong type or an unknown word is a ValueError. Not for published outputs, whose shapes are written out
in `plain` and `as_json`.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from reconciler.report.plain import UNSEEN, moment
from reconciler.state import UNOBSERVABLE

T = TypeVar("T")


def dump(value: Any) -> Any:
    """The value as dicts, lists, text, numbers, true, false and null."""
    if value is UNOBSERVABLE:
        return {UNSEEN: True}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: dump(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return {str(key): dump(one) for key, one in sorted(value.items())}
    if isinstance(value, tuple | list):
        return [dump(one) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be written")


def load(wanted: type[T], plain: Any) -> T:
    """The value of type `wanted` that `plain` was dumped from. Raises ValueError where it was not."""
    loaded: T = _load(wanted, plain)
    return loaded


def _load(wanted: Any, plain: Any) -> Any:
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _any_of(get_args(wanted), plain)
    if origin is tuple:
        item, *_ = get_args(wanted)
        return tuple(_load(item, one) for one in _is(list, plain))
    if origin is Literal:
        if plain == {UNSEEN: True} and UNOBSERVABLE in get_args(wanted):
            return UNOBSERVABLE
        raise ValueError(f"{plain!r} is none of {get_args(wanted)}")
    if origin is not None and issubclass(origin, Mapping):
        _, item = get_args(wanted)
        return {_is(str, key): _load(item, one) for key, one in _is(dict, plain).items()}
    return _scalar(wanted, plain)


def _scalar(wanted: Any, plain: Any) -> Any:
    if wanted in (None, type(None)):
        return _is(type(None), plain)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _record(wanted, _is(dict, plain))
    if issubclass(wanted, Enum):
        return wanted(plain)
    if wanted is datetime:
        when = datetime.fromisoformat(_is(str, plain))
        if when.tzinfo is None:
            raise ValueError(f"{plain!r} has no time zone")
        return when
    if wanted is float:
        return float(plain) if isinstance(plain, int | float) and not isinstance(plain, bool) else _is(float, plain)
    return _is(wanted, plain)


def _record(wanted: Any, plain: Mapping[str, Any]) -> Any:
    hints = _hints(wanted)
    odd = sorted(set(plain) - set(hints) | set(hints) - set(plain) - _with_default(wanted))
    if odd:
        raise ValueError(f"a {wanted.__name__} has missing or unknown keys: {', '.join(odd)}")
    return wanted(**{name: _load(hint, plain[name]) for name, hint in hints.items() if name in plain})


@cache
def _with_default(wanted: Any) -> frozenset[str]:
    """The fields that an earlier version did not write: they have a default."""
    missing = [one for one in fields(wanted) if one.default is not MISSING or one.default_factory is not MISSING]
    return frozenset(one.name for one in missing)


@cache
def _hints(wanted: Any) -> Mapping[str, Any]:
    hints = get_type_hints(wanted)
    return {one.name: hints[one.name] for one in fields(wanted)}


def _any_of(arms: tuple[Any, ...], plain: Any) -> Any:
    for arm in arms:
        try:
            return _load(arm, plain)
        except ValueError:
            continue
    raise ValueError(f"{plain!r} is none of the {len(arms)} things it may be")


def _is(wanted: type[T], plain: Any) -> T:
    """`plain`, if it is exactly of that type: true is not the integer 1 here."""
    if type(plain) is not wanted:
        raise ValueError(f"{plain!r} is not a {wanted.__name__}")
    return plain
