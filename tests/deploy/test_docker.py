"""The shipped Dockerfile, as far as it can be judged without building it."""

import fnmatch
import json
import re
import tomllib
from pathlib import Path

from reconciler.cli.watch import command

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
LINES = [
    (found[1], found[2].strip())
    for found in re.finditer(
        r"^([A-Z]+) (.*)$", re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)), re.MULTILINE
    )
]


def given(instruction: str) -> list[str]:
    return [arguments for name, arguments in LINES if name == instruction]


def final() -> list[tuple[str, str]]:
    """The instructions of the last stage."""
    last = max(number for number, (name, _) in enumerate(LINES) if name == "FROM")
    return LINES[last:]


def test_the_base_is_one_patch_release_for_every_stage() -> None:
    assert {base.split(" ")[0] for base in given("FROM")} == {"${BASE}"}
    (base,) = [argument.removeprefix("BASE=") for argument in given("ARG") if argument.startswith("BASE=")]
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    release = re.search(r":(\d+)\.(\d+)", base)
    assert release
    assert (int(release[1]), int(release[2])) >= tuple(map(int, wanted.split(".")))


def test_it_runs_as_a_number_that_is_not_root_from_before_its_command_on() -> None:
    stage = final()
    user = [arguments for name, arguments in stage if name == "USER"]
    assert user == ["65532:65532"]  # a number, so that runAsNonRoot can be judged without starting it
    place = stage.index(("USER", user[0]))
    assert {name for name, _ in stage[place:]}.isdisjoint({"RUN", "COPY", "ADD"})


def test_only_the_state_directory_has_to_be_writable() -> None:
    assert [json.loads(volume) for volume in given("VOLUME")] == [["/var/lib/modelpolicy"]]
    assert given("WORKDIR")[-1] == "/var/lib/modelpolicy"
    assert "PYTHONDONTWRITEBYTECODE=1" in " ".join(given("ENV"))
    assert "-o 65532 -g 65532 /var/lib/modelpolicy" in " ".join(given("RUN"))


def test_its_command_is_one_that_watch_takes_and_is_checked_where_it_listens() -> None:
    assert json.loads(given("ENTRYPOINT")[0]) == ["modelpolicy"]
    verb, *arguments = json.loads(given("CMD")[-1])
    context = command.make_context(verb, arguments)
    host, port = context.params["listen"]
    assert host == "0.0.0.0"  # a container's port is published or not; loopback could not be
    assert given("EXPOSE") == [str(port)]
    assert f"http://127.0.0.1:{port}/livez" in given("HEALTHCHECK")[0]
    assert given("STOPSIGNAL") == ["SIGTERM"]


def test_nothing_is_fetched_that_a_package_index_does_not_vouch_for() -> None:
    assert given("ADD") == []
    commands = " ".join(given("RUN"))
    assert not re.search(r"curl|wget|sudo|chmod 777|--trusted-host|--index-url", commands)
    assert all("--no-cache-dir" in run for run in given("RUN") if "pip install" in run)


def test_no_secret_is_asked_for_at_build_time() -> None:
    words = " ".join([*given("ARG"), *given("ENV")]).upper()
    assert not re.search(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY", words)


def test_every_package_that_is_installed_is_one_that_was_locked_with_its_hashes() -> None:
    installs = re.findall(r"pip (?:install|wheel) (.*?)(?: &&|$)", " ".join(given("RUN")))
    assert len(installs) == 4
    for options in installs:
        locked = re.search(r"--require-hashes -r (requirements/\w+\.txt)$", options)
        assert (ROOT / locked[1]).exists() if locked else "--no-deps" in options
    assert "--no-build-isolation" in next(each for each in installs if each.endswith(" ."))


def test_what_is_copied_exists_and_nothing_else_reaches_the_build() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {
        source.removeprefix("./")
        for arguments in given("COPY")
        if not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)
    assert any(fnmatch.fnmatch("reconciler/__pycache__", rule.replace("**/", "*/")) for rule in rules[1:])
