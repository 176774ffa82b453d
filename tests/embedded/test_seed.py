"""A seed file is merged over the catalogue by name, and every problem in it is listed at once, with its place."""

from datetime import UTC, datetime

import pytest

from reconciler.platforms.embedded import seed
from reconciler.platforms.embedded.seed import SeedRefused
from reconciler.state import FreeTokens, Price, Rate

FULL = b"""
models:
  - name: house-chat
    domain: LLM
    taskTypes: [TextGeneration]
    versions: [251015, preview-1]
    inviteOnly: false
    deprecated: true
    billing: PayByToken
    rateLimit: {rpm: 600, tpm: 100000}
    freeTokens: 500k
    state: Activated
    subServices: [fast-infer]
    prices:
      - {item: InferencePrompt, amount: 0.80, unit: CNY/1M tokens}
      - {item: LoraFinetune, amount: unknown, unit: CNY/1M tokens}
    docsUrl: https://example.com/house-chat
    used: {online: 120000, batch: 5000}
endpoints:
  - {id: ep-1, name: search-prod, model: house-chat, modelVersion: 251015, rateLimit: {rpm: 60, tpm: 6000}}
  - {id: ep-2, model: house-chat, scaleTier: {tpm: 10000}}
  - {id: ep-3, model: house-chat, modelUnits: 2}
  - {id: ep-4, model: house-chat, batchOnly: true}
account: {freeTokensOnly: false, verified: true}
"""


def plant(small, content: bytes, name: str = "seed.yaml") -> None:
    small.engine.plant(seed.read(name, content))


def problems(small, content: bytes) -> list[str]:
    """Each problem as "line:column message"."""
    with pytest.raises(SeedRefused) as caught:
        plant(small, content)
    return [f"{found.location.line}:{found.location.column} {found.message}" for found in caught.value.findings]


def test_every_field_of_a_seed_file_is_planted(small):
    plant(small, FULL)
    model = small.seen("house-chat")
    assert (model.domain, model.task_types, model.versions) == ("LLM", ("TextGeneration",), ("251015", "preview-1"))
    assert (model.deprecated, model.billing, model.state, model.sub_services) == (
        True,
        "PayByToken",
        "Activated",
        ("fast-infer",),
    )
    assert model.rate_limit == Rate(600, 100_000)
    assert model.prices == (
        Price("InferencePrompt", "0.80", "CNY/1M tokens"),
        Price("LoraFinetune", None, "CNY/1M tokens"),
    )
    assert model.free_tokens == FreeTokens(500_000, 120_000, 380_000, datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert model.docs_url == "https://example.com/house-chat"
    one, two, three, four = (small.seen_endpoint(f"ep-{number}") for number in (1, 2, 3, 4))
    assert (one.name, one.model, one.model_version, one.override) == (
        "search-prod",
        "house-chat",
        "251015",
        Rate(60, 6000),
    )
    assert (two.name, two.scale_tier, two.override) == ("ep-2", "10000 tpm", None)
    assert (three.model_units, four.batch_only) == ("2", True)
    assert small.engine.switches().switches.ever_activated is True


def test_the_catalogue_stays_beside_what_is_seeded(small):
    before = small.engine.snapshot().models
    plant(small, FULL)
    after = small.engine.snapshot().models
    assert set(after) == {*before, "house-chat"}


def test_a_seed_changes_of_a_known_model_only_what_it_says(small):
    before = small.seen("doubao-seed-1-6")
    plant(small, b"models: [{name: doubao-seed-1-6, freeTokens: 7}]")
    after = small.seen("doubao-seed-1-6")
    assert after.free_tokens.total == 7
    assert (after.rate_limit, after.prices, after.versions) == (before.rate_limit, before.prices, before.versions)


def test_a_new_model_has_no_free_quota_unless_the_seed_gives_it_one(small):
    plant(small, b"models: [{name: house-chat, domain: LLM}]")
    assert small.seen("house-chat").free_tokens.total == 0


def test_seeding_twice_is_seeding_once(small):
    plant(small, FULL)
    once = small.engine.snapshot()
    plant(small, FULL)
    assert small.engine.snapshot() == once


def test_use_before_the_record_is_spent_by_the_same_arithmetic(small):
    plant(small, b"models: [{name: a, freeTokens: 100, state: Activated, used: {online: 150}}]")
    plant(small, b"models: [{name: b, freeTokens: 100, used: {online: 150}}]")
    assert small.seen("a").free_tokens.remaining == 0
    assert small.seen("b").free_tokens.remaining == -50
    assert small.refused("b") == "QuotaExceeded"


def test_models_seeded_while_auto_activation_is_on_are_activated_unless_by_invitation(small):
    small.engine.set_auto_activation(enabled=True)
    plant(small, b"models: [{name: a}, {name: b, inviteOnly: true}, {name: c, state: NotActivated}]")
    assert [small.seen(name).state for name in "abc"] == ["Activated", "InviteOnly", "NotActivated"]


def test_json_is_read_too(small):
    plant(small, b'{\n\t"models": [{"name": "house-chat", "freeTokens": 5}]}', "seed.json")
    assert small.seen("house-chat").free_tokens.total == 5


def test_every_problem_is_listed_at_once_with_its_place(small):
    found = problems(
        small,
        b"""models:
  - name: a
    domian: LLM
    domain: Llm
    freeTokens: -1
    rateLimit: {rpm: 0, tmp: 5}
    state: on
  - domain: LLM
  - {name: a}
endpoints:
  - {id: ep-1}
  - {id: ep-2, model: a, batchOnly: yes}
extra: 1
""",
    )
    assert [line.partition(" ")[0] for line in found] == [
        "3:5", "4:13", "5:17", "6:22", "6:25", "7:12", "8:5", "9:5", "11:5", "12:37", "13:1",
    ]  # fmt: skip
    assert found[0] == "3:5 models[].domian is not a field of a seed file"
    assert '"yes"' in found[9]


def test_a_refused_seed_changes_nothing(small):
    before = small.engine.snapshot()
    problems(small, b"models: [{name: fine}, {name: a, subServices: [context-cache]}]")
    assert small.engine.snapshot() == before


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe", b"\x00", b"models: [", b"- 1\n- 2\n", b"just text", b"models: 5", b"models: {a: 1}", b"models: [5]",
        b"models:\n\t- a", b"account: [1]", b"a: &a [*a]", b"models: [{name: [1]}]", b"models: [{name: {}}]",
        b"models: [{name: a, prices: [1]}]", b"models: [{name: a, prices: [{item: x, amount: NaN}]}]",
        b"models: [{name: a, prices: [{item: x, amount: -1}]}]", b"models: [{name: a, used: 5}]",
        b"models: [{name: a, versions: ['a,b']}]", b"models: [{name: '../a'}]", b"models: [{name: a, name: b}]",
        b"models: [{name: a, freeTokens: 99999999999999999999999}]", b"models: [{name: a, rateLimit: {rpm: 2147483648}}]",
    ],
)  # fmt: skip
def test_whatever_a_seed_file_holds_gives_problems_and_never_a_traceback(small, content):
    assert problems(small, content)


def test_an_empty_seed_file_is_fine(small):
    before = small.engine.snapshot()
    plant(small, b"")
    plant(small, b"models:\nendpoints: []\n")
    assert small.engine.snapshot() == before


def test_an_endpoint_of_an_unknown_model_is_a_problem_with_a_suggestion(small):
    with pytest.raises(SeedRefused) as caught:
        plant(small, b"endpoints:\n  - {id: ep-1, model: doubao-seed-1-66}")
    (found,) = caught.value.findings
    assert (found.location.line, found.hint) == (2, "did you mean doubao-seed-1-6?")


def test_an_endpoint_may_not_move_to_another_base_model(small):
    small.model("chat")
    small.model("other")
    small.endpoint("ep-1")
    assert "may not change" in problems(small, b"endpoints: [{id: ep-1, model: other}]")[0]


@pytest.mark.parametrize(
    "content",
    [
        b"models: [{name: chat, state: NotActivated}]",
        b"models: [{name: chat, subServices: [context-cache]}]",
        b"models: [{name: chat, domain: Audio}]",
        b"models: [{name: chat, billing: ModelUnit}]",
        b"endpoints: [{id: ep-1, model: chat, scaleTier: {tpm: 5}}]",
        b"endpoints: [{id: ep-1, model: chat, modelUnits: 5}]",
    ],
)
def test_a_seed_cannot_bring_about_what_a_live_limit_excludes(small, content):
    small.activated("chat")
    small.engine.set_limit("chat", 1000)
    assert "limit" in problems(small, content)[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"account: {freeTokensOnly: true, freeTokensOnlyEnded: true}", "switched off before"),
        (
            b"models: [{name: a, state: Activated, subServices: [context-cache]}]\naccount: {freeTokensOnly: true}",
            "cache",
        ),
        (
            b"models: [{name: a}]\nendpoints: [{id: e, model: a, modelUnits: 1}]\naccount: {freeTokensOnly: true}",
            "model units",
        ),
    ],
)
def test_a_seed_cannot_switch_free_tokens_only_on_beside_what_excludes_it(small, content, why):
    (found,) = problems(small, content)
    assert "freeTokensOnly is on, which cannot be" in found
    assert why in found


def test_a_seed_may_have_models_that_were_activated_while_free_tokens_only_was_on(small):
    plant(small, b"models: [{name: a, state: Activated}]\naccount: {freeTokensOnly: true}")
    assert small.engine.switches().switches.free_tokens_only is True
    assert small.seen("a").state == "Activated"
