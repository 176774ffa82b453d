"""What is generated is fresh: `make docs` would change nothing."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from reconciler.cli.root import VERBS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("deploy/**/*.md"),
    )
    if ".modelpolicy" not in path.parts
)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    return generate


def test_generated_files_are_what_the_code_says_and_no_old_one_is_left() -> None:
    generate = generator()
    written = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (
            *ROOT.glob("crds/*"), *ROOT.glob("docs/reference/*"), *ROOT.glob("deploy/kustomize/admission/*"),
            *ROOT.glob("examples/*/expected-plan.txt"), ROOT / "README.md",
            ROOT / "docs" / "platform.md",
        )
    }  # fmt: skip
    assert written == dict(generate.files()), "run `make docs`, or python docs/generate.py"


def test_the_readme_has_a_captured_plan_and_every_verb() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n$ modelpolicy plan policies\nAccount default on embedded" in readme
    assert readme.count("\n| `") == len(VERBS)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_project_leads_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    inside = [unquote(link.partition("#")[0]) for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in inside if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_every_fact_of_the_platform_that_is_named_is_written_down_with_its_source() -> None:
    page = (ROOT / "docs" / "platform.md").read_text(encoding="utf-8")
    known = set(re.findall(r'<a id="([sda]\d+)"></a>', page))
    named = {
        fact.lower()
        for path in (ROOT / "reconciler").rglob("*.py")
        for fact in re.findall(r"\b[SDA]\d{1,2}\b", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert named - known == set()
