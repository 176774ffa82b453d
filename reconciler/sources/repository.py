"""Which git repository files belong to, and what its `origin` is called: the default name of a declaration set.

Reads `.git` and nothing else, and needs no git program. A remote's URL may carry a token, so only its host and path are ever
given out.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_SCP: Final = re.compile(r"(?:[^@/]*@)?(\[[^\]]+\]|[^:/\[]+):(?!//)(.*)", re.DOTALL)
_ODD: Final = re.compile(r"[^\w./~+:@%=,-]")  # never a part of a set's name: white space, control characters, quotes
_DRIVE: Final = 1  # a host of one letter is a drive of Windows, where nobody serves a repository


def root_of(path: Path) -> Path | None:
    """The root of the repository that a file or folder is in, None where it is in none."""
    place = path.resolve()
    return next((folder for folder in (place, *place.parents) if (folder / ".git").exists()), None)


def origin(root: Path) -> str:
    """The repository's `origin` as host/path in lower case, "" where it has none: no scheme, user, password, port or `.git`."""
    import configparser  # who only looks for the root does not wait for it

    config = _config(root / ".git")
    if config is None:
        return ""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, interpolation=None)
    try:
        lines = config.read_text(encoding="utf-8", errors="replace").splitlines()
        parser.read_string("\n".join(line.strip() for line in lines))
        url = parser.get('remote "origin"', "url", fallback="") or ""
    except (OSError, configparser.Error):
        return ""
    return named(url.strip().strip('"'))


def named(url: str) -> str:
    """A remote's URL as host/path in lower case: the same for every way in, and without what may be a secret."""
    scp = _SCP.fullmatch(url)
    if "://" in url:
        parts = urlsplit(url)
        host, path = _host(parts.netloc), parts.path
    elif scp and len(scp[1]) > _DRIVE:
        host, path = scp[1], scp[2]
    else:
        host, path = "", url
    path = re.sub(r"/+", "/", path.split("?")[0].split("#")[0]).strip("/").removesuffix(".git").strip("/")
    return _ODD.sub("", "/".join(filter(None, [host, path])).lower())


def _host(netloc: str) -> str:
    """The host of what stands between :// and the path, without user information and port."""
    bare = netloc.rpartition("@")[2]
    return bare if bare.endswith("]") else re.sub(r":\d*$", "", bare)


def _config(git: Path) -> Path | None:
    """The configuration of a repository; of the common one where `.git` is a worktree's or a submodule's pointer."""
    try:
        if git.is_file():
            pointed = git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            git = (git.parent / pointed).resolve()
        common = git / "commondir"
        if common.is_file():
            git = (git / common.read_text(encoding="utf-8").strip()).resolve()
    except (OSError, UnicodeDecodeError):
        return None
    config = git / "config"
    return config if config.is_file() else None
