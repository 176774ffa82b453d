"""`modelpolicy platform`: seed the embedded platform, spend on it, and read what was charged."""

import json
from pathlib import Path

import pytest

SEED = """\
models:
  - {name: chat, domain: LLM, freeTokens: 5000, rateLimit: {rpm: 5, tpm: 9000}}
endpoints:
  - {id: ep-1, name: search, model: chat}
"""


@pytest.fixture
def seeded(call):
    Path("seed.yaml").write_text(SEED, "utf-8")
    assert call("platform", "seed", "seed.yaml").exit_code == 0
    return call


def test_seeding_says_what_went_where(call):
    Path("seed.yaml").write_text(SEED, "utf-8")
    result = call("platform", "seed", "seed.yaml")
    assert result.stdout == ".modelpolicy/platform.db: seeded with 1 model and 1 endpoint\n"
    assert Path(".modelpolicy/platform.db").exists()


def test_a_seed_is_read_from_standard_input_too(call):
    result = call("platform", "seed", "-", "--db", "other.db", "-o", "json", stdin=SEED)
    assert json.loads(result.stdout) == {"format_version": "1.0", "database": "other.db", "models": 1, "endpoints": 1}


def test_a_bad_seed_lists_its_problems_with_their_lines_and_creates_nothing(call):
    Path("seed.yaml").write_text("models:\n  - {nme: chat}\n", "utf-8")
    result = call("platform", "seed", "seed.yaml")
    assert result.exit_code == 3
    assert "seed.yaml:2:6" in result.stdout
    assert "did you mean name?" in result.stdout
    assert not Path(".modelpolicy").exists()


def test_a_bad_seed_is_json_under_json(call):
    Path("seed.yaml").write_text("endpoints: [{id: ep-1, model: no-such-model}]", "utf-8")
    result = call("platform", "seed", "seed.yaml", "-o", "json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["findings"][0]["rule"] == "seed-file"


def test_use_prints_what_was_charged_to_free_quota_limit_and_bill(seeded):
    result = seeded("platform", "use", "search", "--tokens", "4000", "--requests", "2")
    assert result.exit_code == 0
    assert result.stdout == (
        "chat through ep-1: 2 online requests, 4,000 tokens\n"
        "  free quota  4,000  1,000 of 5,000 left\n"
        "  limit           0  no limit is set\n"
        "  bill            0\n"
    )


def test_use_says_when_the_next_call_will_be_refused(seeded):
    result = seeded("platform", "use", "chat", "--tokens", "6000")
    assert "unbilled    1,000" in result.stdout
    assert "The next online call is refused: the free tokens are used up" in result.stdout


def test_a_refused_use_exits_1_with_arks_code(seeded):
    seeded("platform", "use", "chat", "--tokens", "5000")
    result = seeded("platform", "use", "chat", "--tokens", "1")
    assert result.exit_code == 1
    assert result.stdout.startswith("refused: QuotaExceeded (HTTP 429)\n")
    assert result.stdout.endswith("consumed   nothing\n")


def test_a_refused_use_is_one_json_document_under_json(seeded):
    result = seeded("platform", "use", "chat", "--tokens", "1", "--kind", "batch", "-o", "json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert (said["http_status"], said["errors"][0]["code"]) == (404, "ModelNotOpen")


def test_time_passes_by_the_clock_offset(seeded):
    """A minute's rate is free again one minute later."""
    arguments = ("platform", "use", "chat", "--tokens", "1", "--requests", "5")
    assert seeded(*arguments, env={"MODELPOLICY_CLOCK_OFFSET": "3600"}).exit_code == 0
    assert seeded(*arguments, env={"MODELPOLICY_CLOCK_OFFSET": "3720"}).exit_code == 0


def test_the_default_database_is_the_accounts(call):
    account = "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: %s}\nspec: {embedded: {path: %s.db}}\n"
    Path("accounts.yaml").write_text("---\n".join(account % (name, name) for name in ("dev", "prod")), "utf-8")
    assert call("platform", "use", "x", "--tokens", "1", "--account", "dev").exit_code == 1
    assert Path("dev.db").exists()
    assert not Path("prod.db").exists()
    both = call("platform", "use", "x", "--tokens", "1")
    assert both.exit_code == 64
    assert "--account" in both.stderr


def test_an_account_elsewhere_has_no_embedded_platform(call):
    Path("a.yaml").write_text(
        "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: default}\nspec: {platform: ark}\n",
        "utf-8",
    )
    result = call("platform", "use", "x", "--tokens", "1")
    assert result.exit_code == 64
    assert "no embedded platform" in result.stderr


def test_a_broken_account_is_not_guessed_around(call):
    Path("a.yaml").write_text(
        "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: default}\nspec: {embeded: 1}\n",
        "utf-8",
    )
    result = call("platform", "use", "x", "--tokens", "1")
    assert result.exit_code == 3
    assert "a.yaml:1" in result.stderr


def test_a_file_that_is_not_ours_is_one_line_and_exit_1(call):
    Path("x.db").write_text("no database\n" * 100, "utf-8")
    result = call("platform", "use", "chat", "--tokens", "1", "--db", "x.db")
    assert result.exit_code == 1
    assert "not a readable database" in result.stderr
    assert "Traceback" not in result.stderr
