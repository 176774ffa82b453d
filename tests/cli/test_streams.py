"""A run on standard streams as shells, cron jobs and CI make them: closed, full, unread, or of another encoding."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.root import ROOT as COMMANDS

FILE = "限额.yaml"
POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata:
  name: {name}
spec:
  model: {name}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata:
  name: default
spec:
  platform: embedded
  allowActivation: true
"""
COMMAND = f'"{sys.executable}" -m reconciler.cli'
ROOT = Path(__file__).parents[2]


def shell(line: str, where: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The line in bash, `modelpolicy` being the command of this checkout."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MODELPOLICY", "LC_", "LANG", "PYTHON"))
    }
    env = {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "LC_ALL": "C.UTF-8", **more}
    script = f'set -o pipefail\nmodelpolicy() {{ {COMMAND} "$@"; }}\n{line}'
    return subprocess.run(["bash", "-c", script], cwd=where, env=env, capture_output=True, timeout=50)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / FILE).write_text(POLICY.format(name="doubao-seed-1-6"), encoding="utf-8")
    return tmp_path


def written(here: Path) -> bool:
    """Whether anything was written to the platform or remembered of it."""
    done = shell("modelpolicy history -o json", here)
    return bool(json.loads(done.stdout)["runs"])


@pytest.mark.parametrize(
    "line",
    ["apply policies --yes", "apply policies --yes -o json", "validate policies -o sarif", "fmt policies", "unlock", "--help",
     "schema"],
)  # fmt: skip
def test_with_stdout_closed_a_verb_says_so_and_does_nothing(line: str, here: Path) -> None:
    before = (here / "policies" / FILE).read_text(encoding="utf-8")
    done = shell(f"modelpolicy {line} >&-", here)
    assert (done.returncode, done.stderr.decode()) == (1, "Error: standard output: it is closed\n")
    assert not written(here)
    assert (here / "policies" / FILE).read_text(encoding="utf-8") == before


def test_with_stdout_closed_what_goes_to_a_file_is_done(here: Path) -> None:
    done = shell("modelpolicy apply policies --yes -o json=done.json >&-", here)
    assert done.returncode == 0, done.stderr
    assert json.loads((here / "done.json").read_text())["summary"]["applied"] == 1


@pytest.mark.parametrize("output", ["text", "json"])
def test_an_apply_whose_result_does_not_fit_says_on_stderr_what_it_did(output: str, here: Path) -> None:
    done = shell(f"modelpolicy apply policies --yes -o {output} >/dev/full", here)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert "Applied 1 of 1 change" in said
    assert said.endswith("Error: standard output: No space left on device\n")
    assert "Traceback" not in said
    assert written(here)


@pytest.mark.parametrize("closing", ["2>/dev/full", "<&- 2>&-"])
def test_an_apply_that_nobody_hears_beside_its_result_does_its_work(closing: str, here: Path) -> None:
    done = shell(f"modelpolicy apply policies --yes -o json {closing}", here)
    assert done.returncode == 0
    assert json.loads(done.stdout)["summary"]["applied"] == 1


def test_an_apply_with_every_stream_closed_writes_into_no_file_but_its_own(here: Path) -> None:
    done = shell("modelpolicy apply policies --yes -o json=done.json <&- >&- 2>&-", here)
    assert done.returncode == 0
    assert json.loads((here / "done.json").read_text())["summary"]["applied"] == 1
    assert written(here)
    assert (here / ".modelpolicy/ledger.db").read_bytes()[:6] == b"SQLite"


def test_an_apply_that_can_tell_nobody_anything_does_nothing(here: Path) -> None:
    assert shell("modelpolicy apply policies --yes <&- >&- 2>&-", here).returncode == 1
    assert not written(here)


def test_where_nobody_can_be_asked_because_stdin_is_closed_apply_does_nothing(here: Path) -> None:
    done = shell("modelpolicy apply policies <&-", here)
    assert done.returncode == 64
    assert b"--yes" in done.stderr


@pytest.mark.parametrize(
    ("line", "stdin"), [("validate -", "<&-"), ("plan - --prune", "0>/dev/null"), ("apply - --yes --prune", "<&-")]
)
def test_a_closed_stdin_that_was_asked_for_is_an_error_and_no_empty_set(line: str, stdin: str, here: Path) -> None:
    done = shell(f"modelpolicy {line} -o json {stdin}", here)
    assert done.returncode == 3
    (found,) = json.loads(done.stdout)["findings"]
    assert found["rule"] == "unreadable"
    assert found["location"]["file"] == "<stdin>"


@pytest.mark.parametrize("line", ["validate policies", "explain InferenceLimit", "--help", "schema"])
def test_a_full_device_ends_every_verb_with_one_line_and_exit_1(line: str, here: Path) -> None:
    done = shell(f"modelpolicy {line} >/dev/full", here)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("Error: ")
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("line", ["schema", "validate many -o text", "--help"])
def test_a_reader_that_stops_early_is_no_failure(line: str, here: Path) -> None:
    (here / "many").mkdir()
    broken = "\n---\n".join(f"kind: Nothing{n}\napiVersion: modelpolicy.dev/v1alpha1" for n in range(400))
    (here / "many/a.yaml").write_text(broken)
    done = shell(f"modelpolicy {line} | head -1; exit ${{PIPESTATUS[0]}}", here)
    assert done.returncode == (3 if "many" in line else 0)
    assert done.stderr == b""


@pytest.fixture
def odd(here: Path) -> Path:
    """With files that hold errors: one whose name is Chinese, one whose name is no UTF-8."""
    (here / "bad").mkdir()
    (here / "bad" / FILE).write_text("kind: 模型\n", encoding="utf-8")
    Path(os.fsdecode(os.fsencode(here / "bad") + b"/\xff.yaml")).write_text("kind: x\n")
    return here


MACHINES = [
    "validate bad -o json", "validate bad -o sarif", "validate bad -o junit", "validate bad -o github",
    "plan policies -o json", "plan policies -o markdown", "plan policies -o html", "status policies -o json",
    "validate -o json 没有", "plan --account 没有 -o json",
]  # fmt: skip


@pytest.mark.parametrize("line", MACHINES)
def test_what_programs_read_is_utf_8_whatever_the_encoding_of_stdout(
    line: str, odd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(odd)
    said = {
        CliRunner(charset=charset).invoke(COMMANDS, line.split()).stdout_bytes
        for charset in ("utf-8", "latin-1", "utf-16")
    }
    for text in said:
        decoded = text.decode("utf-8")
        assert FILE in decoded or "%E9%99%90" in decoded or "没有" in decoded
        if line.endswith(("json", "sarif")):
            json.loads(decoded)


@pytest.mark.parametrize("charset", ["latin-1", "ascii"])
def test_what_people_read_shows_what_their_encoding_lacks_as_escapes(
    charset: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    said = CliRunner(charset=charset).invoke(COMMANDS, ["plan", "policies"]).stdout_bytes
    assert b"policies/\\u9650\\u989d.yaml:1" in said
    assert b"?" not in said


def test_in_the_c_locale_every_file_keeps_its_name(odd: Path) -> None:
    done = shell("modelpolicy validate bad 没有 -o json", odd, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    files = {found["location"]["file"] for found in json.loads(done.stdout.decode("utf-8"))["findings"]}
    assert files == {f"bad/{FILE}", "bad/\\xff.yaml", "没有"}
    assert b"Traceback" not in done.stderr


def test_a_pipe_that_does_not_block_gets_all_of_it(here: Path) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-m", "reconciler.cli", "schema"], stdout=write, env=env) as process:
        os.close(write)
        with os.fdopen(read, "rb") as reader:
            json.loads(reader.read())
        assert process.wait(20) == 0


def test_a_dumb_terminal_gets_no_escape_sequence_and_can_still_say_yes(here: Path) -> None:
    master, slave = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
    env = {**kept, "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "reconciler.cli", "apply", "policies"]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=here, env=env) as process:
        os.close(slave)
        os.write(master, b"y\n")
        said = b""
        while True:
            try:
                more = os.read(master, 65536)
            except OSError:  # how a pseudo-terminal ends
                break
            if not more:
                break
            said += more
        assert process.wait(30) == 0
    os.close(master)
    assert b"Applied 1 of 1 change" in said
    assert b"\x1b" not in said
