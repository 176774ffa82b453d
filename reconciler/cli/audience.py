"""Who hears of a running loop beside its diary: metrics and health, webhooks, traces, each only where it was asked for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import click

from reconciler.cli import exits, opening
from reconciler.cli.diary import Diary
from reconciler.cli.exits import Exit
from reconciler.controller import Pass
from reconciler.errors import PlatformError
from reconciler.ledger import Ledger
from reconciler.platforms import Platform
from reconciler.platforms.telling import Telling

if TYPE_CHECKING:
    from reconciler.notify import Hook

Around = Callable[[str, str], AbstractContextManager[object]]


class Health(Protocol):
    """What the probes and one metric ask of a running loop."""

    @property
    def depth(self) -> int: ...

    @property
    def stuck_s(self) -> float: ...

    @property
    def ready(self) -> bool: ...


class Audience:
    """What the loop tells, handed on to each who listens. Safe to call from several threads once the loop runs."""

    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self.passes: list[Callable[[Pass], None]] = [diary.passed]
        self.accounts: list[Callable[[frozenset[str]], None]] = []
        self.steps: list[Around] = []
        self.calls: list[Around] = []
        self.waits: list[Callable[[str, float], None]] = []

    def passed(self, done: Pass) -> None:
        """A pass is over."""
        for hear in self.passes:
            hear(done)

    def declared(self, accounts: Iterable[str]) -> None:
        """These are the accounts now."""
        known = frozenset(accounts)
        for hear in self.accounts:
            hear(known)

    def waited(self, account: str, seconds: float) -> None:
        """A write waited for the account's pace."""
        for hear in self.waits:
            hear(account, seconds)

    def step(self, account: str, name: str) -> AbstractContextManager[object]:
        """To be entered around a step of a pass."""
        return _all(self.steps, account, name)

    def telling(self, account: str, platform: Platform) -> Platform:
        """The platform, its calls told."""
        return Telling(platform, lambda action: _all(self.calls, account, action))


@contextmanager
def _all(around: Iterable[Around], account: str, name: str) -> Iterator[None]:
    with ExitStack() as stack:
        for each in around:
            stack.enter_context(each(account, name))
        yield


@dataclass(frozen=True, slots=True)
class Shown:
    """What the port needs beside the passes: the ledger for what was, who may look, and by which names it is called."""

    ledger: Ledger
    token_file: str | None = None
    names: tuple[str, ...] = ()


@contextmanager
def listening(
    address: tuple[str, int] | None, controller: Health, audience: Audience, shown: Shown | None = None
) -> Iterator[None]:
    """Serve metrics and health, and the console where it is `shown`, for the length of the context, where an address was given."""
    if address is None:
        yield
        return
    try:
        from reconciler import listening, metrics, serving
    except ImportError as missing:
        raise click.UsageError(f"--listen needs {missing.name}: install modelpolicy[metrics,serve]") from missing
    told = metrics.Metrics(opening.clock(), lambda: controller.depth)
    audience.passes.append(lambda done: told.passed(done.report, _word(done), done.seconds))
    audience.accounts.append(told.declared)
    audience.calls.append(told.calling)
    audience.waits.append(told.waited)
    audience.diary.on_lead = told.leads
    options = serving.Options(
        names=shown.names if shown else (), always=listening.PROBES, count=told.turned_away,
        say=lambda message: audience.diary.say("listening", "", message, level="warning"),
    )  # fmt: skip
    try:
        socket = serving.listen(*address)
    except PlatformError as error:
        raise click.UsageError(str(error)) from error
    application = listening.application(controller, told.exposition, metrics.CONTENT_TYPE)
    console = _console(address[0], shown, audience) if shown else None
    if console is not None:
        application.mount("/", console)
    with serving.in_background(application, socket, options) as url:
        audience.diary.say(
            "listening", "", f"on {url}: {'the console on / ' if console else ''}/metrics /livez /readyz"
        )
        yield


def _console(host: str, shown: Shown, audience: Audience) -> Any | None:
    """The console, fed from now on; None where neither loopback nor a token would guard it."""
    try:
        from reconciler.cli import showing
        from reconciler.console.application import application
    except ImportError as missing:
        raise click.UsageError(f"--listen needs {missing.name}: install modelpolicy[metrics,serve]") from missing
    gate = showing.gate(host, shown.token_file)
    if gate is None:
        audience.diary.say("listening", "", "without the console: this is not loopback, and no --token-file guards it")
        return None
    desk = showing.desk(shown.ledger)
    audience.passes.append(lambda done: desk.publish(done.report))
    audience.accounts.append(desk.keep)
    return application(desk, gate)


@contextmanager
def notifying(hooks: Iterable["Hook"], audience: Audience) -> Iterator[None]:
    """Post notices to these webhooks for the length of the context."""
    if not hooks:
        yield
        return
    from reconciler.notify import Notifier  # an HTTP client that few runs need
    from reconciler.report import notices

    notifier = Notifier(hooks, lambda message: audience.diary.say("notify", "", message, level="warning"))
    audience.passes.append(lambda done: notifier.put(notices.of(done.report, done.before)))
    try:
        yield
    finally:
        notifier.close()


@contextmanager
def tracing(*, wanted: bool, audience: Audience) -> Iterator[None]:
    """Send spans for the length of the context, where they are wanted."""
    if not wanted:
        yield
        return
    try:
        from reconciler.tracing import exported
    except ImportError as missing:
        raise click.UsageError(f"--otel needs {missing.name}: install modelpolicy[otel]") from missing
    try:
        spans = exported(lambda message: audience.diary.say("otel", "", message, level="warning"))
    except ValueError as error:
        raise click.UsageError(f"--otel: {error}") from error
    audience.steps.append(spans.step)
    audience.calls.append(spans.call)
    try:
        yield
    finally:
        spans.close()


def _word(done: Pass) -> str:
    """How a pass ended, for the count of passes."""
    if done.report.failures:
        return "failed"
    return "partial" if exits.of([done.report]) is Exit.PARTIAL else "ok"
