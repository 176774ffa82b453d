"""Who runs this, in which CI job, and of which commit the declarations are: what a run is journaled with.

Reads the environment and asks git. A variable of a CI is anybody's text, who may name a branch or an account: it is cut, made one
line, and a link of it is kept only as a plain web address without user information.
"""

import getpass
import os
import re
import socket
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from reconciler.cli import committed

NAME: Final = 120  # characters at most
LINK: Final = 500
_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a run comes from. `link` leads to its CI job, "" elsewhere; `revision` is REV, REV+dirty or "" (see `committed`)."""

    actor: str
    link: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class _Service:
    """A CI: the variable that it sets, those that name who started the job, the first that is set counts, and the job's address
    with variables in braces."""

    name: str
    marker: str
    actors: tuple[str, ...]
    link: str


_SERVICES: Final = (
    _Service(
        "GitHub Actions", "GITHUB_ACTIONS", ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
    ),
    _Service("GitLab CI", "GITLAB_CI", ("GITLAB_USER_LOGIN", "GITLAB_USER_EMAIL"), "{CI_JOB_URL}"),
    _Service("Jenkins", "JENKINS_URL", ("BUILD_USER_ID", "BUILD_USER", "CHANGE_AUTHOR"), "{BUILD_URL}"),
    _Service(
        "Buildkite", "BUILDKITE", ("BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_AUTHOR"),
        "{BUILDKITE_BUILD_URL}#{BUILDKITE_JOB_ID}",
    ),
    _Service("CircleCI", "CIRCLECI", ("CIRCLE_USERNAME",), "{CIRCLE_BUILD_URL}"),
    _Service(
        "Azure Pipelines", "TF_BUILD", ("BUILD_REQUESTEDFOR",),
        "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    ),
    _Service(
        "Bitbucket", "BITBUCKET_BUILD_NUMBER", ("BITBUCKET_STEP_TRIGGERER_UUID",),
        "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    ),
    _Service("Drone", "DRONE", ("DRONE_BUILD_TRIGGER", "DRONE_COMMIT_AUTHOR"), "{DRONE_BUILD_LINK}"),
    _Service("CI", "CI", (), "{BUILD_URL}"),
)  # fmt: skip


def of(read: Iterable[str], paths: Sequence[str], revision: str | None = None) -> Origin:
    """Of a run that read the files named `read`, at `paths` as they were given; `revision` is known where a saved plan has it."""
    known = committed.revision(read, paths) if revision is None else revision
    return Origin(actor=actor(), link=link(), revision=known)


def actor() -> str:
    """The user of the CI who started the job, with the CI's name; elsewhere user@host."""
    service = _service()
    if service is not None:
        for name in service.actors:
            if said := one_line(os.environ.get(name, ""), NAME):
                return f"{said} ({service.name})"
    return f"{_user()}@{socket.gethostname()}"


def link() -> str:
    """The web address of the CI job, "" where there is none or it is no plain one."""
    service = _service()
    return _web(service.link.format_map(_Set(os.environ))) if service else ""


def one_line(text: str, most: int) -> str:
    """Text of anybody, as one line of at most `most` printable characters."""
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text[: most * 4])
    return " ".join(shown.split())[:most]


def _service() -> _Service | None:
    off = ("", "0", "false", "no")
    return next((each for each in _SERVICES if os.environ.get(each.marker, "").strip().lower() not in off), None)


class _Set(dict[str, str]):
    """Variables by name, "" where one is not set."""

    def __missing__(self, name: str) -> str:
        return ""


def _web(address: str) -> str:
    """The address without user information and with nothing in it that is no part of one."""
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    known_as = f"[{host}]" if ":" in host else host
    place = quote(parts.path, safe="/%:@+,;=~!$&'()*")
    query = f"?{quote(parts.query, safe='/%:@+,;=~!$&()*?')}" if parts.query else ""
    fragment = f"#{quote(parts.fragment, safe='/%:@+,;=~-')}" if parts.fragment else ""
    whole = f"{parts.scheme}://{known_as}{f':{port}' if port else ''}{place}{query}{fragment}"
    return whole if len(whole) <= LINK else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        return f"uid-{os.getuid()}"
