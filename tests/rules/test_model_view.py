"""What a constraint over a model sees: declared wins over live, null is absent, and what cannot be seen is named, not guessed."""

from typing import Any

import pytest

from reconciler.rules import model_view
from reconciler.rules.model_view import View
from reconciler.state import UNOBSERVABLE, FreeTokens, Limit, Snapshot
from tests.builders import EP, NOW, M, activation, declared, endpoint, limit, model, override, snapshot
from tests.rules.helpers import context

NAMED = {"endpoint": {"id": EP, "name": EP}}


def view(*resources: Any, seen: Snapshot | None = None) -> View:
    return model_view.views(context(declared(*resources), seen))[M]


def test_a_model_that_nothing_declares_is_shown_as_it_lives() -> None:
    live = model(limit=Limit(5, used=2, effective_at=NOW), rate_limit=(7, None), sub_services=("b", "a"),
                 free_tokens=FreeTokens(10, 4, 6))  # fmt: skip
    it = view(seen=snapshot(live, endpoint(override=(3, None))))
    assert (it.unseen, it.resources) == (frozenset(), ())
    assert it.values["activation"] == {"state": "Activated", "subServices": ["a", "b"], "declared": False}
    assert it.values["limit"] == {"tokens": 5, "declared": False}
    assert it.values["overrides"] == [{**NAMED, "rpm": 3, "tpm": None, "declared": False}]
    observed = it.values["observed"]
    assert observed["limit"] == {"tokens": 5, "used": 2, "effectiveAt": NOW.isoformat()}
    assert observed["freeTokens"] == {"total": 10, "consumed": 4, "remaining": 6}
    assert (observed["rateLimit"], observed["subServices"]) == ({"rpm": 7, "tpm": None}, ["a", "b"])
    assert [one["override"] for one in observed["endpoints"]] == [{"rpm": 3, "tpm": None}]


def test_what_is_declared_wins_over_what_is_live() -> None:
    mine = (activation(state="NotActivated"), limit(tokens=9), override(rpm=4))
    it = view(*mine, seen=snapshot(model(limit=5), endpoint(override=(3, None))))
    assert it.resources == mine
    assert (it.values["activation"]["state"], it.values["activation"]["declared"]) == ("NotActivated", True)
    assert (it.values["limit"]["tokens"], it.values["limit"]["declared"]) == (9, True)
    assert [(one["endpoint"], one["rpm"], one["declared"]) for one in it.values["overrides"]] == [(NAMED["endpoint"], 4, True)]  # fmt: skip


def test_what_a_model_has_not_is_null() -> None:
    it = view(seen=snapshot(model(), endpoint()))
    assert (it.values["limit"], it.values["overrides"], it.unseen) == (None, [], frozenset())
    assert (it.values["observed"]["limit"], it.values["observed"]["paused"]) == (None, None)


@pytest.mark.parametrize(
    ("resources", "unseen"),
    [((), {"activation", "limit"}), ((limit(),), {"activation"}), ((activation(),), {"limit"}), ((activation(), limit()), set())],
)  # fmt: skip
def test_what_cannot_be_seen_is_left_out_and_named_unless_it_is_declared(resources: Any, unseen: set[str]) -> None:
    hidden = model(state=UNOBSERVABLE, limit=UNOBSERVABLE, rate_limit=UNOBSERVABLE, sub_services=UNOBSERVABLE, free_tokens=UNOBSERVABLE)  # fmt: skip
    it = view(*resources, seen=snapshot(hidden))
    assert it.unseen == unseen
    assert not unseen & it.values.keys()
    assert not {"state", "limit", "rateLimit", "subServices", "freeTokens"} & it.values["observed"].keys()


def test_offline_only_what_is_declared_is_known_and_overrides_are_not() -> None:
    it = view(limit(), override())
    assert (it.values["activation"], it.values["observed"], it.unseen) == (None, {}, {"overrides"})
    assert it.values["limit"]["declared"] is True
