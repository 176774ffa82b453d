"""The ark platform over the served one: what it sees, what it writes, and what it leaves to a person."""

import pytest
from served import MODEL, OTHER, PRIVATE, Rig

from reconciler.errors import Permanent, Transient, Unsupported
from reconciler.finding import Severity
from reconciler.observing import observe
from reconciler.platforms.embedded.httpfaults import Fault, FaultKind
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Capability,
    FreeTokens,
    History,
    Limit,
    Listing,
    Operation,
    Rate,
    Target,
    Write,
)
from tests.builders import declared, override
from tests.rules.helpers import says


def activation(model: str = MODEL) -> Target:
    return Target("ModelActivation", model)


def test_a_sweep_sees_every_model_and_endpoint_that_the_platform_has(rig: Rig) -> None:
    rig.endpoint("seen")
    seen, true = rig.connect().observe(frozenset()), rig.engine.snapshot()
    assert sorted(seen.models) == sorted(true.models)
    assert sorted(seen.endpoints) == sorted(true.endpoints)
    for name, model in true.models.items():
        for field in (
            "state",
            "sub_services",
            "rate_limit",
            "domain",
            "task_types",
            "deprecated",
            "prices",
            "free_tokens",
        ):
            if field == "free_tokens" and isinstance(model.free_tokens, FreeTokens):
                assert seen.models[name].free_tokens.remaining == model.free_tokens.remaining
            elif field == "prices":
                assert {p.item: p.amount for p in seen.models[name].prices} == {p.item: p.amount for p in model.prices}
            elif field != "rate_limit" or model.rate_limit is not None:
                assert getattr(seen.models[name], field) == getattr(model, field), (name, field)


def test_what_ark_cannot_show_is_unobservable_and_what_it_cannot_do_is_manual(rig: Rig) -> None:
    platform = rig.connect()
    seen = platform.observe(frozenset())
    assert seen.models[MODEL].limit is UNOBSERVABLE
    assert seen.switches.free_tokens_only is UNOBSERVABLE
    capabilities = platform.capabilities()
    assert set(capabilities) == set(Operation)
    native = {operation for operation, support in capabilities.items() if support.capability is Capability.NATIVE}
    assert native == {
        Operation.ACTIVATE,
        Operation.ADD_SUB_SERVICE,
        Operation.SET_OVERRIDE,
        Operation.READ_ACTIVATION,
        Operation.READ_OVERRIDE,
        Operation.READ_USAGE,
    }
    assert all(capabilities[operation].page.startswith("https://") for operation in set(Operation) - native)


def test_a_manual_write_sends_nothing_and_says_the_page_and_the_exact_values(rig: Rig) -> None:
    with pytest.raises(Unsupported) as caught:
        rig.connect().write(Write(Operation.SET_LIMIT, Target("InferenceLimit", MODEL), {"tokens": 2_000_000}))
    assert "openManagement" in caught.value.how_to
    assert "tokens 2000000" in caught.value.how_to
    assert MODEL in caught.value.how_to
    assert rig.engine.snapshot().models[MODEL].limit is None


def test_an_activation_reads_available_when_the_write_returns(rig: Rig) -> None:
    platform = rig.connect()
    platform.write(Write(Operation.ACTIVATE, activation(OTHER)))
    assert platform.read(activation(OTHER)).models[OTHER].state is ActivationState.ACTIVATED
    platform.write(Write(Operation.ADD_SUB_SERVICE, activation(OTHER), {"subService": "context-cache"}))
    assert platform.read(activation(OTHER)).models[OTHER].sub_services == ("context-cache",)


def test_an_override_is_written_with_both_halves_and_never_with_one(rig: Rig) -> None:
    platform, id_ = rig.connect(), rig.endpoint("rated")
    target = Target("EndpointRateOverride", id_)
    assert platform.read(target).endpoints[id_].override is None
    platform.write(Write(Operation.SET_OVERRIDE, target, {"rpm": 100, "tpm": 5000}))
    assert platform.read(target).endpoints[id_].override == Rate(100, 5000)
    with pytest.raises(Permanent, match="tpm is inherited"):
        platform.write(Write(Operation.SET_OVERRIDE, target, {"rpm": 100, "tpm": None}))
    assert platform.read(Target("EndpointRateOverride", "ep-none")).endpoints == {}


def test_with_the_accounts_private_actions_everything_is_native(rig: Rig) -> None:
    platform, id_ = rig.connect(actions=PRIVATE), rig.endpoint("cleared")
    assert {support.capability for support in platform.capabilities().values()} == {Capability.NATIVE}
    model = "doubao-seed-character"
    platform.write(Write(Operation.ACTIVATE, activation(model)))
    limit = Target("InferenceLimit", model)
    platform.write(Write(Operation.SET_LIMIT, limit, {"tokens": 777}))
    seen = platform.read(limit).models[model].limit
    assert (seen.tokens, seen.used) == (777, 0)
    assert seen.effective_at is not None
    with pytest.raises(Transient) as caught:
        platform.write(Write(Operation.SET_LIMIT, limit, {"tokens": 778}))
    assert caught.value.reason is Reason.COOLING_DOWN
    assert 0 < caught.value.retry_after_s <= 7200
    platform.write(Write(Operation.REMOVE_LIMIT, limit))
    assert platform.observe(frozenset()).models[model].limit is None
    platform.write(Write(Operation.DEACTIVATE, activation(model)))
    assert platform.read(activation(model)).models[model].state is ActivationState.NOT_ACTIVATED
    override = Target("EndpointRateOverride", id_)
    platform.write(Write(Operation.SET_OVERRIDE, override, {"rpm": 1, "tpm": 2}))
    platform.write(Write(Operation.CLEAR_OVERRIDE, override, {"rpm": None, "tpm": None}))
    assert platform.read(override).endpoints[id_].override is None
    account = Target("PlatformAccount", "default")
    platform.write(Write(Operation.SET_AUTO_ACTIVATION, account, {"enabled": True}))
    assert platform.read(account).switches.auto_activation is True
    platform.write(Write(Operation.SET_AUTO_ACTIVATION, account, {"enabled": False}))
    assert platform.read(account).switches.auto_activation is False


def test_capacity_is_looked_up_only_where_a_model_has_a_limit_and_only_once(rig: Rig) -> None:
    id_ = rig.endpoint("guaranteed", "glm-4-7", scale_tpm=1000)
    platform = rig.connect()
    assert platform.observe(frozenset()).endpoints[id_].scale_tier is UNOBSERVABLE
    assert platform.observe(frozenset({"glm-4-7"})).endpoints[id_].scale_tier == "st-1000"
    rig.served.faults.order(Fault(FaultKind.THROTTLE, "GetEndpoint"))
    assert platform.observe(frozenset({"glm-4-7"})).endpoints[id_].scale_tier == "st-1000"


def test_reading_an_item_asks_for_nothing_but_the_item_and_keeps_what_other_reads_saw(rig: Rig) -> None:
    name, id_ = "kimi-k2", rig.endpoint("lean", "kimi-k2")
    platform = rig.connect(actions=PRIVATE)
    platform.observe(frozenset())
    rig.engine.activate(name)
    assert platform.read(Target("ModelActivation", name)).models[name].state is ActivationState.ACTIVATED
    for action in ("ListModelActivations", "ListModelChargeItems", "ListModelRateLimit", "ListFoundationModels"):
        rig.served.faults.order(Fault(FaultKind.DENIED, action, times=99))
    rig.engine.set_limit(name, 77)
    limited = platform.read(Target("InferenceLimit", name)).models[name]
    assert isinstance(limited.limit, Limit)
    assert (limited.limit.tokens, limited.state) == (77, ActivationState.ACTIVATED)
    seen = platform.read(Target("EndpointRateOverride", id_))
    assert (seen.endpoints[id_].model, seen.models[name]) == (name, limited)
    rig.engine.remove_limit(name)


def test_an_override_above_the_pool_is_refused_once_a_closer_look_shows_no_capacity_of_its_own(rig: Rig) -> None:
    plain, guaranteed = rig.endpoint("plain"), rig.endpoint("guaranteed", scale_tpm=1000)
    over = declared(
        override(plain, name="plain", rpm=999_999, tpm=5), override(guaranteed, name="guaranteed", rpm=999_999, tpm=5)
    )
    platform = rig.connect()
    for _ in range(2):  # the second sweep asks nothing more of either endpoint
        seen = observe(over, History(), platform, rig.clock()).snapshot
        found = says("override-exceeds-model-limit", over, seen)
        assert [(each.resource, each.severity) for each in found] == [("EndpointRateOverride/plain", Severity.ERROR)]
        rig.served.faults.order(Fault(FaultKind.DENIED, "GetEndpoint", times=9))


def test_a_permission_that_is_missing_is_named_and_hides_only_what_it_would_show(rig: Rig) -> None:
    platform, id_ = rig.connect(), rig.endpoint("denied")
    rig.served.faults.order(Fault(FaultKind.DENIED, "ListModelRateLimit"))
    seen = platform.observe(frozenset())
    assert seen.models[MODEL].rate_limit is UNOBSERVABLE
    assert seen.models[MODEL].state is not UNOBSERVABLE
    for action, ask in (
        ("ListEndpoints", lambda: platform.observe(frozenset())),
        ("UpdateEndpoint", lambda: platform.write(
            Write(Operation.SET_OVERRIDE, Target("EndpointRateOverride", id_), {"rpm": 1, "tpm": 1})
        )),
    ):  # fmt: skip
        rig.served.faults.order(Fault(FaultKind.DENIED, action))
        with pytest.raises(Permanent, match=f"grant ark:{action}") as caught:
            ask()
        assert (caught.value.reason, caught.value.code) == (Reason.PERMISSION_DENIED, "AccessDenied")


def test_more_endpoints_than_a_page_are_all_seen_and_a_page_that_does_not_move_shows_what_it_has(rig: Rig) -> None:
    for number in range(101):
        rig.endpoint(f"many-{number}")
    platform = rig.connect()
    assert len(platform.observe(frozenset()).endpoints) >= 101
    rig.served.faults.order(Fault(FaultKind.STUCK_PAGE, "ListEndpoints", times=9))
    seen = platform.observe(frozenset())
    assert len(seen.endpoints) == 100
    assert "it names 100 of " in seen.not_whole[Listing.ENDPOINTS]


def test_a_read_is_asked_again_and_a_write_never_is(rig: Rig) -> None:
    platform, id_ = rig.connect(), rig.endpoint("once")
    rig.served.faults.order(Fault(FaultKind.UNAVAILABLE, "ListEndpoints", times=2))
    assert id_ in platform.observe(frozenset()).endpoints
    target = Target("EndpointRateOverride", id_)
    rig.served.faults.order(Fault(FaultKind.UNAVAILABLE, "UpdateEndpoint"))
    with pytest.raises(Transient):
        platform.write(Write(Operation.SET_OVERRIDE, target, {"rpm": 7, "tpm": 8}))
    assert platform.read(target).endpoints[id_].override is None


def test_a_write_whose_answer_was_lost_is_transient_and_shows_when_read(rig: Rig) -> None:
    platform, id_ = rig.connect(), rig.endpoint("lost")
    target = Target("EndpointRateOverride", id_)
    rig.served.faults.order(Fault(FaultKind.ANSWER_LOST, "UpdateEndpoint"))
    with pytest.raises(Transient):
        platform.write(Write(Operation.SET_OVERRIDE, target, {"rpm": 7, "tpm": 8}))
    assert platform.read(target).endpoints[id_].override == Rate(7, 8)


def test_throttling_carries_the_platforms_own_wish_and_is_not_asked_again(rig: Rig) -> None:
    rig.served.faults.order(Fault(FaultKind.THROTTLE, seconds=7, times=99))
    with pytest.raises(Transient) as caught:
        rig.connect().observe(frozenset())
    assert (caught.value.reason, caught.value.retry_after_s) == (Reason.THROTTLED, 7)
    assert caught.value.code == "FlowLimitExceeded"


def test_an_error_within_http_200_and_a_reply_without_metadata_are_failures(rig: Rig) -> None:
    for kind in (FaultKind.ERROR_IN_200, FaultKind.NO_METADATA):
        rig.served.faults.order(Fault(kind, times=99))
        with pytest.raises(Transient):
            rig.connect().observe(frozenset())
        rig.served.faults.clear()


def test_an_older_deployment_without_the_activation_actions_still_shows_states(rig: Rig) -> None:
    from reconciler.platforms.embedded import actions

    published = dict(actions.PUBLISHED)
    try:
        actions.PUBLISHED.pop("ListModelActivations")
        seen = rig.connect().observe(frozenset()).models[MODEL]
        assert seen.state is ActivationState.NOT_ACTIVATED
        actions.PUBLISHED.pop("ListModelChargeItems")
        seen = rig.connect().observe(frozenset()).models[MODEL]
        assert seen.state is UNOBSERVABLE
        assert seen.sub_services is UNOBSERVABLE
    finally:
        actions.PUBLISHED.update(published)


def test_wrong_keys_are_told_without_the_keys(rig: Rig) -> None:
    from reconciler.platforms import Connection, Credentials, connect

    credentials = Credentials(rig.keys.access_key, "CANARY-SECRET")
    platform = connect(rig.spec(), Connection(clock=rig.clock, credentials=credentials))
    with pytest.raises(Permanent) as caught:
        platform.observe(frozenset())
    assert caught.value.reason is Reason.CREDENTIALS_INVALID
    assert "CANARY" not in repr(caught.value) + str(caught.value) + repr(credentials)
    assert rig.keys.access_key not in str(caught.value)


def test_a_platform_that_is_not_there_is_transient() -> None:
    from datetime import UTC, datetime

    from reconciler.kinds.platform_account import PlatformAccountSpec
    from reconciler.platforms import Connection, Credentials, connect

    spec = PlatformAccountSpec.model_validate({"platform": "ark", "ark": {"endpoint": "http://127.0.0.1:9"}})
    platform = connect(spec, Connection(clock=lambda: datetime.now(UTC), credentials=Credentials("a", "CANARY-SECRET")))
    with pytest.raises(Transient, match="cannot be reached") as caught:
        platform.write(Write(Operation.ACTIVATE, activation()))
    assert "CANARY" not in str(caught.value)
