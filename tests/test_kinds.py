"""The kinds' own checks: what a spec may hold, and how it maps onto an item."""

import pytest
from pydantic import ValidationError

from reconciler.kinds import registry
from reconciler.kinds.inference_limit import InferenceLimitSpec


@pytest.mark.parametrize(
    ("written", "tokens"), [(1, 1), ("500k", 500_000), ("2M", 2_000_000), ("1.5G", 1_500_000_000), ("0.5k", 500)]
)
def test_tokens_are_an_integer_or_a_decimal_quantity(written: object, tokens: int) -> None:
    assert InferenceLimitSpec.model_validate({"model": "m", "tokens": written}).tokens == tokens


@pytest.mark.parametrize("written", [0, -1, True, 1.5, "0k", "2000000", "1m", "1.0001k", "", "unlimited", None, 2**53])
def test_what_is_not_a_whole_number_of_tokens_from_one_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        InferenceLimitSpec.model_validate({"model": "m", "tokens": written})


def test_every_kind_is_found_by_being_in_its_folder() -> None:
    assert list(registry()) == [
        "EndpointRateOverride",
        "InferenceLimit",
        "ModelActivation",
        "PlatformAccount",
        "PolicyConstraint",
    ]
