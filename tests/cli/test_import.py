"""`import` writes what is live as files, and files that are there keep what people wrote in them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler import writer
from reconciler.cli.endings import run
from reconciler.cli.exits import Exit
from reconciler.cli.root import ROOT
from reconciler.platforms.embedded.contents import Contents, ModelEntry, put
from reconciler.platforms.embedded.engine import open_engine

SEED = {
    "models": [
        {"name": "doubao-seed-1-6", "state": "Activated", "rateLimit": {"rpm": 100, "tpm": 1000}},
        {"name": "kimi-k2", "state": "Activated"},
    ],
    "endpoints": [
        {"id": "ep-1", "name": "search-prod", "model": "doubao-seed-1-6", "rateLimit": {"rpm": 10, "tpm": 100}}
    ],
}


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seed.json").write_text(json.dumps(SEED))
    assert run(ROOT, ["platform", "seed", "seed.json"]) == Exit.OK
    (tmp_path / "seed.json").unlink()
    capsys.readouterr()
    return tmp_path


def test_import_writes_one_file_a_model_that_validates(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    assert sorted(file.name for file in (seeded / "policies").iterdir()) == ["doubao-seed-1-6.yaml", "kimi-k2.yaml"]
    assert "kind: EndpointRateOverride" in (seeded / "policies/doubao-seed-1-6.yaml").read_text()
    assert run(ROOT, ["validate", "policies"]) == Exit.OK
    capsys.readouterr()
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    assert "nothing to write" in capsys.readouterr().err


def test_import_adopts_into_a_file_and_keeps_its_comments(seeded: Path) -> None:
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    file = seeded / "policies/doubao-seed-1-6.yaml"
    file.write_text("# ours\n" + file.read_text().replace("rpm: 10\n", "rpm: 7  # slow\n"))
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    assert file.read_text().startswith("# ours\n")
    assert "rpm: 10  # slow\n" in file.read_text()


def test_without_out_import_prints_and_writes_nothing(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(seeded.rglob("*.yaml"))
    assert run(ROOT, ["import"]) == Exit.OK
    assert capsys.readouterr().out.count("kind: ModelActivation") == 2
    assert sorted(seeded.rglob("*.yaml")) == before


def test_import_writes_nothing_into_declarations_that_do_not_load(seeded: Path) -> None:
    (seeded / "policies").mkdir()
    broken = seeded / "policies/a.yaml"
    broken.write_text("apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit\nmetadata: {name: a}\nspec: {}\n")
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.INVALID
    assert [file.name for file in (seeded / "policies").iterdir()] == ["a.yaml"]


def test_no_name_on_the_platform_leads_out_of_the_folder(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_engine(seeded / ".modelpolicy/platform.db", lambda: datetime.now(UTC))
    names = ("../../evil", "/etc/evil", "..", ".hidden", "a/b", "con\x00trol", "-rf")
    entries = tuple(ModelEntry(name=name, columns={"domain": "LLM", "activated": 1}) for name in names)
    with engine.store.write() as tx:
        put(tx, Contents(models=entries, endpoints=(), account={}), engine.now())
    engine.close()
    before = {path for path in seeded.parent.rglob("*") if "policies" not in path.parts}
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    assert {path for path in seeded.parent.rglob("*") if "policies" not in path.parts} == before
    assert {path.name for path in (seeded / "policies").rglob("*")} == {"doubao-seed-1-6.yaml", "kimi-k2.yaml"}
    said = capsys.readouterr().err
    assert said.count("has a name that cannot be declared") == len(names)
    assert "\x00" not in said


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_import_keeps_line_ends_and_the_byte_order_mark(seeded: Path, mark: str, end: str) -> None:
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    file = seeded / "policies/doubao-seed-1-6.yaml"
    ours = file.read_text().split("---\n")
    wanted = (mark + file.read_text().replace("\n", end)).encode()
    edited = file.read_text().replace("rpm: 10\n", "rpm: 7\n")
    for before in (edited, "---\n".join(ours[:1])):  # a value changed, a document added
        file.write_bytes((mark + before.replace("\n", end)).encode())
        assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
        assert file.read_bytes() == wanted


def test_import_keeps_each_line_end_of_a_file_that_mixes_them(seeded: Path) -> None:
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    file = seeded / "policies/doubao-seed-1-6.yaml"
    lines = file.read_bytes().splitlines()
    mixed = [line + (b"\r\n" if number % 3 else b"\n") for number, line in enumerate(lines)]
    file.write_bytes(b"".join(mixed).replace(b"rpm: 10", b"rpm: 7"))
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    changed = next(number for number, line in enumerate(mixed) if b"rpm: 10" in line)
    written = file.read_bytes().splitlines(keepends=True)
    assert [*written[:changed], *written[changed + 1 :]] == [*mixed[:changed], *mixed[changed + 1 :]]
    assert written[changed].rstrip() == b"  rpm: 10"


def test_import_leaves_a_file_that_was_saved_meanwhile_and_exits_5(
    seeded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.OK
    file, real = seeded / "policies/doubao-seed-1-6.yaml", writer.replace
    file.write_text(file.read_text().replace("rpm: 10\n", "rpm: 7\n"))
    (seeded / "policies/kimi-k2.yaml").unlink()

    def replace(given: str, expected: bytes, content: bytes) -> None:
        file.write_text(f"{file.read_text()}# saved meanwhile\n")
        real(given, expected, content)

    monkeypatch.setattr(writer, "replace", replace)
    capsys.readouterr()
    assert run(ROOT, ["import", "--out", "policies"]) == Exit.STALE
    said = capsys.readouterr().err
    assert (
        "doubao-seed-1-6.yaml was changed by somebody else meanwhile; it was not touched, so run import again" in said
    )
    assert "wrote policies/kimi-k2.yaml" in said, "the others are written"
    assert file.read_text().endswith("# saved meanwhile\n")
    assert "rpm: 7\n" in file.read_text()


def test_import_never_overwrites_a_file_that_it_did_not_read(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (seeded / "real").mkdir()
    (seeded / "real/kimi-k2.yaml").symlink_to(seeded / "nowhere")
    assert run(ROOT, ["import", "--out", "real"]) in (Exit.INVALID, Exit.STALE)
    assert not (seeded / "nowhere").exists()
