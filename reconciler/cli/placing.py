"""Which cluster a verb looks at: the options, as one value. Light: it imports no client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which cluster, and where in it."""

    kubeconfig: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which cluster, as the keyword arguments of a `Place`."""
    shared = (
        click.option("--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="Default: as kubectl."),
        click.option("--context", metavar="NAME", help="A context of the kubeconfig."),
        click.option("--namespace", "-n", "namespaces", multiple=True, metavar="NAME", help="Only there (repeatable)."),
    )
    for option in reversed(shared):
        function = option(function)
    return function
