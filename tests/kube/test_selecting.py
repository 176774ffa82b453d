"""Label selectors as kubectl takes them."""

import pytest

from reconciler.sources.kube.selecting import by_labels


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("", {}, True),
        ("team=chat", {"team": "chat"}, True),
        ("team==chat", {"team": "search"}, False),
        ("team!=chat", {}, True),
        ("team", {"team": ""}, True),
        ("!team", {"team": "x"}, False),
        ("team=chat, shard=1", {"team": "chat", "shard": "1"}, True),
        ("team=chat,shard=1", {"team": "chat"}, False),
    ],
)
def test_a_selector_matches_as_it_says(selector: str, labels: dict[str, str], matches: bool) -> None:
    assert by_labels(selector)(labels) is matches


@pytest.mark.parametrize("selector", ["team in (a)", "!team=a", "=", "a=b,,c"])
def test_a_selector_that_is_not_understood_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="no term of a label selector"):
        by_labels(selector)
