"""`--allow GUARD[=KIND/NAME] --reason TEXT`: a person's word that a guard may be passed. Values only, no I/O."""

import difflib
from collections.abc import Iterable

import click

from reconciler.guards import GUARDS, Allow


def parse(given: Iterable[str], reason: str) -> tuple[Allow, ...]:
    """The guards that are allowed; a usage error where one does not exist or no reason is given."""
    allows = tuple(_one(text, reason.strip()) for text in given)
    if allows and not reason.strip():
        raise click.UsageError("--allow needs --reason TEXT: it is kept in the journal beside what was passed")
    return allows


def _one(text: str, reason: str) -> Allow:
    guard, _, address = text.partition("=")
    if guard not in GUARDS:
        near = difflib.get_close_matches(guard, GUARDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the guards are {', '.join(GUARDS)}."
        raise click.UsageError(f"--allow {text}: there is no guard {guard!r}: {hint}")
    return Allow(guard, address or None, reason)
