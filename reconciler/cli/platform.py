"""`modelpolicy platform`: the embedded platform by itself. Fill it with a seed file; spend on it and see what it charges."""

import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import common as shared
from reconciler.cli import formats
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.platform_serve import serve
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import DatabaseFile
from reconciler.report.as_text.layout import safe

if TYPE_CHECKING:
    from reconciler.platforms.embedded.calls import Charge
    from reconciler.platforms.embedded.engine import Engine
    from reconciler.platforms.embedded.refusals import Refusal

KINDS = ("online", "batch", "plugin", "knowledge-base")


@click.group(
    epilog=shared.examples(
        ("modelpolicy platform seed seed.yaml", "models and endpoints of your own"),
        ("modelpolicy platform use doubao-seed-1-6 --tokens 12000", "spend, and see the charge"),
        ("modelpolicy platform serve --listen 127.0.0.1:8900", "over HTTP, with Ark's protocol"),
        ("MODELPOLICY_CLOCK_OFFSET=7200 modelpolicy status", "two hours later"),
    )
)
def command() -> None:
    """The embedded platform: a small Ark in one SQLite file, to rehearse on.

    It enforces the platform's rules and meters what is spent, by itself, whatever modelpolicy checks beforehand.
    """


command.add_command(serve)


def database(function: Any) -> Any:
    """The option that says which file the platform is in."""
    return click.option(
        "--db",
        type=DatabaseFile(),
        envvar="MODELPOLICY_DB",
        help="The platform's SQLite file (default: the account's).",
    )(function)


@command.command(
    short_help="Merge models, endpoints and account facts of a file into it.",
    epilog=shared.examples(
        ("modelpolicy platform seed seed.yaml --db rehearsal.db", "a file of its own"),
        ("modelpolicy platform seed", "only the shipped catalogue"),
    ),
)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@database
@shared.options("account", output=("text", "json"))
@click.pass_obj
def seed(terminal: Terminal, file: str | None, db: str | None, common: Common) -> Exit:
    """Merge the models, endpoints and account facts of FILE over what the platform has; without FILE only make the platform.

    A fresh platform carries the shipped catalogue. Every problem in FILE is listed, and then nothing is changed (exit 3).
    """
    from reconciler.load import frame
    from reconciler.platforms.embedded import seed as seeds

    content = b"" if file is None else sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    sown = seeds.read("<stdin>" if file in ("-", None) else Path(str(file)).as_posix(), content)
    path = path_of(db, common.account)
    try:
        if sown.findings:
            raise seeds.SeedRefused(sown.findings)
        engine = _open(path)
        try:
            engine.plant(sown)
        finally:
            engine.close()
    except seeds.SeedRefused as refused:
        return _problems(terminal, common, refused.findings, lambda location: frame(content, location))
    counts = {"models": len(sown.contents.models), "endpoints": len(sown.contents.endpoints)}

    def render(output: Output) -> str:
        if output.format == "json":
            return formats.compact({"format_version": "1.0", "database": path, **counts})
        said = " and ".join(f"{number:,} {word[:-1] if number == 1 else word}" for word, number in counts.items())
        return safe(f"{path}: seeded with {said}")

    shared.emit(terminal, common.outputs, render)
    return Exit.OK


@command.command(
    short_help="Spend tokens on a model or an endpoint; see the charge.",
    epilog=shared.examples(
        ("modelpolicy platform use doubao-seed-1-6 --tokens 12000", ""),
        ("modelpolicy platform use search-prod --tokens 500 --requests 20", ""),
        ("modelpolicy platform use doubao-seed-1-6 --tokens 90000 --kind batch", ""),
    ),
)
@click.argument("target", metavar="MODEL|ENDPOINT")
@click.option("--tokens", type=click.IntRange(min=0), required=True, help="Tokens of all requests together.")
@click.option("--requests", type=click.IntRange(min=1), default=1, show_default=True, help="Requests, in this minute.")
@click.option("--kind", type=click.Choice(KINDS), default="online", show_default=True, help="What the tokens are for.")
@database
@shared.options("account", output=("text", "json"))
@click.pass_obj
def use(terminal: Terminal, /, target: str, db: str | None, common: Common, **amounts: Any) -> Exit:
    """Spend tokens on a model (by name or Model ID) or an endpoint (by id or name), and print what was charged.

    Several requests are admitted or refused as one. A refusal prints Ark's code, consumes nothing and exits 1.
    """
    from reconciler.platforms.embedded.calls import Call, UseKind
    from reconciler.platforms.embedded.refusals import Refusal

    call = Call(target, amounts["tokens"], amounts["requests"], UseKind(amounts["kind"]))
    engine = _open(path_of(db, common.account))
    try:
        charge = engine.use(call)
    except Refusal as refusal:
        shared.emit(terminal, common.outputs, partial(_refused, refusal))
        return Exit.UNEXPECTED
    finally:
        engine.close()
    shared.emit(terminal, common.outputs, partial(_charged, charge))
    return Exit.OK


def path_of(db: str | None, account: str | None) -> str:
    """The platform's file: the one that was named, else the one of the account, which is on the embedded platform."""
    if db is not None:
        return db
    from reconciler.cli import opening
    from reconciler.cli.endings import Stop

    declared = opening.read(()).declared
    broken = next((held for held in declared.held if held.kind == "PlatformAccount"), None)
    if broken is not None:
        raise Stop(
            f"the PlatformAccount at {broken.location} cannot be used; see `validate`, or name --db", Exit.INVALID
        )
    known = {name: declared.accounts[name].spec for name in opening.accounts(declared, account)}
    paths = sorted({spec.embedded.path for spec in known.values() if spec.platform == "embedded"})
    if len(paths) != 1:
        names = ", ".join(sorted(known))
        which = "more than one embedded platform" if paths else "no embedded platform"
        raise click.UsageError(
            f"{which} is declared by the account(s) {names}; name one with --account, or a file with --db"
        )
    return paths[0]


def _open(path: str) -> "Engine":
    from reconciler.cli import opening
    from reconciler.platforms.embedded.engine import open_engine

    return open_engine(path, opening.clock())


def _problems(terminal: Terminal, common: Common, findings: Any, frame: Any) -> Exit:
    from reconciler.cli import formats

    def render(output: Output) -> str:
        return formats.renderer(output, "findings")(findings, 1, (), **formats.layout(terminal, output, frame))

    shared.emit(terminal, common.outputs, render)
    return Exit.INVALID


def _refused(refusal: "Refusal", output: Output) -> str:
    if output.format == "json":
        error = {
            "reason": refusal.as_platform_error().reason.value,
            "code": refusal.code.value,
            "message": str(refusal),
            "retry_after_s": refusal.retry_after_s,
        }
        return formats.compact({"format_version": "1.0", "http_status": refusal.http_status, "errors": [error]})
    own = "" if refusal.code.is_arks else ", a code of the embedded platform's own"
    wait = "" if refusal.retry_after_s is None else f"\n  again in   {refusal.retry_after_s} s"
    return f"refused: {refusal.code.value} (HTTP {refusal.http_status}{own})\n  {safe(str(refusal))}{wait}\n  consumed   nothing"


def _charged(charge: "Charge", output: Output) -> str:
    if output.format == "json":
        values = {**dataclasses.asdict(charge), "kind": charge.kind.value}
        return formats.compact({"format_version": "1.0", "charge": values})
    through = f" through {charge.endpoint}" if charge.endpoint else ""
    plural = "" if charge.requests == 1 else "s"
    lines = [
        f"{charge.model}{through}: {charge.requests:,} {charge.kind.value} request{plural}, {charge.tokens:,} tokens"
    ]
    rows = [
        ("free quota", charge.free, _free(charge)),
        ("limit", charge.counted, _limit(charge)),
        ("bill", charge.billed, ""),
    ]
    if charge.covered:
        rows.append(("covered", charge.covered, "by capacity that is paid for already"))
    if charge.unbilled:
        rows.append(("unbilled", charge.unbilled, "beyond the free quota, in the call that used it up"))
    width = max(len(f"{tokens:,}") for _, tokens, _ in rows)
    lines += [f"  {word:<10}  {tokens:>{width},}  {note}".rstrip() for word, tokens, note in rows]
    if charge.paused:
        lines.append("  The next online call is refused: " + _why(charge))
    return "\n".join(map(safe, lines))


def _free(charge: "Charge") -> str:
    if charge.free_total is None or charge.free_remaining is None:
        return "the quota of this model is not known"
    return f"{charge.free_remaining:,} of {charge.free_total:,} left" if charge.free_total else "the model has none"


def _limit(charge: "Charge") -> str:
    return (
        "no limit is set" if charge.limit_tokens is None else f"{charge.limit_used:,} of {charge.limit_tokens:,} used"
    )


def _why(charge: "Charge") -> str:
    if charge.limit_tokens is not None and (charge.limit_used or 0) >= charge.limit_tokens:
        return "the inference limit is reached, and the model is paused."
    return "the free tokens are used up, and the account has free tokens only or has not activated the model."
