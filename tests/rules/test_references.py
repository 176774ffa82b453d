"""What resources refer to: models, endpoints and accounts that there are, and items that only one of them declares."""

from dataclasses import replace

import pytest

from reconciler import rules
from reconciler.finding import Location, Severity
from reconciler.identity import Identity
from reconciler.kinds.declared import Declared, Held
from reconciler.reasons import Reason
from reconciler.state import ActivationState, Listing, Switches
from tests.builders import (
    NOW,
    M,
    account,
    activation,
    declared,
    endpoint,
    history,
    hours,
    limit,
    model,
    override,
    question,
    record,
    snapshot,
)
from tests.rules.helpers import at, context, placed, says

# --- a list that is not whole ---


def test_a_list_that_is_not_whole_is_told_and_makes_what_it_does_not_name_a_doubt() -> None:
    short = replace(
        snapshot(endpoint("ep-1", name="search")),
        not_whole={Listing.ENDPOINTS: "ListEndpoints: it names 1 of 2", Listing.MODELS: "ListX: Items is no list"},
    )
    everything = declared(account(), activation(), activation("nope"), override("ep-1"), override("ep-2", name="two"))
    told = says("incomplete-list", everything, short)
    assert [(each.resource, each.severity) for each in told] == [("PlatformAccount/default", Severity.WARNING)] * 2
    assert "ListEndpoints: it names 1 of 2" in told[0].message
    for rule, address in (("unknown-model", "ModelActivation/nope"), ("unknown-endpoint", "EndpointRateOverride/two")):
        (found,) = says(rule, everything, short)
        assert (found.resource, found.severity, found.reason) == (address, Severity.WARNING, None)
        (found,) = says(rule, everything, replace(short, not_whole={}))
        assert (found.severity, found.reason) == (Severity.ERROR, Reason.TARGET_NOT_FOUND)
    assert not says("incomplete-list", everything, replace(short, not_whole={}))


def test_two_endpoints_by_one_name_are_too_many_whatever_the_list_leaves_out() -> None:
    seen = snapshot(endpoint("ep-1", name="search"), endpoint("ep-2", name="search"))
    by_name = declared(override(name="by-name", endpoint={"name": "search"}))
    for not_whole in ({}, {Listing.ENDPOINTS: "ListEndpoints: it names 2 of 3"}):
        (found,) = says("unknown-endpoint", by_name, replace(seen, not_whole=not_whole))
        assert (found.severity, found.reason) == (Severity.ERROR, Reason.TARGET_NOT_FOUND)


# --- duplicate-target ---


def test_two_limits_of_one_model_conflict_and_each_names_the_other() -> None:
    one, two = placed(limit(name="one"), "spec", "model"), limit(name="two")
    found = says("duplicate-target", declared(one, two))
    assert [found_.resource for found_ in found] == [one.address, two.address]
    assert "InferenceLimit/two (policies/two.yaml:1:1)" in found[0].message
    assert (found[0].severity, found[0].reason, at(found[0])) == (Severity.ERROR, Reason.CONFLICTED, (7, 11))


def test_an_activation_and_a_limit_of_one_model_are_two_items() -> None:
    assert not says("duplicate-target", declared(activation(), limit(), override(), override("ep-2")))


def test_items_of_different_accounts_do_not_conflict() -> None:
    everything = declared(
        account("a", embedded={"path": "a.db"}), account("b", embedded={"path": "b.db"}),
        limit(name="one", account="a"), limit(name="two", account="b"),
    )  # fmt: skip
    assert not says("duplicate-target", everything)


def test_an_endpoint_by_id_and_by_name_is_one_endpoint_once_it_was_seen() -> None:
    everything = declared(override("ep-1"), override(name="by-name", endpoint={"name": "search"}))
    assert not says("duplicate-target", everything)
    assert len(says("duplicate-target", everything, snapshot(endpoint("ep-1", name="search")))) == 2


def test_in_a_cluster_the_older_of_two_claimants_wins() -> None:
    old = limit(name="old", namespace="n", created=NOW - hours(2))
    new = limit(name="new", namespace="n", created=NOW)
    everything = declared(account(namespace="n"), new, old)
    told = {found.resource: (found.severity, found.message) for found in says("duplicate-target", everything)}
    assert told[new.address][0] is Severity.ERROR
    assert told[old.address] == (
        Severity.WARNING,
        f"{old.address} declares the same item as {new.cited}; being the oldest, it keeps the item",
    )


def test_what_is_going_away_claims_nothing() -> None:
    assert not says("duplicate-target", declared(limit(name="one"), limit(name="two", deleting=True)))


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ({"embedded": {"path": "a.db"}}, {"embedded": {"path": "./a.db"}}, True),
        ({"embedded": {"path": "a.db"}}, {"embedded": {"path": "/a.db"}}, False),
        ({"platform": "ark"}, {"platform": "ark"}, True),
        ({"platform": "ark"}, {"platform": "ark", "ark": {"region": "elsewhere"}}, False),
        (
            {"platform": "ark", "ark": {"credentials": {"file": "a"}}},
            {"platform": "ark", "ark": {"credentials": {"file": "b"}}},
            False,
        ),
        ({"platform": "ark"}, {}, False),
    ],
)
def test_two_accounts_that_are_visibly_one_platform_account_conflict(one: dict, two: dict, same: bool) -> None:
    everything = declared(account("a", **one), account("b", **two))
    found = says("duplicate-target", everything)
    assert [found_.resource for found_ in found] == (["PlatformAccount/a"] if same else [])


# --- unknown-account ---


def test_without_any_account_default_is_there_and_another_name_is_not() -> None:
    assert not says("unknown-account", declared(limit()))
    lost = placed(limit(account="prod"), "spec", "accountRef", "name")
    (found,) = says("unknown-account", declared(lost))
    assert (found.message, found.reason, at(found)) == (
        "there is no PlatformAccount 'prod'", Reason.TARGET_NOT_FOUND, (7, 11),
    )  # fmt: skip


def test_a_misspelt_account_gets_a_suggestion() -> None:
    (found,) = says("unknown-account", declared(account("production"), limit(account="prodution")))
    assert found.hint == "Did you mean 'production'?"


def test_an_account_that_could_not_be_loaded_is_never_replaced_by_the_embedded_default() -> None:
    broken = Held(Location("accounts.yaml", 3, 1), "PlatformAccount", "default")
    (found,) = says("unknown-account", declared(limit(), held=(broken,)))
    assert "could not be loaded (accounts.yaml:3:1)" in found.message


def test_an_account_that_may_stand_in_what_could_not_be_read_follows_from_that() -> None:
    broken = Held(Location("accounts.yaml", 3, 1))
    (found,) = says("unknown-account", declared(limit(account="prod"), held=(broken,)))
    assert found.follows == broken.location
    assert found.hint == "Mend accounts.yaml:3:1 first: it may declare the account."


def test_an_account_lets_in_only_the_namespaces_it_lists() -> None:
    shared = account(namespace="infra", allowed_namespaces=["team-a"])
    ref = {"name": "default", "namespace": "infra"}
    mine, theirs = (limit(namespace=name, account_ref=ref) for name in ("team-a", "team-b"))
    (found,) = says("unknown-account", declared(shared, mine, theirs))
    assert found.resource == theirs.address
    assert "allowedNamespaces" in found.hint


# --- unknown-model, deprecated-model ---


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        (f"{M}-251015", f"Write {M!r}: 251015 is a version date, and policies belong to the model."),
        (f"{M}-preview-20251015", f"Write {M!r}: 20251015 is a version date, and policies belong to the model."),
        ("doubao-seed-1.6", f"Write {M!r}."),
        ("doubao-sed-1-6", f"Did you mean {M!r}?"),
        ("zzz", "`modelpolicy status` lists the models of the account."),
    ],
)
def test_a_model_that_the_platform_does_not_have_is_told_with_what_was_meant(written: str, hint: str) -> None:
    (found,) = says("unknown-model", declared(placed(limit(written), "spec", "model")), snapshot(model()))
    assert found.message == f"there is no model {written!r} on account default"
    assert (found.hint, found.reason, at(found)) == (hint, Reason.TARGET_NOT_FOUND, (7, 11))


def test_a_model_that_is_there_is_known_and_offline_nothing_is_said() -> None:
    assert not says("unknown-model", declared(limit(), activation()), snapshot(model()))
    assert not says("unknown-model", declared(limit("zzz")))


def test_a_retiring_model_is_a_warning_on_its_activation() -> None:
    everything = declared(placed(activation(), "spec", "model"), limit())
    (found,) = says("deprecated-model", everything, snapshot(model(deprecated=True)))
    assert (found.resource, found.severity, at(found)) == (f"ModelActivation/{M}", Severity.WARNING, (7, 11))
    assert not says("deprecated-model", everything, snapshot(model()))


def test_a_retiring_model_that_only_a_limit_names_is_told_there_and_one_being_left_is_not() -> None:
    retiring = snapshot(model(deprecated=True))
    assert [one.resource for one in says("deprecated-model", declared(limit()), retiring)] == [f"InferenceLimit/{M}"]
    assert not says("deprecated-model", declared(activation(state="NotActivated")), retiring)


# --- unknown-endpoint ---


def test_an_endpoint_that_is_not_there_is_told_with_one_that_is_near() -> None:
    lost = placed(override("ep-12345"), "spec", "endpoint", "id")
    (found,) = says("unknown-endpoint", declared(lost), snapshot(endpoint("ep-12346")))
    assert found.message == "there is no endpoint with the id 'ep-12345' on account default"
    assert (found.hint, found.reason, at(found)) == ("Did you mean 'ep-12346'?", Reason.TARGET_NOT_FOUND, (7, 11))


def test_a_name_that_two_endpoints_bear_lists_their_ids() -> None:
    by_name = override(endpoint={"name": "search"})
    seen = snapshot(endpoint("ep-2", name="search"), endpoint("ep-1", name="search"))
    (found,) = says("unknown-endpoint", declared(by_name), seen)
    assert found.message == "2 endpoints are named 'search': ep-1, ep-2; which one is meant cannot be told"
    assert found.hint == "Name the endpoint by its id."


def test_an_endpoint_that_is_there_is_known_by_id_and_by_name() -> None:
    everything = declared(override("ep-1"), override(endpoint={"name": "search"}))
    assert not says("unknown-endpoint", everything, snapshot(endpoint("ep-1"), endpoint("ep-2", name="search")))


# --- unmanaged-item ---


def test_what_is_live_and_declared_nowhere_is_told_by_its_address() -> None:
    seen = snapshot(model(limit=5), endpoint(override=(600, None)))
    found = says("unmanaged-item", declared(), seen)
    assert [(one.resource, one.severity) for one in found] == [
        ("EndpointRateOverride/ep-1", Severity.INFO),
        (f"InferenceLimit/{M}", Severity.INFO),
        (f"ModelActivation/{M}", Severity.INFO),
    ]
    assert not says("unmanaged-item", declared(activation(), limit(), override()), seen)
    assert not says("unmanaged-item", declared(activation(), limit(), override(endpoint={"name": "ep-1"})), seen)


def test_a_switch_that_is_on_and_declared_nowhere_is_told() -> None:
    seen = snapshot(Switches(free_tokens_only=True, auto_activation=False))
    (found,) = says("unmanaged-item", declared(), seen)
    assert found.message == "freeTokensOnly is on for account default, and no declaration says so"
    assert not says("unmanaged-item", declared(account(free_tokens_only=True)), seen)
    held = Held(Location("x.yaml", 1, 1), "PlatformAccount", "default", "default")
    assert not says("unmanaged-item", declared(held=(held,)), seen)


def test_what_an_unreadable_declaration_may_mean_is_not_called_unmanaged() -> None:
    seen, place = snapshot(model()), Location("x.yaml", 1, 1)
    assert not says("unmanaged-item", declared(held=(Held(place),)), seen)
    assert not says("unmanaged-item", declared(held=(Held(place, "ModelActivation", "x", M),)), seen)
    assert not says("unmanaged-item", declared(complete=False), seen)
    assert says("unmanaged-item", declared(held=(Held(place, "ModelActivation", "x", "other"),)), seen)


def test_every_account_is_judged_on_its_own_set() -> None:
    everything = declared(account("a"), limit(name="one", account="a"))
    assert context(everything).declared.limits == everything.limits
    assert replace(everything, resources=()).for_account("a") == Declared()


def test_two_accounts_that_turn_out_to_be_one_platform_account_conflict_once_both_are_seen() -> None:
    everything = declared(account("a", platform="ark"), account("b", platform="ark", ark={"region": "elsewhere"}))
    seen = context(everything, snapshot())
    one, another = (Identity(platform="ark", account=id_) for id_ in ("2100", "2200"))
    found = rules.check(replace(seen, identities={"a": one, "b": one}))
    assert [(each.resource, each.reason) for each in found] == [("PlatformAccount/a", Reason.CONFLICTED)]
    assert "PlatformAccount/b" in found[0].message
    assert not rules.check(replace(seen, identities={"a": one, "b": another}))


# --- accounts that are parts of one ---


def parts(**resources: object) -> Declared:
    projects = (account(name, platform="ark", ark={"project": name}) for name in ("a", "b"))
    return declared(*projects, *resources.values())


def of(everything: Declared, key: str, seen: object = None, **more: object) -> rules.Context:
    return rules.Context(
        account=everything.accounts[key], declared=everything.for_account(key), everything=everything, now=NOW,
        snapshot=seen, **more,
    )  # fmt: skip


def told(everything: Declared, key: str, **more: object) -> list[str]:
    return [f"{found.resource}: {found.rule}" for found in rules.check(of(everything, key, **more))]


def test_two_projects_of_one_account_conflict_on_what_is_the_account_s_and_not_on_endpoints() -> None:
    everything = parts(
        one=limit(name="one", account="a"), two=limit(name="two", account="b"),
        other=limit("other", name="other", account="b"),
        here=override(name="here", account="a"), there=override(name="there", account="b"),
    )  # fmt: skip
    assert told(everything, "a") == ["InferenceLimit/one: duplicate-target"]
    assert told(everything, "b") == ["InferenceLimit/two: duplicate-target"]
    (found,) = rules.check(of(everything, "a"))
    assert "InferenceLimit/two" in found.message
    assert "parts of one platform account" in found.message


def test_two_projects_whose_keys_differ_are_known_to_be_one_account_once_its_id_was_read() -> None:
    keys = ({"project": name, "credentials": {"file": f"{name}.json"}} for name in ("a", "b"))
    accounts = [account(name, platform="ark", ark=ark) for name, ark in zip("ab", keys, strict=True)]
    everything = declared(*accounts, activation(name="one", account="a"), activation(name="two", account="b"))
    assert told(everything, "a") == []
    seen = {key: Identity(platform="ark", account="2100", scope=f"cn-beijing/{key}") for key in "ab"}
    assert told(everything, "a", identities=seen) == ["ModelActivation/one: duplicate-target"]
    elsewhere = {**seen, "b": Identity(platform="ark", account="2100", scope="ap-southeast-1/b")}
    assert told(everything, "a", identities=elsewhere) == []
    same = {**seen, "b": seen["a"]}
    assert told(everything, "a", identities=same) == ["PlatformAccount/a: duplicate-target"]


def test_a_switch_of_the_account_that_two_projects_declare_conflicts_and_holds_nothing_else() -> None:
    projects = [account(name, platform="ark", ark={"project": name}, auto_activation=True) for name in ("a", "b")]
    (found,) = rules.check(of(declared(*projects), "a"))
    assert (found.resource, found.reason) == ("PlatformAccount/a", Reason.RULE_VIOLATION)
    assert "autoActivation" in found.message


def test_what_another_project_declares_of_the_account_is_not_called_unmanaged() -> None:
    everything = parts(one=activation(account="a"), two=limit(account="a"))
    seen = snapshot(model(M, limit=5), model("other"), endpoint("ep-1", override=(5, None)))
    loose = [one.resource for one in rules.check(of(everything, "b", seen)) if one.rule == "unmanaged-item"]
    assert loose == ["EndpointRateOverride/ep-1", "ModelActivation/other"]


def test_a_declared_account_id_that_is_not_the_keys_holds_the_whole_account() -> None:
    mine = account(platform="ark", ark={"accountId": "2200"})
    everything = declared(mine, activation())
    seen = replace(snapshot(model()), identity=Identity(platform="ark", account="2100", scope="cn-beijing/default"))
    (found,) = says("account-mismatch", everything, seen)
    assert (found.severity, found.reason) == (Severity.ERROR, Reason.CONFLICTED)
    assert "2100" in found.message
    assert "2200" in found.message
    off = replace(seen, models={M: model(state=ActivationState.NOT_ACTIVATED)})
    asked = question(
        everything, off, history(record(limit(), applied={"tokens": 5})), account=mine, findings=(found,), prune=True
    )
    assert asked.holds_account
    assert "2200" in asked.no_reverts
    (unread,) = says("account-mismatch", everything, replace(seen, identity=Identity(platform="ark")))
    assert (unread.severity, unread.reason) == (Severity.WARNING, None)
    assert not says("account-mismatch", declared(account(platform="ark"), activation()), seen)
