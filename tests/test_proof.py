"""What a read after a write proves of a change whose answer was lost."""

from builders import declared, limit, model, question, snapshot

from reconciler import kinds, proof
from reconciler.plan import Change, make
from reconciler.state import UNOBSERVABLE, Snapshot, Write

BEFORE = snapshot(model(limit=1))


def setting() -> tuple[Change, Write]:
    """A limit of 2,000,000 tokens that is to be set, and its only write."""
    (change,) = make(question(declared(limit()), BEFORE)).changes
    kind = kinds.registry()["InferenceLimit"]
    (write,) = kind.writes(change.target, kind.live(BEFORE, change.target), proof.wanted(change))
    return change, write


def happened(after: Snapshot) -> bool | None:
    change, write = setting()
    return proof.happened(change, write, BEFORE, after)


def test_a_limit_that_cannot_be_seen_after_a_lost_answer_is_not_set_again_on_a_guess() -> None:
    assert happened(snapshot(model(limit=UNOBSERVABLE))) is None
    assert happened(snapshot()) is None


def test_a_limit_that_is_seen_after_a_lost_answer_tells_whether_it_was_set() -> None:
    assert happened(snapshot(model(limit=2_000_000))) is True
    assert happened(BEFORE) is False
