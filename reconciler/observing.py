"""One sweep of an account, and a closer look at the few endpoints where listing does not tell and the answer decides.

Only reads, and a failure of the world is a value, never raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler import proof
from reconciler.errors import PlatformError, Transient
from reconciler.kinds.declared import Declared
from reconciler.platforms import Reader
from reconciler.rules import override_exceeds_model_limit
from reconciler.state import Failure, History, Operation, Snapshot, Support


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen; `snapshot` is None where the platform could not be, and `failures` says why."""

    snapshot: Snapshot | None = None
    capabilities: Mapping[Operation, Support]
    failures: tuple[Failure, ...] = ()


def observe(declared: Declared, history: History, reader: Reader, now: datetime) -> Seen:
    """Sweep the account for what is declared of it and remembered of it."""
    limited = {resource.spec.model for resource in declared.limits}
    limited |= {target.name for target in history.records if target.kind == "InferenceLimit"}
    try:
        capabilities = reader.capabilities()
        snapshot = reader.observe(frozenset(limited))
        return Seen(snapshot=_closer(declared, snapshot, reader, now), capabilities=capabilities)
    except PlatformError as error:
        retry_after_s = error.retry_after_s if isinstance(error, Transient) else None
        return Seen(capabilities={}, failures=(Failure(str(error), error.reason, error.code, retry_after_s),))


def _closer(declared: Declared, snapshot: Snapshot, reader: Reader, now: datetime) -> Snapshot:
    """The snapshot, with the capacity of endpoints whose override is too high unless they have some of their own."""
    doubtful = override_exceeds_model_limit.undecided(declared, snapshot, now)
    return proof.laid_over(snapshot, [(target, reader.read(target)) for target in doubtful])
