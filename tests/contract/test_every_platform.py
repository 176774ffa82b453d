"""What everything above may assume of any platform. An operation that is not native must raise Unsupported instead."""

from datetime import timedelta

import pytest

from reconciler.errors import Conflict, Permanent, PlatformError, Transient, Unsupported
from reconciler.kinds import registry
from reconciler.platforms import ReadOnly
from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.httpfaults import LIST_FAULTS, Fault, FaultKind
from reconciler.platforms.embedded.platform import EmbeddedPlatform
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Capability,
    Listing,
    Model,
    Operation,
    Rate,
    Snapshot,
    Target,
    Write,
)

CHAT = "contract-chat"
ENDPOINT = "ep-contract-1"
ACTIVATION = Target("ModelActivation", CHAT)
LIMIT = Target("InferenceLimit", CHAT)
OVERRIDE = Target("EndpointRateOverride", ENDPOINT)
ACCOUNT = Target("PlatformAccount", "default")

WRITES = (
    Write(Operation.ACTIVATE, ACTIVATION),
    Write(Operation.ADD_SUB_SERVICE, ACTIVATION, {"subService": "fast-infer"}),
    Write(Operation.DROP_SUB_SERVICE, ACTIVATION, {"subService": "fast-infer"}),
    Write(Operation.SET_LIMIT, LIMIT, {"tokens": 2_000_000}),
    Write(Operation.REMOVE_LIMIT, LIMIT),
    Write(Operation.SET_OVERRIDE, OVERRIDE, {"rpm": 60, "tpm": 6000}),
    Write(Operation.CLEAR_OVERRIDE, OVERRIDE, {"rpm": None, "tpm": None}),
    Write(Operation.SET_AUTO_ACTIVATION, ACCOUNT, {"enabled": True}),
    Write(Operation.DEACTIVATE, ACTIVATION),
)


def native(bench, operation: Operation) -> bool:
    return bench.platform.capabilities()[operation].capability is Capability.NATIVE


def write(bench, operation: Operation, target: Target, **arguments) -> None:
    """Carry out a write the platform's own way, or by the engine's hand where a person would have to."""
    if native(bench, operation):
        bench.platform.write(Write(operation, target, arguments))
    else:
        EmbeddedPlatform(bench.engine).write(Write(operation, target, arguments))


def chat(bench) -> Model:
    return bench.platform.read(ACTIVATION).models[CHAT]


def test_capabilities_answer_for_every_operation(bench):
    assert set(bench.platform.capabilities()) == set(Operation)


@pytest.mark.parametrize("change", WRITES, ids=lambda change: change.operation.value)
def test_an_operation_is_carried_out_exactly_where_it_is_native(bench, change):
    bench.engine.activate(CHAT)
    if native(bench, change.operation):
        assert bench.platform.write(change) is None
    else:
        with pytest.raises(Unsupported) as caught:
            bench.platform.write(change)
        assert caught.value.how_to
        assert caught.value.reason is Reason.MANUAL_ACTION_REQUIRED


def test_a_sweep_sees_every_model_and_endpoint_of_the_account(bench):
    seen = bench.platform.observe(frozenset())
    assert {CHAT, "contract-other", "contract-invited"} <= set(seen.models)
    assert set(seen.endpoints) == {"ep-contract-1", "ep-contract-2"}
    assert seen.endpoints[ENDPOINT].name == "search-prod"
    assert seen.endpoints[ENDPOINT].model == CHAT
    assert seen.models[CHAT].rate_limit == Rate(600, 100_000)
    assert seen.models[CHAT].state is ActivationState.NOT_ACTIVATED
    assert seen.models["contract-invited"].state is ActivationState.INVITE_ONLY


def test_a_sweep_proves_absence_unless_it_says_that_a_list_was_not_whole(bench):
    assert bench.platform.observe(frozenset()).not_whole == {}


@pytest.mark.parametrize("kind", LIST_FAULTS, ids=lambda kind: kind.value)
def test_a_list_that_is_not_whole_hides_nothing_for_good_and_proves_nothing_absent(bench, kind):
    if bench.faults is None:
        pytest.skip("one transaction sees all of this platform; there are no lists")
    for action in ("ListEndpoints", "ListFoundationModels"):
        bench.faults.order(Fault(kind, action, times=99))
    seen = bench.platform.observe(frozenset())
    assert set(seen.not_whole) == ({Listing.ENDPOINTS, Listing.MODELS} if kind is not FaultKind.STUCK_PAGE else set())
    bench.faults.clear()
    seen = bench.platform.observe(frozenset())
    assert seen.not_whole == {}
    assert set(seen.endpoints) == {"ep-contract-1", "ep-contract-2"}


def test_use_is_seen_by_the_hour_for_a_model_and_for_its_endpoint(bench):
    bench.engine.use(Call(ENDPOINT, 40))
    bench.engine.use(Call(CHAT, 2))
    seen = bench.platform.observe(frozenset())
    hour = bench.clock.now.replace(minute=0, second=0, microsecond=0)
    assert seen.models[CHAT].hourly_use == ((hour, 42),)
    assert seen.endpoints[ENDPOINT].hourly_use == ((hour, 40),)
    assert seen.models["contract-other"].hourly_use == ()
    assert bench.platform.read(OVERRIDE).endpoints[ENDPOINT].hourly_use == ((hour, 40),)


def test_an_account_has_one_identity_that_stays(bench):
    first = bench.platform.observe(frozenset())
    assert first.identity
    assert bench.platform.observe(frozenset()).identity == first.identity
    assert bench.platform.read(ACTIVATION).identity == first.identity


@pytest.mark.parametrize("target", [ACTIVATION, LIMIT, OVERRIDE], ids=lambda target: target.kind)
def test_reading_an_item_sees_the_same_as_the_sweep(bench, target):
    bench.engine.activate(CHAT)
    bench.engine.set_limit(CHAT, 2_000_000)
    bench.engine.set_override(ENDPOINT, 60, 6000)
    kind = registry()[target.kind]
    sweep = bench.platform.observe(frozenset({CHAT}))
    assert kind.live(bench.platform.read(target), target) == kind.live(sweep, target)


@pytest.mark.parametrize("kind", ["ModelActivation", "InferenceLimit", "EndpointRateOverride"])
def test_reading_what_does_not_exist_sees_nothing(bench, kind):
    seen = bench.platform.read(Target(kind, "no-such-thing"))
    assert isinstance(seen, Snapshot)
    assert not seen.models
    assert not seen.endpoints


def test_an_activation_is_seen_once_it_was_accepted(bench):
    write(bench, Operation.ACTIVATE, ACTIVATION)
    assert chat(bench).state is ActivationState.ACTIVATED
    write(bench, Operation.DEACTIVATE, ACTIVATION)
    assert chat(bench).state is ActivationState.NOT_ACTIVATED


def test_a_sub_service_is_seen_once_it_was_accepted(bench):
    write(bench, Operation.ACTIVATE, ACTIVATION)
    write(bench, Operation.ADD_SUB_SERVICE, ACTIVATION, subService="fast-infer")
    assert chat(bench).sub_services in (("fast-infer",), UNOBSERVABLE)
    write(bench, Operation.DROP_SUB_SERVICE, ACTIVATION, subService="fast-infer")
    assert chat(bench).sub_services in ((), UNOBSERVABLE)


def test_a_limit_is_seen_with_its_effective_time_or_not_to_be_seen_at_all(bench):
    write(bench, Operation.ACTIVATE, ACTIVATION)
    write(bench, Operation.SET_LIMIT, LIMIT, tokens=2_000_000)
    limit = bench.platform.read(LIMIT).models[CHAT].limit
    if native(bench, Operation.READ_LIMIT):
        assert (limit.tokens, limit.used, limit.effective_at) == (2_000_000, 0, bench.clock.now)
    else:
        assert limit is UNOBSERVABLE


def test_a_second_set_of_a_limit_within_two_hours_may_be_tried_again_later(bench):
    write(bench, Operation.ACTIVATE, ACTIVATION)
    write(bench, Operation.SET_LIMIT, LIMIT, tokens=2_000_000)
    bench.clock.forward(hours=1)
    with pytest.raises(Transient) as caught:
        write(bench, Operation.SET_LIMIT, LIMIT, tokens=3_000_000)
    assert caught.value.reason is Reason.COOLING_DOWN
    assert caught.value.retry_after_s == timedelta(hours=1).total_seconds()


def test_an_override_is_seen_and_cleared_back_to_inherited(bench):
    write(bench, Operation.SET_OVERRIDE, OVERRIDE, rpm=60, tpm=6000)
    assert bench.platform.read(OVERRIDE).endpoints[ENDPOINT].override == Rate(60, 6000)
    write(bench, Operation.CLEAR_OVERRIDE, OVERRIDE, rpm=None, tpm=None)
    assert bench.platform.read(OVERRIDE).endpoints[ENDPOINT].override is None


@pytest.mark.parametrize(
    ("operation", "target"),
    [
        (Operation.ACTIVATE, ACTIVATION),
        (Operation.DEACTIVATE, ACTIVATION),
        (Operation.REMOVE_LIMIT, LIMIT),
        (Operation.CLEAR_OVERRIDE, OVERRIDE),
    ],
)
def test_what_is_so_already_is_accepted_again(bench, operation, target):
    write(bench, operation, target)
    before = bench.platform.read(target)
    write(bench, operation, target)
    assert bench.platform.read(target).models == before.models
    assert bench.platform.read(target).endpoints == before.endpoints


def test_an_invite_only_model_needs_a_ticket_and_is_not_tried_again(bench):
    if not native(bench, Operation.ACTIVATE):
        pytest.skip("activating is not native here")
    with pytest.raises(Permanent) as caught:
        bench.platform.write(Write(Operation.ACTIVATE, Target("ModelActivation", "contract-invited")))
    assert caught.value.reason is Reason.TICKET_REQUIRED


def test_a_write_to_an_unknown_target_is_refused_for_good(bench):
    with pytest.raises(Permanent) as caught:
        write(bench, Operation.ACTIVATE, Target("ModelActivation", "no-such-model"))
    assert caught.value.reason is Reason.TARGET_NOT_FOUND
    with pytest.raises(Permanent) as caught:
        write(bench, Operation.SET_OVERRIDE, Target("EndpointRateOverride", "ep-nowhere"), rpm=1, tpm=1)
    assert caught.value.reason is Reason.TARGET_NOT_FOUND


def test_an_item_in_the_wrong_state_is_a_conflict(bench):
    with pytest.raises(Conflict):
        write(bench, Operation.SET_LIMIT, LIMIT, tokens=2_000_000)


def test_every_refusal_carries_a_code_and_a_sentence(bench):
    with pytest.raises(PlatformError) as caught:
        write(bench, Operation.SET_LIMIT, LIMIT, tokens=2_000_000)
    assert caught.value.code
    assert CHAT in str(caught.value)


def test_switches_are_seen_or_not_to_be_seen_at_all(bench):
    write(bench, Operation.SET_AUTO_ACTIVATION, ACCOUNT, enabled=True)
    switches = bench.platform.read(ACCOUNT).switches
    assert switches.auto_activation is (True if native(bench, Operation.READ_AUTO_ACTIVATION) else UNOBSERVABLE)
    known = native(bench, Operation.READ_FREE_TOKENS_ONLY)
    assert switches.free_tokens_only is (False if known else UNOBSERVABLE)


def test_a_reader_has_no_way_to_write(bench):
    reader = ReadOnly(bench.platform)
    assert not hasattr(reader, "write")
    assert reader.observe(frozenset()).models == bench.platform.observe(frozenset()).models
