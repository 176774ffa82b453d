"""Every value that a kind accepts goes through every verb and every output: no traceback, and only exit codes that are documented."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import extremes
import pytest
from click.testing import CliRunner, Result
from starlette.testclient import TestClient

from reconciler import load
from reconciler.cli.exits import Exit
from reconciler.cli.root import ROOT
from reconciler.cli.showing import desk
from reconciler.console.application import application
from reconciler.console.gate import Gate
from reconciler.console.pages import PAGES
from reconciler.kinds import registry
from reconciler.ledger import open_ledger
from reconciler.platforms import Connection
from reconciler.reconcile import Asked, connect_reader, look
from tests.cli.conftest import embedded

POLICIES = tuple(kind for kind in registry() if kind != "PlatformAccount")
READS = (
    *(("validate", "P", "-o", form) for form in ("text", "json", "github", "sarif", "junit")),
    ("validate", "P", "--online"),
    *(("plan", "P", "-o", form) for form in ("text", "json", "markdown", "html")),
    ("plan", "P", "--prune", "--detailed-exitcode"),
    *((verb, "P", "-o", form) for verb in ("status", "drift") for form in ("text", "json")),
    *(("history", "-o", form) for form in ("text", "json")),
    ("import",),
    ("fmt", "P", "--check"),
    ("watch", "P", "--once", "--mode", "report"),
)

DOCUMENTED = {Exit.OK, Exit.UNEXPECTED, Exit.CHANGES, Exit.INVALID, Exit.REFUSED, Exit.PARTIAL}


@dataclass
class Set:
    """A folder of documents, and a platform that has what they speak of."""

    home: Path
    files: dict[str, dict[str, Any]]

    def write(self, folder: str, names: Any) -> None:
        place = self.home / folder
        place.mkdir()
        for name in names:
            (place / name).write_text(json.dumps(self.files[name], ensure_ascii=False), encoding="utf-8")

    def call(self, *words: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.home)
            patch.setenv("MODELPOLICY_DEBUG", "1")
            return CliRunner().invoke(ROOT, list(words))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Set:
    """All documents in `all`, and in `good` those that nothing is said against, so that they are really carried out."""
    files: dict[str, dict[str, Any]] = {}
    for kind in POLICIES:
        for document in extremes.documents(kind, start=len(files)):
            files[f"{len(files):04}.json"] = document
    made = Set(tmp_path_factory.mktemp("extremes"), files)
    made.write("all", files)
    (made.home / "seed.json").write_text(json.dumps(_seed(files.values())))
    assert made.call("platform", "seed", "seed.json").exit_code == Exit.OK
    told = json.loads(made.call("validate", "all", "--online", "-o", "json").stdout)
    bad = {found["location"]["file"].removeprefix("all/") for found in told["findings"] if found["severity"] == "error"}
    made.write("good", set(files) - bad)
    return made


def _seed(documents: Any) -> dict[str, Any]:
    """A platform with each model and endpoint that the documents name."""
    models: dict[str, dict[str, Any]] = {"home": {"name": "home", "state": "Activated"}}
    endpoints: dict[str, dict[str, Any]] = {}
    for number, document in enumerate(documents):
        spec = document["spec"]
        if "model" in spec:
            models[spec["model"]] = {"name": spec["model"]}
        if "endpoint" in spec:
            id_ = spec["endpoint"].get("id") or f"ep-named-{number}"
            endpoints[id_] = {"id": id_, "name": spec["endpoint"].get("name") or id_, "model": "home"}
    return {"models": [*models.values()], "endpoints": [*endpoints.values()]}


def unexpected(said: Result) -> str:
    """What a bug leaves behind."""
    raised = said.exception if not isinstance(said.exception, SystemExit) else None
    if raised is not None or any(word in said.output for word in ("Traceback", "unexpected ", "could not be judged")):
        return f"{raised!r} {said.output[-3000:]}"
    return ""


def well_formed(words: tuple[str, ...], said: Result) -> None:
    if words[0] != "watch" and {"json", "sarif"} & {*words}:
        json.loads(said.stdout)
    if "junit" in words:
        ET.fromstring(said.stdout)


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_no_accepted_value_upsets_a_verb_that_reads(made: Set, words: tuple[str, ...]) -> None:
    said = made.call(*("all" if word == "P" else word for word in words))
    assert not unexpected(said)
    assert said.exit_code in DOCUMENTED
    well_formed(words, said)


def test_every_accepted_value_is_carried_out_told_and_read_again(made: Set) -> None:
    assert len(list((made.home / "good").iterdir())) > len(made.files) / 3
    for words, codes in (
        (("plan", "good", "--out", "the.plan"), {Exit.OK}),
        (("show", "the.plan", "-o", "html"), {Exit.OK}),
        (("show", "the.plan", "-o", "json"), {Exit.OK}),
        (("apply", "--plan", "the.plan", "--yes", "-o", "json"), {Exit.OK}),
        (("apply", "good", "--yes"), {Exit.OK}),
        *((("plan", "good", "-o", form), {Exit.OK}) for form in ("text", "json", "markdown", "html")),
        *((("status", "good", "-o", form), {Exit.OK}) for form in ("text", "json")),
        *((("drift", "good", "-o", form), {Exit.CHANGES}) for form in ("text", "json")),  # what is only observed
        (("watch", "good", "--once"), {Exit.OK}),
        (("watch", "good", "--once", "--log-format", "json"), {Exit.OK}),
        (("import", "good", "--out", "imported"), {Exit.OK}),
        (("watch", "all", "--once"), {Exit.INVALID}),
        (("apply", "all", "--yes", "--keep-going", "-o", "json"), {Exit.INVALID}),
        (("history", "-o", "json"), {Exit.OK}),
    ):  # fmt: skip
        said = made.call(*words)
        assert not unexpected(said), words
        assert said.exit_code in codes, (words, said.output[-2000:])
        well_formed(words, said)


def test_the_console_shows_every_accepted_value(made: Set) -> None:
    texts = [load.SourceText(name, json.dumps(each).encode()) for name, each in made.files.items()]
    loaded = load.load(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.home)
        embedded(made.home)
        ledger = open_ledger(".modelpolicy/ledger.db")
        shown = desk(ledger)
        asked = Asked(account="default", everything=loaded.declared, load_findings=loaded.findings)
        reader = connect_reader(asked.resource, Connection(shown.clock, create=False))
        report = look(asked, reader, ledger.history("default"), {}, shown.clock())
        shown.publish(report)
        with TestClient(application(shown, Gate()), base_url="http://127.0.0.1:8901") as client:
            for page in PAGES:
                path = page.replace("{account:path}", "default")
                for language in ("en", "zh"):
                    assert client.get(path, headers={"accept-language": language}).status_code in (200, 404), path
            assert report.snapshot is not None
            for name in list(report.snapshot.models)[:40]:
                assert client.get(f"/model/default?name={quote(name)}").status_code in (200, 404)
        reader.close()
        ledger.close()


def test_no_accepted_account_upsets_a_verb(tmp_path: Path) -> None:
    """Every twentieth, since each account is a pass of its own; on the embedded platform, so that nothing is asked outside."""
    some = [*extremes.documents("PlatformAccount")][::20]
    here = Set(tmp_path, {f"{number}.json": document for number, document in enumerate(some)})
    here.write("policies", here.files)
    for words in (*READS, ("apply", "P", "--yes"), ("watch", "P", "--once"), ("status", "P", "-o", "json")):
        said = here.call(*("policies" if word == "P" else word for word in words))
        assert not unexpected(said), words
        assert said.exit_code in DOCUMENTED, words


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_utc_does_not_have_is_refused_at_its_line(tmp_path: Path, end: str) -> None:
    document = extremes.base("EndpointRateOverride", 0)
    document["spec"]["expiresAt"] = end
    said = _alone(tmp_path, document).call("validate", "policies")
    assert said.exit_code == Exit.INVALID
    assert "in UTC it is before the year 1 or after the year 9999" in " ".join(said.stdout.split())


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"])
def test_the_last_and_the_first_time_that_there_is_are_told_where_nothing_ends_sooner(tmp_path: Path, end: str) -> None:
    document = extremes.base("EndpointRateOverride", 0)
    document["spec"]["expiresAt"] = end
    here = _alone(tmp_path, document)
    for words in (
        ("apply", "policies", "--yes"),
        ("status", "policies"),
        ("drift", "policies"),
        ("watch", "policies", "--once"),
    ):
        said = here.call(*words)
        assert not unexpected(said), words
        assert said.exit_code == Exit.OK, (words, said.output)


def _alone(home: Path, document: dict[str, Any]) -> Set:
    made = Set(home, {"one.json": document})
    made.write("policies", made.files)
    (home / "seed.json").write_text(json.dumps(_seed([document])))
    assert made.call("platform", "seed", "seed.json").exit_code == Exit.OK
    return made
