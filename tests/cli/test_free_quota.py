"""A free quota of none and one that nobody knows are told apart wherever a person or a program reads of it."""

import json
from pathlib import Path

import pytest

from reconciler.console import pages
from reconciler.platforms.embedded import seed
from tests.cli.conftest import Call
from tests.console.scene import Scene

SEED = """# What the shipped catalogue says of glm-4-7 is that nobody knows its quota.
models:
  - {name: none, domain: LLM, state: Activated, freeTokens: 0}
  - {name: some, domain: LLM, state: Activated, freeTokens: 500}
  - {name: glm-4-7, state: Activated}
"""


@pytest.fixture
def seeded(call: Call, tmp_path: Path) -> Call:
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    assert call("platform", "seed", "seed.yaml").exit_code == 0
    return call


@pytest.mark.parametrize(
    ("model", "said", "cell"),
    [("none", "none", "none"), ("glm-4-7", "not known", "not known"), ("some", "500 left", "0 % of 500")],
)
def test_status_says_which_it_is(seeded: Call, model: str, said: str, cell: str) -> None:
    [line] = [line for line in seeded("status", model).stdout.splitlines() if "free quota  " in line]
    assert said in line
    [row] = [line for line in seeded("status").stdout.splitlines() if line.startswith(f"{model} ")]
    assert f"Activated  {cell} " in row


@pytest.mark.parametrize(
    ("model", "said"), [("none", "the model has none"), ("glm-4-7", "not known"), ("some", "400 of 500 left")]
)
def test_use_says_which_it_is(seeded: Call, model: str, said: str) -> None:
    assert said in seeded("platform", "use", model, "--tokens", "100").stdout


def test_json_has_a_total_of_nothing_for_none_and_a_marker_for_what_nobody_knows(seeded: Call) -> None:
    [account] = [json.loads(seeded("status", "-o", "json").stdout)]
    told = {model["name"]: model["free_tokens"] for model in account["models"]}
    assert told["none"]["total"] == 0
    assert told["some"]["total"] == 500
    assert told["glm-4-7"] == {"unobservable": True}


@pytest.mark.parametrize(("model", "said"), [("none", ">None<"), ("glm-4-7", ">Not known<"), ("some", "left")])
def test_the_console_says_which_it_is(tmp_path: Path, model: str, said: str) -> None:
    scene = Scene(tmp_path, hostile=False)
    scene.stage.engine.plant(seed.read("seed.yaml", SEED.encode()))
    scene.look()
    page = pages.model(scene.desk, pages.Reader(account="default", given={"name": model}))
    scene.stage.close()
    card = page.partition("<h2>Free quota</h2>")[2].partition("<h2>")[0]
    assert said in card
