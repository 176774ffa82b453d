"""`modelpolicy watch`: the loop on files. Writes to the platform unless --mode report."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from reconciler import reconcile
from reconciler.cli import committed, exits, looking, looping, opening, origin, outfiles, sets
from reconciler.cli import common as shared
from reconciler.cli.audience import Audience, Shown, listening, notifying, tracing
from reconciler.cli.common import Common, Exit
from reconciler.cli.diary import Diary
from reconciler.cli.stopping import stopping
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Duration
from reconciler.controller import Controller, Loaded, Pass, Settings, World
from reconciler.ledger import Ledger
from reconciler.platforms import Connection
from reconciler.sources.folders import STATUS_FILE, Folders


class Watched:
    """Files as the loop's source, whose passes also go to whoever listens."""

    def __init__(self, folders: Folders, audience: Audience) -> None:
        self._folders = folders
        self._audience = audience
        self.read: tuple[str, ...] = ()  # the names of the files that were last loaded

    def load(self) -> Loaded:
        loaded = self._folders.load()
        self.read = tuple(name for name, _ in loaded.declared.sources)
        self._audience.declared(loaded.declared.accounts)
        return loaded

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        self._folders.wait(changed, stop)

    def publish(self, done: Pass) -> None:
        self._folders.publish(done.report)
        self._audience.passed(done)


@click.command(
    epilog=shared.examples(
        ("modelpolicy watch policies/", "keep the platform as declared"),
        ("modelpolicy watch policies/ --mode report", "only say what differs"),
        ("modelpolicy watch policies/ --once", "one pass, for a cron job"),
        ("modelpolicy watch policies/ --listen :9090", "with the console, metrics and health"),
    )
)
@shared.options("paths", "account", "target", "ledger", "set")
@click.option("--once", is_flag=True, help="One pass over each account, then exit.")
@click.option(
    "--mode", type=click.Choice(["apply", "report"]), default="apply", show_default=True, help="report never writes."
)
@click.option("--prune", is_flag=True, help="Revert owned items whose declaration under PATH is gone.")
@click.option(
    "--settle",
    type=Duration(least_s=0),
    default="5s",
    show_default=True,
    help="For how long what lowers, stops or takes back has to be declared so before it is carried out.",
)
@looping.options("watch")
@click.pass_obj
def command(terminal: Terminal, /, common: Common, **flags: Any) -> Exit:
    """Keep the platform as declared at PATH (default: the working directory), until told to stop.

    An edit is carried out at once; one that lowers, stops or takes back something (a declaration is gone) only if it still stands
    after --settle, so that half a save or a file that is away for a moment changes nothing. Drift is mended every --interval, an
    override ends on time, a limit waits exactly until its two hours are over. What is broken is held and said; the rest goes on. The first SIGTERM or Ctrl-C finishes what is in
    flight. A second watcher on the same ledger stands by and takes over when the first dies.
    """
    settings = Settings(
        interval_s=flags["interval"],
        write=flags["mode"] == "apply",
        prune=flags["prune"],
        declaration_set=sets.declaration_set(common),
        targets=opening.targets(common.targets),
        account=common.account,
        settle_s=0.0 if flags["once"] else flags["settle"],
    )
    audience = Audience(Diary(terminal, opening.clock(), as_json=flags["log_format"] == "json"))
    with (
        opening.ledger(common.ledger) as ledger,
        stopping(audience.diary.stopping) as stop,
        notifying(flags["notify"], audience),
        tracing(wanted=flags["otel"], audience=audience),
    ):
        if common.targets:
            looking.matched(looking.asked(common, opening.read(common.paths)), ledger)
        watched = Watched(_folders(common, audience, flags), audience)
        known = world(ledger, audience, lambda: committed.revision(watched.read, common.paths))
        controller = Controller(watched, known, settings)
        if flags["once"]:
            done = [each.report for each in controller.once(stop.event)]
            return stop.code(exits.of(done, detailed=False) if done else Exit.LOCKED)
        shown = Shown(ledger, flags["token_file"], flags["listen_names"])
        with listening(flags["listen"], controller, audience, shown):
            controller.run(stop.event)
    return stop.code(Exit.INTERRUPTED)


def _folders(common: Common, audience: Audience, flags: Mapping[str, Any]) -> Folders:
    """The source; one pass takes files as they are."""
    beside = Path(".modelpolicy") if "://" in common.ledger else Path(common.ledger).parent
    file = beside / STATUS_FILE
    if file.exists() and not file.is_symlink():
        outfiles.check([str(file)])
    return Folders(
        common.paths, file, lambda message: audience.diary.trouble("", message), settle_s=flags["settle"],
        at_rest=not flags["once"],
    )  # fmt: skip


def world(
    ledger: Ledger, audience: Audience, revision: Callable[[], str] = lambda: "", *, create: bool = True
) -> World:
    """Every hold on the world that a loop of this process has; `revision` says of which commit the declarations are, `create`
    False makes not even a local file."""
    clock = opening.clock()
    return World(
        clock=clock,
        monotonic=time.monotonic,
        random=random.random,
        connect=lambda account: audience.telling(
            account.account, reconcile.connect(account, Connection(clock, create=create))
        ),
        ledger=ledger,
        actor=origin.actor(),
        link=origin.link(),
        revision=revision,
        ear=audience.diary,
        step=audience.step,
        waited=audience.waited,
    )
