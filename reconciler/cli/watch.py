"""`modelpolicy watch`: the loop on files. Writes to the platform unless --mode report."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import click

from reconciler import reconcile
from reconciler.cli import common as shared
from reconciler.cli import exits, opening
from reconciler.cli.common import Common, Exit
from reconciler.cli.diary import Diary
from reconciler.cli.stopping import stopping
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Address, Duration
from reconciler.controller import Controller, Loaded, Pass, Settings, World
from reconciler.errors import PlatformError
from reconciler.ledger import Ledger
from reconciler.platforms import Connection
from reconciler.sources.folders import STATUS_FILE, Folders


class Health(Protocol):
    """What the probes and one metric ask of a running loop."""

    @property
    def depth(self) -> int: ...

    @property
    def stuck_s(self) -> float: ...

    @property
    def ready(self) -> bool: ...


class _Watched:
    """Files as the loop's source, whose passes also go to the diary and whoever else listens."""

    def __init__(self, folders: Folders, hear: Sequence[Callable[[Pass], None]]) -> None:
        self._folders = folders
        self._hear = hear

    def load(self) -> Loaded:
        return self._folders.load()

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        self._folders.wait(changed, stop)

    def publish(self, done: Pass) -> None:
        self._folders.publish(done.report)
        for hear in self._hear:
            hear(done)


@click.command(
    epilog=shared.examples(
        ("modelpolicy watch policies/", "keep the platform as declared"),
        ("modelpolicy watch policies/ --mode report", "only say what differs"),
        ("modelpolicy watch policies/ --once", "one pass, for a cron job"),
        ("modelpolicy watch policies/ --listen :9090", "with metrics and health"),
    )
)
@shared.options("paths", "account", "target", "ledger")
@click.option(
    "--interval", type=Duration(), default="5m", show_default=True, help="From one sweep to the next, ± 10 %."
)
@click.option("--once", is_flag=True, help="One pass over each account, then exit.")
@click.option(
    "--mode", type=click.Choice(["apply", "report"]), default="apply", show_default=True, help="report never writes."
)
@click.option("--prune", is_flag=True, help="Revert owned items whose declaration under PATH is gone.")
@click.option(
    "--listen", type=Address(), help="Serve /metrics, /livez and /readyz there; loopback unless a host is said."
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the log."
)
@click.pass_obj
def command(terminal: Terminal, /, common: Common, **flags: Any) -> Exit:
    """Keep the platform as declared at PATH (default: the working directory), until told to stop.

    An edit is carried out at once, drift is mended every --interval, an override ends on time, a limit waits exactly until its
    two hours are over. What is broken is held and said; the rest goes on. The first SIGTERM or Ctrl-C finishes what is in
    flight. A second watcher on the same ledger stands by and takes over when the first dies.
    """
    settings = Settings(
        interval_s=flags["interval"],
        write=flags["mode"] == "apply",
        prune=flags["prune"],
        under=opening.under(common.paths),
        prefix=opening.prefix(),
        targets=opening.targets(common.targets),
        account=common.account,
    )
    diary = Diary(terminal, opening.clock(), as_json=flags["log_format"] == "json")
    with opening.ledger(common.ledger) as ledger, stopping() as stop:
        hear: list[Callable[[Pass], None]] = [diary.passed]
        controller = Controller(_Watched(_folders(common), hear), _world(ledger, diary), settings)
        if flags["once"]:
            done = [each.report for each in controller.once(stop.event)]
            return stop.code(exits.of(done, detailed=False) if done else Exit.LOCKED)
        with listening(flags["listen"], controller, hear, diary):
            controller.run(stop.event)
    return stop.code(Exit.INTERRUPTED)


def _folders(common: Common) -> Folders:
    beside = Path(".modelpolicy") if "://" in common.ledger else Path(common.ledger).parent
    return Folders(common.paths, beside / STATUS_FILE)


def _world(ledger: Ledger, diary: Diary) -> World:
    clock = opening.clock()
    return World(
        clock=clock,
        monotonic=time.monotonic,
        random=random.random,
        connect=lambda account: reconcile.connect(account, Connection(clock)),
        ledger=ledger,
        actor=opening.actor(),
        revision=opening.revision,
        ear=diary,
    )


@contextmanager
def listening(
    address: tuple[str, int] | None, controller: Health, hear: list[Callable[[Pass], None]], diary: Diary
) -> Iterator[None]:
    """Serve metrics and health for the length of the context, where an address was given."""
    if address is None:
        yield
        return
    try:
        from reconciler import listening as told_over_http
        from reconciler import metrics, serving
    except ImportError as missing:
        raise click.UsageError(f"--listen needs {missing.name}: install modelpolicy[metrics,serve]") from missing
    told = metrics.Metrics(opening.clock(), lambda: controller.depth)
    hear.append(lambda done: told.passed(done.report, _word(done), done.seconds))
    diary.on_lead = told.leads
    try:
        socket = serving.listen(*address)
    except PlatformError as error:
        raise click.UsageError(str(error)) from error
    application = told_over_http.application(controller, told.exposition, metrics.CONTENT_TYPE)
    with serving.in_background(application, socket) as url:
        diary.say("listening", "", f"on {url}: /metrics /livez /readyz")
        yield


def _word(done: Pass) -> str:
    """How a pass ended, for the count of passes."""
    if done.report.failures:
        return "failed"
    return "partial" if exits.of([done.report]) is Exit.PARTIAL else "ok"
