"""The meter as Ark publishes it: columns, groups, filters, bounds and billing statuses."""

from datetime import UTC, datetime

import pytest

from reconciler.platforms.embedded import usage
from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.wire import WireError


def asked(small, *filters: dict, interval: str = "Hour", **more: object) -> list[dict[str, str]]:
    """The rows as the clock's own day has them, by column."""
    body = {
        "StartTime": "2026-11-22",
        "EndTime": "2026-11-24",
        "QueryInterval": interval,
        "Filters": list(filters),
        **more,
    }
    with small.engine.store.read() as tx:
        told = usage.answer(tx, usage.query(body))
    assert told["DataCount"] == len(told["Data"])
    names = [each["Name"] for each in told["Fields"]]
    assert all(isinstance(cell, str) for row in told["Data"] for cell in row)
    return [dict(zip(names, row, strict=True)) for row in told["Data"]]


def by(key: str, *values: str, **more: str) -> dict:
    return {"Key": key, "Values": list(values), **more}


def test_without_filters_an_hour_is_summed_up_under_the_published_columns(small):
    small.activated()
    small.engine.use(Call("chat", 100, requests=2, output=30))
    (row,) = asked(small)
    assert list(row) == ["AccountID", "Day", "Hour", "InputTokens", "OutputTokens", "TotalTokens", "ReqCnt"]
    assert row["AccountID"].isdecimal()
    assert list(row.values())[1:] == ["2026-11-23", f"{small.clock.now.hour + 8:02d}", "70", "30", "100", "2"]


def test_days_and_hours_are_those_of_utc_plus_8_and_a_day_has_no_hour(small):
    small.activated()
    small.clock.now = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    small.use(tokens=1)
    small.clock.now = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    small.use(tokens=2)
    assert [(row["Day"], row["Hour"], row["TotalTokens"]) for row in asked(small)] == [
        ("2026-11-23", "23", "1"), ("2026-11-24", "00", "2"),
    ]  # fmt: skip
    days = asked(small, interval="Day", StartTime="2026-11-24", EndTime="2026-11-24")
    assert [(row["Day"], row["Hour"], row["TotalTokens"]) for row in days] == [("2026-11-24", "", "2")]


def test_a_key_without_values_groups_and_one_with_values_keeps_only_those(small):
    small.activated("chat")
    small.activated("other")
    small.endpoint("ep-1", name="search")
    for target, tokens in (("ep-1", 1), ("chat", 2), ("other", 4)):
        small.use(target, tokens)
    grouped = asked(small, by("ModelName"), by("ModelEndpoint"))
    assert {(row["ModelName"], row["ModelEndpoint"][:5]): row["TotalTokens"] for row in grouped} == {
        ("chat", "ep-1"): "1", ("chat", "ep-m-"): "2", ("other", "ep-m-"): "4",
    }  # fmt: skip
    assert [row["TotalTokens"] for row in asked(small, by("ModelName", "other"))] == ["4"]
    assert [row["TotalTokens"] for row in asked(small, by("EndpointName", ValueLike="sea"))] == ["1"]
    assert [row["TotalTokens"] for row in asked(small, by("ModelName"), by("EndpointName", "search"))] == ["1"]
    assert asked(small, by("ModelName", "nope")) == []
    assert [row["TotalTokens"] for row in asked(small, ProjectName="elsewhere")] == []


def test_how_a_use_is_billed_is_told_as_ark_tells_it(small):
    small.model(free_total=100)
    small.use(tokens=60)  # not activated yet
    small.engine.activate("chat")
    small.use(tokens=50)  # what is left of the free quota, and what is not
    small.use(tokens=5, kind="batch")
    small.endpoint("ep-tpm", scale_tpm=7)
    small.endpoint("ep-unit", model_units=1)
    small.use("ep-tpm", 10)
    small.use("ep-unit", 3)
    small.use(tokens=9, kind="plugin")
    rows = asked(small, by("BillingStatus"), by("BatchType"), by("ModelUnitID"))
    assert {(row["BillingStatus"], row["BatchType"], row["ModelUnitID"]): int(row["TotalTokens"]) for row in rows} == {
        ("no_need_billing", "", ""): 60,
        ("free_for_free_quota", "", ""): 40,
        ("normal", "", ""): 10 + 3,
        ("normal", "Batch", ""): 5,
        ("free_for_viptier", "", ""): 7,
        ("free_for_model_unit", "", "mu-1"): 3,
    }


def test_a_call_that_several_purses_paid_for_is_one_request(small):
    small.activated(free_total=10)
    small.use(tokens=30, requests=4)
    rows = asked(small, by("BillingStatus"))
    assert sorted((row["BillingStatus"], row["TotalTokens"], row["ReqCnt"]) for row in rows) == [
        ("free_for_free_quota", "10", "0"), ("normal", "20", "4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"StartTime": None}, "MissingParameter"),
        ({"StartTime": "2026-1-1"}, "InvalidParameter.StartTime"),
        ({"EndTime": "20261123"}, "InvalidParameter.EndTime"),
        ({"EndTime": "2026-11-21"}, "InvalidParameter.EndTime"),
        ({"EndTime": "2026-12-24"}, "InvalidParameter.EndTime"),
        ({"QueryInterval": None}, "MissingParameter"),
        ({"QueryInterval": "Week"}, "InvalidParameter.QueryInterval"),
        ({"ShowWindowDetail": True}, "InvalidParameter.ShowWindowDetail"),
        ({"Filters": {}}, ""),
        ({"Filters": {"Key": "ModelName"}}, "InvalidParameter.Filters"),
        ({"Filters": [{"Key": "Colour"}]}, "InvalidParameter.Filters"),
        ({"Filters": [{"Values": []}]}, "MissingParameter"),
        ({"Filters": [by("ModelName"), by("ModelName")]}, "InvalidParameter.Filters"),
        ({"Filters": [by("ModelName", "a", ValueLike="b")]}, "InvalidParameter.Filters"),
        ({"EndTime": "2026-12-23"}, ""),
    ],
)
def test_a_request_beyond_what_is_published_is_refused(body, code):
    whole = {"StartTime": "2026-11-22", "EndTime": "2026-11-24", "QueryInterval": "Day", **body}
    sent = {key: value for key, value in whole.items() if value is not None}
    if code:
        with pytest.raises(WireError) as caught:
            usage.query(sent)
        assert caught.value.code == code
    else:
        usage.query(sent)
