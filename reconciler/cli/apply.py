"""`modelpolicy apply`: plan, ask, carry out, report. The only verb here that writes to a platform."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from reconciler import reconcile
from reconciler.cli import allowing, exits, formats, looking, opening, origin, saved
from reconciler.cli import common as shared
from reconciler.cli import plan as plan_verb
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.opening import Read
from reconciler.cli.origin import Origin
from reconciler.cli.progress import Progress
from reconciler.cli.stopping import Stopping, stopping
from reconciler.cli.terminal import Terminal
from reconciler.errors import LockHeld, Overtaken
from reconciler.finding import Severity
from reconciler.ledger import Ledger
from reconciler.plan import VerdictKind
from reconciler.reasons import Reason
from reconciler.reconcile import Acting, Asked
from reconciler.report import Report, as_text
from reconciler.report.as_text.layout import Layout
from reconciler.report.as_text.words import count
from reconciler.report.plan_file import Saved
from reconciler.state import Failure

Pass = tuple[Asked, Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The flags of apply beside the shared ones."""

    yes: bool
    prune: bool
    keep_going: bool
    detailed_exitcode: bool
    reason: str
    plan: str | None


@click.command(
    epilog=shared.examples(
        ("modelpolicy apply policies/", "shows the plan and asks"),
        ("modelpolicy apply policies/ --yes", "in CI, where nobody can be asked"),
        ("modelpolicy apply --plan the.plan", "what `plan --out the.plan` saved"),
        ("modelpolicy apply --target InferenceLimit", "only the limits"),
        ("modelpolicy apply --prune", "also take back what is no longer declared"),
        ('modelpolicy apply --allow mass-revert --reason "team left"', "past a guard, journaled"),
    )
)
@shared.options("paths", "account", "target", "ledger", "set", output=formats.FORMATS["apply"])
@click.option("--plan", metavar="FILE", type=click.Path(), help="Carry out a saved plan, exactly and once.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask; needed where there is no terminal.")
@click.option("--prune", is_flag=True, help="Revert owned items whose declaration under PATH is gone.")
@click.option("--keep-going", is_flag=True, help="With errors or refused guards, apply what they do not affect.")
@click.option(
    "--allow", metavar="GUARD[=KIND/NAME]", multiple=True, shell_complete=shared.completing("guards"),
    help="Pass a guard; needs --reason. Repeatable.",
)  # fmt: skip
@click.option("--reason", metavar="TEXT", default="", help="Why; kept in the journal.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there were changes, waiting and manual ones too.")
@click.pass_obj
def command(terminal: Terminal, /, common: Common, allow: tuple[str, ...], **flags: Any) -> Exit:
    """Make the platform as declared at PATH (default: the working directory): shows the plan, asks, applies, proves.

    Writes nothing while there is an error among the findings (exit 3) or a guard refuses (exit 4), unless --keep-going.
    Before a first write that lowers, stops or takes back, the files are read again: where they changed it stops (exit 5). Exits 7 where a part failed; a second apply does the rest. Ctrl-C finishes what is in flight.
    """
    wish = Wish(**flags)
    allows = allowing.parse(allow, wish.reason)
    if not wish.yes and not terminal.interactive:
        raise click.UsageError("there is no terminal to ask on: say --yes to apply without being asked")
    kept = _saved(common, wish)
    read = opening.read(common.paths) if kept is None else Read(kept.declared, (), {})
    moved = functools.partial(opening.moved, common.paths, read) if kept is None else lambda: ""
    made_by = origin.of(read.texts, common.paths, kept.terms.revision if kept else None)
    with opening.ledger(common.ledger) as ledger:
        if kept is None:
            everyone = looking.asked(common, read, prune=wish.prune, keep_going=wish.keep_going, allows=allows)
            passes = [*looking.looks(everyone, ledger)]
        else:
            again = saved.asked(kept, keep_going=wish.keep_going, allows=allows)
            passes = [(again, saved.renewed(kept, looking.look(again, ledger)))]
            wish = replace(wish, plan=kept.digest)
        reports = tuple(report for _, report in passes)
        if kept is None:
            plan_verb.not_empty(common, read, reports)
        if not (wish.yes and kept is not None) and any(map(_says_more, reports)):
            terminal.page(as_text.plan(*reports, layout=_layout(terminal, read)))
        if wish.yes or _agreed(passes):
            done, code = _carry_out(terminal, ledger, passes, functools.partial(_acting, wish, made_by, moved), wish)
        else:
            terminal.note("Declined: nothing was written.")
            done = reports
            code = exits.of(done, detailed=True)  # what was declined is still to be done

    def render(output: Output) -> str:
        return formats.renderer(output, "applied")(*done, **formats.layout(terminal, output, read.frame))

    try:
        shared.emit(terminal, common.outputs, render)
    except Exception:  # whatever keeps it from being told there: it is done, and somebody has to know
        if any(report.outcomes for report in done):
            terminal.page(as_text.applied(*done, layout=_layout(terminal, read)).rstrip("\n"))
        raise
    return code


def _saved(common: Common, wish: Wish) -> Saved | None:
    """The saved plan that is to be carried out; None where this run makes its own."""
    if wish.plan is None:
        return None
    if common.paths or common.targets or common.account or wish.prune:
        raise click.UsageError("--plan carries out what was reviewed: it takes no PATH, --account, --target or --prune")
    kept = saved.read(wish.plan)
    saved.good(kept, wish.plan, opening.clock()())
    return kept


def _says_more(report: Report) -> bool:
    """Whether the plan tells anything that the account of what was done does not."""
    plan = report.plan
    infos_only = all(found.severity is Severity.INFO for found in report.relevant)
    refused = any(verdict.verdict is not VerdictKind.PASSED for verdict in plan.guards)
    return bool(plan.changes or plan.releases or plan.notes or refused or not infos_only)


def _layout(terminal: Terminal, read: Read) -> Layout:
    return Layout(terminal.width, terminal.notes_in_color, read.frame)


def _agreed(passes: Sequence[Pass]) -> bool:
    """Ask, where there is anything to be written; what would not be written anyway is not asked about."""
    changes = sum(len(report.plan.changes) for asked, report in passes if not reconcile.refuses(report, asked))
    if not changes:
        return True
    names = ", ".join(asked.account for asked, _ in passes)
    return click.confirm(f"Apply {count(changes, 'change')} to {names}?", default=False, err=True)


def _carry_out(
    terminal: Terminal,
    ledger: Ledger,
    passes: Sequence[Pass],
    acting: Callable[[Stopping, Progress], Acting],
    wish: Wish,
) -> tuple[tuple[Report, ...], Exit]:
    """Carry out each account's plan, one account after the other; a locked account does not keep the others waiting, declarations
    that changed meanwhile end the run."""
    done: list[Report] = []
    codes: list[Exit] = []
    told: list[Report] = []  # also of the accounts that another run has locked
    with stopping() as stop:
        for asked, report in passes:
            if stop.now():
                break
            progress = Progress(terminal, len(report.plan.changes))
            try:
                with opening.platform(asked) as platform, progress:
                    done.append(reconcile.act(report, asked, platform, ledger, acting(stop, progress)))
                    told.append(done[-1])
            except Overtaken as error:
                terminal.note(f"Error: {error}")
                done.append(report)
                told.append(report)
                codes.append(Exit.STALE)
                break
            except LockHeld as held:
                locked = held
                failure = Failure(f"{held} (held by {held.holder})", Reason.NOT_ATTEMPTED, "Locked")
                terminal.note(f"Error: account {asked.account}: {failure.message}")
                told.append(replace(report, failures=(*report.failures, failure)))
        if told and not done:
            raise locked
        codes += [Exit.LOCKED] if len(told) > len(done) else []
        code = exits.first([*codes, exits.of(done, detailed=wish.detailed_exitcode)])
        return tuple(told), stop.code(code)


def _acting(wish: Wish, made_by: Origin, moved: Callable[[], str], stop: Stopping, progress: Progress) -> Acting:
    return Acting(
        operation="apply",
        actor=made_by.actor,
        link=made_by.link,
        revision=made_by.revision,
        reason=wish.reason,
        plan=wish.plan or "",
        clock=opening.clock(),
        stop=stop.now,
        sleep=stop.sleep,
        progress=progress,
        moved=moved,
    )
