"""A label selector as kubectl takes it (a=b, a==b, a!=b, a, !a, joined by commas), as a predicate. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

Labels = Mapping[str, str]
_TERM: Final = re.compile(
    r"(?P<not>!)?(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)(?:(?P<how>==|!=|=)(?P<value>[-A-Za-z0-9_.]*))?"
)


def by_labels(selector: str) -> Callable[[Labels], bool]:
    """Whether labels match the selector; "" matches all. Raises `ValueError` where it cannot be understood."""
    tests = [_test(term.strip()) for term in selector.split(",")] if selector.strip() else []
    return lambda labels: all(test(labels) for test in tests)


def _test(term: str) -> Callable[[Labels], bool]:
    found = _TERM.fullmatch(term)
    if found is None or (found["not"] and found["how"]):
        raise ValueError(f"{term!r} is no term of a label selector, such as team=chat, team!=chat, team or !team")
    key, how, value = found["key"], found["how"], found["value"]
    if how is None:
        return (lambda labels: key not in labels) if found["not"] else (lambda labels: key in labels)
    if how == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value
