"""Rules never raise, whatever is declared and whatever was seen, and their work grows no faster than their input."""

import sys
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import rules
from reconciler.finding import in_order
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Attestation,
    Billing,
    Endpoint,
    FreeTokens,
    Limit,
    Model,
    Pause,
    PauseReason,
    Rate,
    Record,
    Snapshot,
    Switches,
    Target,
)
from tests.builders import (
    NOW,
    account,
    activation,
    constraint,
    declared,
    endpoint,
    history,
    limit,
    model,
    override,
    snapshot,
)
from tests.rules.helpers import context

NAMES = st.sampled_from(["m-1", "m-2", "m-1-251015", "M.1", "nobody"])
IDS = st.sampled_from(["ep-1", "ep-2", "ep-3"])
TOKENS = st.integers(1, 2**53 - 1)
RATES = st.none() | st.integers(1, 2**31 - 1)
TIMES = st.timedeltas(timedelta(days=-3), timedelta(days=3)).map(lambda delta: NOW + delta)


def maybe(strategy: Any) -> Any:
    return st.one_of(st.none(), st.just(UNOBSERVABLE), strategy)


RATE = st.builds(Rate, RATES, RATES)
MODELS = st.builds(
    Model,
    name=NAMES,
    domain=st.sampled_from(["", "LLM", "Audio", "ComputerVision"]),
    task_types=st.sampled_from([(), ("MultimodalEmbedding",)]),
    deprecated=st.booleans(),
    billing=st.sampled_from([*Billing, UNOBSERVABLE]),
    state=st.sampled_from([*ActivationState, UNOBSERVABLE]),
    sub_services=st.sampled_from([(), ("context-cache",), UNOBSERVABLE]),
    free_tokens=maybe(st.builds(FreeTokens, st.integers(0), st.integers(0), st.integers())),
    limit=maybe(st.builds(Limit, TOKENS, st.none() | st.integers(0), st.none() | TIMES)),
    rate_limit=maybe(RATE),
    pause=st.none() | st.builds(Pause, st.sampled_from(PauseReason)),
    hourly_use=st.lists(st.tuples(TIMES, st.integers(0, 2**53)), max_size=4).map(tuple),
)
ENDPOINTS = st.builds(
    Endpoint,
    id=IDS,
    name=st.sampled_from(["search", "chat"]),
    model=NAMES,
    override=maybe(RATE),
    scale_tier=maybe(st.just("st-1")),
    model_units=maybe(st.just("2")),
    batch_only=st.sampled_from([True, False, UNOBSERVABLE]),
)
SWITCH = st.sampled_from([True, False, None, UNOBSERVABLE])
SWITCHES = st.builds(Switches, free_tokens_only=SWITCH, auto_activation=SWITCH, ever_activated=SWITCH, verified=SWITCH)
SNAPSHOTS = st.builds(
    lambda models, endpoints, switches: Snapshot(
        observed_at=NOW,
        models={one.name: one for one in models},
        endpoints={one.id: one for one in endpoints},
        switches=switches,
    ),
    st.lists(MODELS, max_size=4),
    st.lists(ENDPOINTS, max_size=4),
    SWITCHES,
)

ACCOUNTS = st.sampled_from(["default", "other", "lost"])
OF = st.fixed_dictionaries({"name": st.sampled_from(["a", "b"]), "account": ACCOUNTS})
RESOURCES = st.one_of(
    st.builds(
        lambda of, name, state, services, rpm: activation(
            of, state=state, sub_services=services, requires={"rpm": rpm}, **name
        ),
        NAMES, OF, st.sampled_from(["Activated", "NotActivated"]),
        st.sampled_from([None, [], ["context-cache"]]), RATES,
    ),
    st.builds(
        lambda of, name, tokens, free, renewal: limit(of, tokens, free_quota_only=free, renewal=renewal, **name),
        NAMES.filter(lambda name: name != "M.1"), OF, TOKENS, st.booleans(), st.sampled_from([None, "x"]),
    ),
    st.builds(
        lambda ref, name, rpm, ends: override(endpoint=ref, rpm=rpm, expires_at=ends, **name),
        st.one_of(IDS.map(lambda id_: {"id": id_}), st.sampled_from(["search", "chat"]).map(lambda one: {"name": one})),
        OF, st.integers(1, 2**31 - 1), st.none() | TIMES.map(lambda time: time.isoformat()),
    ),
    st.builds(
        lambda name, platform, switch: account(name, platform=platform, free_tokens_only=switch),
        st.sampled_from(["default", "other"]), st.sampled_from(["embedded", "ark"]), st.sampled_from([None, True, False]),
    ),
)  # fmt: skip
KEYWORDS = st.sampled_from(
    ["type", "properties", "required", "pattern", "patternProperties", "additionalProperties", "$ref", "allOf", "not",
     "if", "then", "minimum", "multipleOf", "enum", "const", "items", "uniqueItems", "$defs", "unevaluatedProperties",
     "propertyNames", "dependentSchemas", "contains", "$id", "$anchor", "$schema", "format", "spec", "limit"]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from(["object", "string", "#", "#/properties/spec", "#/$defs/limit", "(a|b)*", "(", "date-time"]),
)  # fmt: skip
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4), max_leaves=15
)
CONSTRAINTS = st.builds(
    lambda schema, scope, severity: constraint("c", schema, scope=scope, severity=severity),
    st.dictionaries(KEYWORDS, JSON, max_size=4),
    st.sampled_from(["Resource", "Model"]),
    st.sampled_from(["error", "warning"]),
)
RECORDS = st.builds(
    lambda name, set_at, removed_at, renewal, attested: Record(
        target=Target("InferenceLimit", name),
        set_at=set_at,
        removed_at=removed_at,
        renewal=renewal,
        attestation=Attestation({}, "kim", attested) if attested else None,
    ),
    NAMES, st.none() | TIMES, st.none() | TIMES, st.sampled_from([None, "x", "y"]), st.none() | TIMES,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(RESOURCES, max_size=6), st.lists(CONSTRAINTS, max_size=1), st.none() | SNAPSHOTS,
    st.lists(RECORDS, max_size=2),
)  # fmt: skip
def test_no_rule_raises_on_any_declaration_and_any_snapshot(
    resources: list[Any], constraints: list[Any], seen: Snapshot | None, records: list[Record]
) -> None:
    everything = declared(*resources, *constraints)
    past = history(*records)
    for scope in rules.Scope:
        found = rules.check(context(everything, seen, past), scope)
        assert found == in_order(found)
        assert found == rules.check(context(everything, seen, past), scope)
        for one in found:
            assert one.message
            assert one.rule in rules.registry()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYWORDS, JSON, max_size=5))
def test_no_schema_makes_a_constraint_raise(schema: dict[str, Any]) -> None:
    rules.check(context(declared(limit("m-1"), constraint("c", schema)), snapshot(model("m-1"))))


def _large(count: int) -> tuple[Declared, Snapshot]:
    """`count` models and endpoints, each declared three times over, with what makes most rules speak."""
    resources: list[Any] = [
        account(platform="ark"),
        constraint("small", {"properties": {"spec": {"maxProperties": 3}}}),
    ]
    resources.append(constraint("fuse", {"properties": {"limit": {"type": "null"}}}, scope="Model"))
    for n in range(count):
        resources += [activation(f"m-{n}", requires={"rpm": 9}), limit(f"m-{n}"), override(f"ep-{n}", rpm=9)]
        resources.append(limit(f"lost-{n}", account="lost"))
    models = [model(f"m-{n}", rate_limit=(5, 5), hourly_use=((NOW, 10**6),)) for n in range(count)]
    endpoints = [endpoint(f"ep-{n}", "m-0" if n % 2 else f"m-{n}", scale_tier="st-1") for n in range(count)]
    return declared(*resources), snapshot(*models, *endpoints)


def _lines_run(rule: rules.Rule, over: rules.Context) -> int:
    """How many lines of our own code one run of a rule takes: counted, so no busy machine can upset it."""
    count = 0

    def tracer(frame: Any, event: str, argument: object) -> Any:
        nonlocal count
        if "reconciler" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return tracer

    sys.settrace(tracer)
    try:
        list(rule.check(over))
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("rule", rules.registry().values(), ids=lambda rule: rule.id)
def test_a_rule_over_four_times_as_much_takes_about_four_times_the_steps(rule: rules.Rule) -> None:
    small, large = (_lines_run(rule, context(*_large(count))) for count in (50, 200))
    assert large <= 4.4 * small + 400


def test_the_account_of_a_test_is_the_embedded_one_unless_told() -> None:
    assert context(declared()).account.spec == PlatformAccountSpec()
