"""Private actions are configuration: what they say is checked before anything is sent."""

import pytest
from pydantic import ValidationError

from reconciler.kinds.platform_account import ACTION_SHAPES, Actions, PlatformAccountSpec


def account(**actions: object) -> PlatformAccountSpec:
    return PlatformAccountSpec.model_validate({"platform": "ark", "ark": {"actions": actions}})


def test_an_action_may_nest_its_placeholders_in_objects_and_lists() -> None:
    request = {"Limits": [{"Model": "{model}", "Tokens": "{tokens}", "Why": "set to {tokens} by {project}"}]}
    made = account(setLimit={"action": "AnyName", "request": request})
    assert made.ark.actions.set_limit is not None
    assert made.ark.actions.set_limit.request == request


def test_an_unknown_operation_a_stray_placeholder_and_a_half_mapped_reply_are_refused() -> None:
    for bad, said in (
        ({"setLimits": {"action": "A"}}, "setLimits"),
        ({"setLimit": {"action": "A", "request": {"X": ["{endpoint}"]}}}, "{endpoint}"),
        ({"readLimit": {"action": "A", "response": {"items": "L"}}}, "needs model, tokens"),
        ({"readFreeTokensOnly": {"action": "A", "response": {"enabled": "On", "since": "T"}}}, "no field since"),
        ({"setLimit": {"action": "not a name"}}, "action"),
    ):
        with pytest.raises(ValidationError, match=said.replace("{", r"\{")):
            account(**bad)


def test_every_operation_has_its_placeholders_written_down() -> None:
    assert set(ACTION_SHAPES) == set(Actions.model_fields)
