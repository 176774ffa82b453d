"""The shipped catalogue: every figure has a source with a date, and what nobody knows is said to be unknown."""

import re

import pytest

from reconciler.platforms.embedded import catalog
from reconciler.platforms.embedded.fields import DOMAINS
from reconciler.state import UNOBSERVABLE

DOCUMENT = catalog.document()
MODELS = {model["name"]: model for model in DOCUMENT["models"]}


def figures(model):
    yield from (model[name] for name in ("rpm", "tpm", "freeTokens", "docs"))
    yield from (price["amount"] for price in model["prices"])


def test_every_model_of_the_fact_sheet_is_there_once():
    assert len(MODELS) == len(DOCUMENT["models"]) == 39
    assert {"doubao-seed-2-1-pro", "doubao-seed-1-6", "glm-5-2", "kimi-k2", "doubao-seed-asr-2-0"} <= set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_figure_is_unknown_or_has_a_source(name):
    for figure in figures(MODELS[name]):
        assert figure == "unknown" or (set(figure) == {"value", "source"} and figure["source"] in DOCUMENT["sources"])
        assert figure == "unknown" or figure["value"] is not None


def test_every_source_has_a_title_and_a_date():
    for source in DOCUMENT["sources"].values():
        assert source["title"]
        assert re.fullmatch(r"202[56]-\d\d(-\d\d)?", str(source["date"]))


def test_every_source_is_used():
    used = {figure["source"] for model in MODELS.values() for figure in figures(model) if figure != "unknown"}
    assert used == set(DOCUMENT["sources"])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_a_known_domain_and_says_what_it_is_for(name):
    assert MODELS[name]["domain"] in DOMAINS
    assert MODELS[name]["taskTypes"]
    assert all(isinstance(version, str) for version in MODELS[name]["versions"])
    assert MODELS[name]["prices"]


def test_no_two_models_share_a_page_and_who_has_none_says_so(small):
    """One page for all of them, as there once was, tells nobody how to call his model."""
    pages = [model["docs"]["value"] for model in MODELS.values() if model["docs"] != "unknown"]
    assert len(pages) == len(set(pages)) > 30
    assert all(page.startswith("https://") for page in pages)
    assert small.seen("doubao-seed-1-6").docs_url.endswith("/docs/82379/1593702")
    assert small.seen("doubao-seed-2-0-pro").docs_url.endswith("model/detail?Id=doubao-seed-2-0-pro")
    assert small.seen("doubao-seed-character").docs_url == ""


def test_what_is_unknown_is_absent_in_the_account(small):
    model = small.seen("doubao-embedding-large-text")
    assert (model.rate_limit, model.free_tokens, model.prices[0].amount) == (None, UNOBSERVABLE, None)


def test_a_free_quota_of_none_is_nothing_and_not_unknown(small):
    assert small.seen("doubao-seed-2-0-lite").free_tokens.total == 0


def test_the_figures_of_the_fact_sheet_are_kept_exactly(small):
    model = small.seen("doubao-seed-2-1-turbo")
    assert (model.rate_limit.rpm, model.rate_limit.tpm, model.free_tokens.total) == (500, 1_000_000, 500_000)
    assert [(price.item, price.amount) for price in model.prices[:2]] == [
        ("InferencePrompt", "3.00"),
        ("InferenceCompletion", "15.00"),
    ]
