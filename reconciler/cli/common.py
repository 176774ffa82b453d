"""The options that verbs share, as one decorator and one value. Light: every verb imports it, so it imports no policy.

    @click.command(epilog=common.examples(("modelpolicy plan policies/", "what would change")))
    @common.options("paths", "account", "target", "ledger", output=("text", "json"))
    @click.pass_obj
    def command(terminal: Terminal, common: Common) -> Exit: ...

Every flag also has the variable MODELPOLICY_<VERB>_<FLAG>; the flags here have a plain MODELPOLICY_<FLAG> besides.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
from click.shell_completion import CompletionItem

from reconciler.cli.exits import Exit
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import LedgerAddress

__all__ = ["Common", "Exit", "Output", "completing", "emit", "examples", "options"]

DEFAULT_LEDGER: Final = ".modelpolicy/ledger.db"
Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Output:
    """One `-o FORMAT[=FILE]`: which format, and the file it goes to; None is stdout."""

    format: str
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The shared options as they were given. `paths` () means the working directory; `account` None means all."""

    paths: tuple[str, ...] = ()
    account: str | None = None
    targets: tuple[str, ...] = ()
    ledger: str = DEFAULT_LEDGER
    set_name: str | None = None
    outputs: tuple[Output, ...] = (Output("text"),)


class OutputType(click.ParamType[Output]):
    """FORMAT or FORMAT=FILE, of the formats that the verb has."""

    name = "FORMAT[=FILE]"

    def __init__(self, formats: tuple[str, ...]) -> None:
        self.formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        if isinstance(value, Output):
            return value
        name, equals, file = str(value).partition("=")
        if name not in self.formats:
            self.fail(f"there is no format {name!r} here: choose one of {', '.join(self.formats)}", param, ctx)
        if equals and not file:
            self.fail(f"{name}= names no file", param, ctx)
        return Output(name, file or None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        return [CompletionItem(name) for name in self.formats if name.startswith(incomplete)]


def options(*names: str, output: tuple[str, ...] = ()) -> Decorator:
    """Give a verb the shared options `names` (paths, account, target, ledger) and, with formats, `-o`; always --color.

    The verb receives them as one keyword argument `common`, a `Common`.
    """

    fields = [_FIELDS.get(name, name) for name in names] + (["outputs"] if output else [])

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_common(*args: Any, **kwargs: Any) -> Any:
            common = Common(**{name: kwargs.pop(name) for name in fields})
            _check_files(common, kwargs)
            return function(*args, common=common, **kwargs)

        decorated: Callable[..., Any] = with_common
        shared = [_OPTIONS[name] for name in names] + ([_output(output)] if output else []) + [_COLOR]
        for option in reversed(shared):
            decorated = option(decorated)
        return decorated

    return decorate


def examples(*lines: tuple[str, str]) -> str:
    """The end of a verb's --help: real command lines, each with what it is for ("" where it is plain)."""
    width = max((len(line) for line, why in lines if why), default=0)
    shown = [f"  {line:<{width}}  {why}".rstrip() for line, why in lines]
    return "\n".join(["\b", "Examples:", *shown])


def completing(what: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """How a shell completes a value: the function `what` of `completing`, which is imported only when a shell asks."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
        from reconciler.cli import completing as values

        return values.of(what, context, incomplete)

    return complete


def emit(terminal: Terminal, outputs: Iterable[Output], render: Callable[[Output], str]) -> None:
    """Render each output: files first, stdout last, so that nothing is printed where a file cannot be written."""
    for output in sorted(outputs, key=lambda output: output.file is None):
        text = render(output)
        if output.file is None:
            (terminal.artefact if output.format == "text" else terminal.document)(text)
        else:
            from reconciler import writer  # only where a file is written

            writer.write(
                output.file, (text if text.endswith("\n") else text + "\n").encode("utf-8", "backslashreplace")
            )


def _check_files(common: Common, flags: Mapping[str, Any]) -> None:
    """End with a usage error where an output may not go to its file, before anything else is done."""
    files = [output.file for output in common.outputs if output.file is not None]
    if not files:
        return
    from reconciler.cli import outfiles

    used = [
        value for name, value in flags.items() if isinstance(value, str) and (name == "out" or Path(value).is_file())
    ]
    outfiles.check(files, [*(common.paths or (".",)), common.ledger, *used], stdout=len(files) < len(common.outputs))


def _set_color(context: click.Context, parameter: click.Parameter, value: str) -> None:  # noqa: ARG001
    context.ensure_object(Terminal).color = value


def _one_on_stdout(context: click.Context, parameter: click.Parameter, value: tuple[Output, ...]) -> tuple[Output, ...]:
    if sum(output.file is None for output in value) > 1:
        raise click.BadParameter("only one format can go to stdout; give the others a file, as in -o json=plan.json",
                                 context, parameter)  # fmt: skip
    if any(output.file is None for output in value) and not context.resilient_parsing:
        context.ensure_object(Terminal).able()
    return value


def _output(formats: tuple[str, ...]) -> Decorator:
    return click.option(
        "-o", "--output", "outputs", type=OutputType(formats), multiple=True, default=(formats[0],), show_default=False,
        envvar="MODELPOLICY_OUTPUT", callback=_one_on_stdout,
        help=f"Print as {', '.join(formats)} (default {formats[0]}); FORMAT=FILE writes a file instead. Repeatable.",
    )  # fmt: skip


_COLOR: Final = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", envvar="MODELPOLICY_COLOR",
    expose_value=False, callback=_set_color, help="Colour the text; auto: on a terminal without NO_COLOR.",
)  # fmt: skip
_OPTIONS: Final[dict[str, Decorator]] = {
    "paths": click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(allow_dash=True)),
    "account": click.option(
        "--account", metavar="NAME", envvar="MODELPOLICY_ACCOUNT", shell_complete=completing("accounts"),
        help="Only this PlatformAccount (default: every one).",
    ),
    "target": click.option(
        "--target", "targets", metavar="KIND[/NAME]", multiple=True, envvar="MODELPOLICY_TARGET",
        shell_complete=completing("targets"),
        help="Only what these resources declare, and what it needs. Repeatable.",
    ),
    "set": click.option(
        "--set", "set_name", metavar="NAME", envvar="MODELPOLICY_SET",
        help="The name of the declaration set that owns what PATH declares (default: the git remote `origin`).",
    ),
    "ledger": click.option(
        "--ledger", type=LedgerAddress(), default=DEFAULT_LEDGER, show_default=True, envvar="MODELPOLICY_LEDGER",
        help="The durable record: an SQLite file or postgresql://...",
    ),
}  # fmt: skip
_FIELDS: Final = {"target": "targets", "set": "set_name"}  # where the option and the field of Common differ
