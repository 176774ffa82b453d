"""What fails in judging one resource becomes that resource's finding, and the rest of its account goes on. Pure.

A failure met here is a bug of this program, whatever was declared: a rule, a kind or a sentence did not expect a value. The
one place that catches what nobody expected; what this package raises on purpose passes through.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, ParamSpec, TypeVar

from reconciler.errors import ModelPolicyError
from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource
from reconciler.reasons import Reason

RULE: Final = "internal-error"
MAX_CULPRITS: Final = 16  # that are looked for one by one; where there are more, all that is left is blamed
REPORT: Final = "This is a bug in modelpolicy, not a mistake of yours; please report it with this message."
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failed:
    """What was raised where nothing should have been."""

    error: Exception

    def __str__(self) -> str:
        """The error in one line with the place in this package where it came up, for a report."""
        text = " ".join(str(self.error).split())[:200]
        return f"{type(self.error).__name__}{f': {text}' if text else ''}{self._place}"

    @property
    def _place(self) -> str:
        found, trace = "", self.error.__traceback__
        while trace is not None:
            _, ours, inner = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/reconciler/")
            found = f" (reconciler/{inner}:{trace.tb_lineno})" if ours else found
            trace = trace.tb_next
        return found

    def about(self, resource: Resource[Any], severity: Severity = Severity.ERROR) -> Finding:
        """The finding of the resource that could not be judged. An error stops its changes, a warning stops nothing."""
        return self.told(resource.address, resource.origin, severity)

    def told(self, address: str, location: Location | None, severity: Severity = Severity.ERROR) -> Finding:
        """The same, of what bears that address."""
        stops = severity is Severity.ERROR
        how = "could not be judged, so it is left as it is" if stops else "could not be judged in full"
        return Finding(
            rule=RULE,
            severity=severity,
            message=f"{address} {how}: {self}",
            hint=REPORT,
            location=location,
            resource=address,
            reason=Reason.RULE_VIOLATION if stops else None,
        )


def attempt(run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failed:
    """What `run` returns, or what it raised that nobody expected."""
    try:
        return run(*args, **kwargs)
    except ModelPolicyError:
        raise
    except Exception as error:  # noqa: BLE001  # the seam: one resource's bug is not its account's
        return Failed(error)


def once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with one failure of each resource at most, an error before a warning: several rules may fail alike."""
    failures: dict[str | None, Finding] = {}
    rest = []
    for found in findings:
        if found.rule != RULE:
            rest.append(found)
        elif found.resource not in failures or found.severity is Severity.ERROR:
            failures[found.resource] = found
    return [*rest, *failures.values()]


@dataclass(frozen=True, slots=True)
class Culprit(Generic[T]):
    """One of several things that are judged together, and how judging fails because of it; None: it fails with nothing too."""

    thing: T | None
    failed: Failed


def in_part(judge: Callable[[Sequence[T]], list[R]], things: Sequence[T]) -> tuple[list[R], list[Culprit[T]]]:
    """What `judge` finds of the things that it does not fail with, and those that it does."""
    found = attempt(judge, things)
    if not isinstance(found, Failed):
        return found, []
    blamed = [*_culprits(judge, things)]
    bad = {id(culprit.thing) for culprit in blamed}
    rest = attempt(judge, [thing for thing in things if id(thing) not in bad])
    if isinstance(rest, Failed):
        return [], [*blamed, Culprit(None, rest)]
    return rest, blamed


def _culprits(judge: Callable[[Sequence[T]], object], things: Sequence[T]) -> Iterator[Culprit[T]]:
    """The things without which `judge` does not fail. It is asked about ever fewer of them, in their order: whichever it begins
    to fail with is to blame. Where it fails with none at all, or with more than MAX_CULPRITS, all that are left are."""
    left = list(things)
    for _ in range(MAX_CULPRITS):
        failed = attempt(judge, left)
        if not isinstance(failed, Failed):
            return
        low, high = 0, len(left)  # it fails with the first `high`
        while low < high:
            middle = (low + high) // 2
            tried = attempt(judge, left[:middle])
            if isinstance(tried, Failed):
                high, failed = middle, tried
            else:
                low = middle + 1
        if high == 0:
            break
        yield Culprit(left.pop(high - 1), failed)
    failed = attempt(judge, left)
    if isinstance(failed, Failed):
        yield from (Culprit(each, failed) for each in left)
