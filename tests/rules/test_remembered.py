"""Rules over what is remembered: moments ahead of the clock, an item taken back in part, whose account it is."""

from dataclasses import replace

from builders import NOW, M, declared, endpoint, hours, limit, model, override, record, snapshot
from rules.helpers import context

from reconciler.identity import Identity
from reconciler.rules import check
from reconciler.state import Attestation, History


def said(of: object) -> list[str]:
    return [found.rule for found in check(of)]  # type: ignore[arg-type]


def test_a_moment_ahead_of_the_clock_is_told_with_its_item_whichever_moment_it_is() -> None:
    seen, mine = snapshot(model()), limit()
    base = context(declared(mine), seen)
    for field in ("set_at", "removed_at", "equal_at", "refused_until"):
        ahead = record(mine, **{field: NOW + hours(9000)})
        (found,) = [each for each in check(replace(base, ahead=(ahead,))) if each.rule == "clock-was-ahead"]
        assert f"InferenceLimit {M} is of 2027-12-03T12:00:00Z" in found.message
        assert found.resource == mine.address
    by_word = record(mine, attestation=Attestation({"tokens": 1}, "ada", NOW + hours(1)))
    assert "clock-was-ahead" in said(replace(base, ahead=(by_word,)))
    assert "clock-was-ahead" not in said(base)


def test_what_is_left_of_an_item_that_is_taken_back_in_part_is_told_until_it_is_back() -> None:
    mine = override()
    kept = record(mine, reverting=True, baseline={"rpm": 8, "tpm": None}, applied={"rpm": 8, "tpm": 2000})
    history = History({kept.target: kept}, exists=True)
    part = replace(context(declared(), snapshot(endpoint(override=(8, 2000)))), history=history)
    (found,) = [each for each in check(part) if each.rule == "revert-unfinished"]
    assert "tpm 2000 is left" in found.message
    assert "rpm" not in found.message
    whole = replace(part, snapshot=snapshot(endpoint(override=(8, None))))
    assert "revert-unfinished" not in said(whole)
    owned = replace(part, history=History({kept.target: replace(kept, reverting=False)}, exists=True))
    assert "revert-unfinished" not in said(owned)


def test_an_account_is_told_as_another_or_as_unproven_and_never_as_both() -> None:
    base = context(declared(), snapshot(model(), identity="now"))
    other = History(identity=Identity(platform="embedded", account="before"), exists=True)
    assert "account-changed" in said(replace(base, history=other))
    key = {"platform": "ark", "scope": "r/p", "at": "h"}
    seen = replace(snapshot(model()), identity=Identity(**key, key="k2"))
    rotated = replace(base, snapshot=seen, history=History(identity=Identity(**key, key="k1"), exists=True))
    assert [rule for rule in said(rotated) if rule.startswith("account-")] == ["account-unproven"]
