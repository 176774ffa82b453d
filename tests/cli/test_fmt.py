"""`fmt`: files in order, or named; nothing else is touched."""

from pathlib import Path

from tests.cli.conftest import Call

MIXED = "kind: InferenceLimit # k\napiVersion: modelpolicy.dev/v1alpha1\n"
ORDERED = "apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit # k\n"


def test_fmt_puts_files_in_order_names_them_and_keeps_mode_and_links(call: Call, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.yaml").write_text(MIXED)
    (tmp_path / "real" / "a.yaml").chmod(0o640)
    (tmp_path / "b.yaml").write_text(ORDERED)
    (tmp_path / "c.yaml").symlink_to("real/a.yaml")
    result = call("fmt")
    assert (result.exit_code, result.stdout) == (0, "real/a.yaml\n")
    assert (tmp_path / "c.yaml").read_text() == ORDERED
    assert (tmp_path / "c.yaml").is_symlink()
    assert (tmp_path / "real" / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["a.yaml"]
    assert call("fmt").stdout == ""


def test_fmt_check_writes_nothing_and_exits_2_where_something_would_change(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MIXED)
    result = call("fmt", "--check")
    assert (result.exit_code, result.stdout) == (2, "a.yaml\n")
    assert (tmp_path / "a.yaml").read_text() == MIXED
    (tmp_path / "a.yaml").write_text(ORDERED)
    assert call("fmt", "--check").exit_code == 0


def test_fmt_leaves_a_broken_file_alone_and_exits_3(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: [")
    (tmp_path / "b.json").write_text('{"kind": "InferenceLimit", "apiVersion": "modelpolicy.dev/v1alpha1"}')
    result = call("fmt", "a.yaml", "b.json", "gone.yaml")
    assert result.exit_code == 3
    assert "a.yaml is not valid YAML" in result.stderr
    assert "gone.yaml could not be read" in result.stderr
    assert (tmp_path / "a.yaml").read_text() == "kind: ["


def test_fmt_of_standard_input_goes_to_standard_output(call: Call) -> None:
    result = call("fmt", "-", stdin=MIXED)
    assert (result.exit_code, result.stdout) == (0, ORDERED)
