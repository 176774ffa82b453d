"""The ark platform reads Ark's meter: what it says is use, what it does not say is unknown, and it is asked seldom."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from served import MODEL, OTHER, PRIVATE, Rig

from reconciler import guards, plan, rules
from reconciler.kinds.inference_limit import reached_at, recent_hourly_use, tokens_left
from reconciler.platforms import Platform
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.usage import SELDOM, Unread, used
from reconciler.platforms.embedded.calls import Call, UseKind
from reconciler.platforms.embedded.httpfaults import Fault, FaultKind
from reconciler.state import UNOBSERVABLE, Attestation, Target
from reconciler.usage import Reading
from tests.builders import account, declared, limit, model, question, record
from tests.rules.helpers import context, says

NOON = datetime(2026, 9, 2, 12, 0, tzinfo=UTC)
FIRST = NOON - timedelta(hours=47)
COLUMNS = ("AccountID", "Day", "Hour", "ModelName", "ModelEndpoint", "BillingStatus", "BatchType", "TotalTokens")
ROW = ["2100123456", "2026-09-02", "19", "doubao-seed-1-6", "ep-1", "normal", "", "1200"]

SAID = Attestation({"tokens": 3000}, "ada", NOON - timedelta(hours=10))


def reply(*rows: list, columns: tuple[str, ...] = COLUMNS, **more: object) -> dict:
    fields = [{"Name": name, "Type": "STRING"} for name in columns]
    return {"DataCount": len(rows), "Fields": fields, "Data": [list(row) for row in rows], **more}


def row(**cells: object) -> list:
    return [cells.get(name, cell) for name, cell in zip(COLUMNS, ROW, strict=True)]


def read(result: dict):
    return used(result, FIRST, Reading(NOON))


@pytest.mark.parametrize("hour", ["19", 19, "19:00", "19:00:00", "2026-09-02 19:00:00", "2026-09-02T19:00:00+08:00"])
def test_an_hour_is_one_of_utc_plus_8_however_it_is_written(hour: object) -> None:
    use = read(reply(row(Hour=hour)))
    assert use.by_model == {"doubao-seed-1-6": ((datetime(2026, 9, 2, 11, tzinfo=UTC), 1200),)}
    assert use.by_endpoint == {"ep-1": use.by_model["doubao-seed-1-6"]}
    assert use.account == "2100123456"


def test_columns_are_found_by_name_and_rows_of_one_hour_are_added() -> None:
    turned = [list(reversed(row())), list(reversed(row(ModelEndpoint="ep-2", TotalTokens="5")))]
    use = read(reply(*turned, columns=tuple(reversed(COLUMNS))))
    assert [tokens for _, tokens in use.by_model["doubao-seed-1-6"]] == [1205]
    assert {id_: hours[0][1] for id_, hours in use.by_endpoint.items()} == {"ep-1": 1200, "ep-2": 5}


def test_only_online_use_by_token_counts_and_the_free_quota_s_is_such() -> None:
    statuses = {
        "normal": 1, "no_need_billing": 2, "free_for_free_quota": 4, "free_for_limit_boundary": 8, "something_new": 16,
        "free_for_model_unit": 32, "free_for_viptier": 64, "free_for_coding_plan": 128,
    }  # fmt: skip
    rows = [row(BillingStatus=status, TotalTokens=str(tokens)) for status, tokens in statuses.items()]
    use = read(reply(*rows, row(BatchType="anything", TotalTokens="256")))
    assert use.by_model["doubao-seed-1-6"][0][1] == 1 + 2 + 4 + 8 + 16


def test_hours_before_the_two_days_are_left_out_and_no_rows_are_no_use() -> None:
    assert read(reply(row(Day="2026-08-31", Hour="20"))).by_model == {}
    assert read(reply(row(Day="2026-08-31", Hour="21"))).by_model != {}
    for nothing in ({"DataCount": 0}, {"DataCount": 0, "Data": None}, reply()):
        assert read(nothing).by_model == {}


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"DataCount": "1", "Fields": [], "Data": []},
        {"DataCount": True, "Fields": [], "Data": []},
        {"DataCount": 3, "Data": None},
        reply(row(), DataCount=2),
        reply(row(), DataCount=0),
        reply(row()) | {"Fields": None},
        reply(row()) | {"Fields": ["Day"]},
        *(reply(row()[:-1], columns=tuple(name for name in COLUMNS if name != left)) for left in COLUMNS[1:]),
        reply(row(), columns=(*COLUMNS[:-1], "Day")),
        reply(row()[:-1]),
        reply(row(), columns=(*COLUMNS, "More")),
        reply({"TotalTokens": "5"}),
        reply(row(TotalTokens="")),
        reply(row(TotalTokens=None)),
        reply(row(TotalTokens="-5")),
        reply(row(TotalTokens="1e3")),
        reply(row(TotalTokens="many")),
        reply(row(Hour="")),
        reply(row(Hour="24")),
        reply(row(Hour="noon")),
        reply(row(Day="")),
        reply(row(Day="2026-02-30")),
    ],
    ids=str,
)
def test_a_reply_that_leaves_something_open_is_unknown_and_never_no_use(result: dict) -> None:
    with pytest.raises((Unread, AttributeError)) as caught:
        read(result)
    assert caught.type is Unread


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each action is asked for."""
    count: Counter[str] = Counter()
    asked = Client.read

    def counted(self: Client, action: str, request: dict) -> dict:
        count[action] += 1
        return asked(self, action, request)

    monkeypatch.setattr(Client, "read", counted)
    return count


def later(rig: Rig, platform: Platform):
    """A sweep after the meter may be asked again."""
    rig.clock.offset += SELDOM
    return platform.observe(frozenset())


def test_use_is_read_with_its_age_for_models_and_endpoints_as_the_platform_itself_counts_it(rig: Rig) -> None:
    id_ = rig.endpoint("metered", OTHER)
    rig.engine.activate(OTHER)
    for call in (Call(id_, 700), Call(f"{OTHER}-250828", 50), Call(id_, 999, kind=UseKind.BATCH)):
        rig.engine.use(call)
    seen, true = later(rig, rig.connect()), rig.engine.snapshot()
    assert seen.models[OTHER].hourly_use == true.models[OTHER].hourly_use != ()
    assert seen.endpoints[id_].hourly_use == true.endpoints[id_].hourly_use != ()
    assert seen.models["glm-4-7"].hourly_use == ()
    reading = seen.models[OTHER].reading
    assert (reading.delay, reading.at >= seen.observed_at) == (timedelta(minutes=30), True)
    assert seen.use_unread == ""
    assert seen.identity.account.isdecimal()


def test_the_meter_is_asked_at_most_once_in_five_minutes_by_all_of_a_process(rig: Rig, asks: Counter[str]) -> None:
    later(rig, rig.connect())
    assert asks["GetInferenceUsage"] == 1
    for _ in range(3):
        rig.connect().observe(frozenset())
    assert asks["GetInferenceUsage"] == 1
    later(rig, rig.connect())
    assert asks["GetInferenceUsage"] == 2
    later(rig, rig.connect(project="other"))
    assert asks["GetInferenceUsage"] == 3


def test_a_meter_that_refuses_hides_use_and_nothing_else_and_is_not_asked_again_at_once(
    rig: Rig, asks: Counter[str]
) -> None:
    rig.served.faults.order(Fault(FaultKind.DENIED, "GetInferenceUsage", times=99))
    platform = rig.connect()
    seen = later(rig, platform)
    assert "grant ark:GetInferenceUsage" in seen.use_unread
    assert seen.models[MODEL].hourly_use is UNOBSERVABLE
    assert seen.models[MODEL].state is not UNOBSERVABLE
    platform.observe(frozenset())
    assert asks["GetInferenceUsage"] == 1
    assert recent_hourly_use(seen.models[MODEL], rig.clock()) == 0
    (found,) = says("use-unread", declared(account(), limit(MODEL)), seen)
    assert "grant ark:GetInferenceUsage" in found.message
    assert not says("use-unread", declared(account()), seen)
    rig.served.faults.clear()
    assert later(rig, platform).use_unread == ""


def test_reading_one_item_keeps_the_use_that_the_sweep_saw(rig: Rig) -> None:
    rig.engine.activate(OTHER)
    rig.engine.use(Call(OTHER, 5))
    platform = rig.connect()
    seen = later(rig, platform)
    assert platform.read(Target("ModelActivation", OTHER)).models[OTHER].hourly_use == seen.models[OTHER].hourly_use
    alone = rig.connect(project="never-swept").read(Target("ModelActivation", OTHER)).models[OTHER]
    assert alone.hourly_use is UNOBSERVABLE


def test_speech_is_not_metered(rig: Rig) -> None:
    seen = later(rig, rig.connect())
    speech = [name for name, each in seen.models.items() if each.domain == "Audio"]
    assert speech
    assert all(seen.models[name].hourly_use is UNOBSERVABLE for name in speech)


def test_a_limit_that_the_present_use_reaches_is_told_guarded_and_foreseen_on_ark(rig: Rig) -> None:
    name = "deepseek-v4-pro"
    rig.engine.activate(name)
    rig.engine.set_limit(name, 100_000)
    rig.engine.use(Call(name, 90_000))
    seen = later(rig, rig.connect(actions={"readLimit": PRIVATE["readLimit"]}))
    now = seen.observed_at
    rate = recent_hourly_use(seen.models[name], now)
    assert rate > 0
    everything = declared(account(), limit(name, 100_000))
    found = rules.check(replace(context(everything, seen), now=now))
    (told,) = [each for each in found if each.rule == "limit-below-use"]
    assert "and may be 30 min late" in told.hint
    assert reached_at(seen.models[name], now) is not None
    asked = question(declared(account(), limit(name, 1000)), seen, now=now)
    verdicts = {each.id: each.verdict.value for each in guards.judge(plan.make(asked), asked)}
    assert verdicts["limit-below-use"] == "refused"


def test_of_a_limit_that_cannot_be_read_what_was_used_since_somebody_set_it_is_taken_off() -> None:
    hours = tuple((NOON - timedelta(hours=back), 100) for back in range(20, 0, -1))
    live = model(limit=UNOBSERVABLE, hourly_use=hours, reading=Reading(NOON))
    everything = declared(limit(tokens=3000))
    for known, left in (
        (None, 3000),
        (record(limit(tokens=3000), attestation=SAID), 2000),
        (record(limit(tokens=3000), attestation=Attestation({"tokens": 9}, "ada", SAID.at)), 3000),
        (record(limit(tokens=3000), applied={"tokens": 3000}, set_at=SAID.at), 2000),
    ):
        assert tokens_left(everything.limits[0].spec, live, known) == left
    unread = model(limit=UNOBSERVABLE, hourly_use=UNOBSERVABLE)
    assert tokens_left(everything.limits[0].spec, unread, record(limit(tokens=3000), attestation=SAID)) is None
