"""Where a ledger may be: the path of an SQLite file, or a `postgresql://` URL. Anything else is refused before it is used.

A mistyped URL is a good file name to SQLite: the ledger would silently be another one, with the password in its name. So what
looks like a URL, a connection string or something that a shell should have filled in is no path; a path that only looks so
has `./` before it. What is refused for its looks is not repeated, for it may hold a password.
"""

import difflib
import os
import re
import unicodedata
from typing import Final

from reconciler.errors import NoLedgerAddress

URLS: Final = ("postgresql://", "postgres://")
EXAMPLES: Final = "give the path of an SQLite file, such as .modelpolicy/ledger.db, or postgresql://USER@HOST/DATABASE"
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)(:/{0,2})", re.IGNORECASE)
_CONNECTION: Final = (
    f"it looks like a connection string, which is not understood; {EXAMPLES}, and a path with ./ before it"
)
_ALWAYS: Final = (  # what no path of anybody holds
    (re.compile(r"[\"'`]|.*[\"'`]$"), "it has quotes around it, which nothing takes away here: give it without them"),
    (re.compile(r".*(\$[\w{(]|\{\{|%\w+%)"), "it holds a variable that nothing has filled in: give the whole path"),
    (re.compile(r".*\bpass(word|wd)?\s*=", re.IGNORECASE), _CONNECTION),
)
_BARE: Final = (  # what a path may hold that begins with / or ./
    (re.compile("~"), "a ~ is not filled in here: give the whole path"),
    (re.compile(r"\w+\s*=|.*@|//"), _CONNECTION),
    (re.compile("[-:]"), f"it begins with a sign that no path begins with; {EXAMPLES}"),
)


def is_url(address: str) -> bool:
    """Whether a checked address is a server's."""
    return address.startswith(URLS)


def checked(given: str) -> str:
    """The address, without the white space around it. Raises `NoLedgerAddress`. Looks at the file system and creates nothing."""
    address = given.strip()
    if not address:
        raise NoLedgerAddress(f"it is empty (a variable or secret that is not set?); {EXAMPLES}")
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in address):
        raise NoLedgerAddress(f"it holds a control or invisible character; {EXAMPLES}")
    if is_url(address):
        _check_url(address)
    else:
        _check_looks(unicodedata.normalize("NFKC", address))
        _check_place(address)
    return address


def _check_url(url: str) -> None:
    if url in URLS:
        raise NoLedgerAddress(f"its URL names neither a host nor a database; {EXAMPLES}")
    if re.search(r"\s", url):
        raise NoLedgerAddress("its URL holds white space; in a user or password write a blank as %20")


def _check_looks(path: str) -> None:
    """Whether it can have been meant as a path."""
    plain = path.startswith(("/", "./", "../")) and not path.startswith("//")
    scheme = _SCHEME.match(path)
    if "://" in path or (scheme and not plain):
        raise NoLedgerAddress(_not_ours(scheme))
    for pattern, said in (*_ALWAYS, *(() if plain else _BARE)):
        if pattern.match(path):
            raise NoLedgerAddress(said)


def _not_ours(scheme: re.Match[str] | None) -> str:
    """What to say of a URL of another scheme, which alone is repeated."""
    word = scheme[1].lower() if scheme else ""
    if word.startswith(("sqlite", "file")):
        return f"{word}: is not understood: for an SQLite ledger give the path of its file alone"
    if scheme is None or not scheme[2].endswith("/"):
        return _CONNECTION
    near = difflib.get_close_matches(word.partition("+")[0], ("postgresql", "postgres"), n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}://?" if near else EXAMPLES
    return f"{scheme[1]}:// is no scheme of a ledger; {hint}"


def _check_place(path: str) -> None:
    """Whether a file can be there: its folder is made where it alone is missing, and nothing further away."""
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120  # pathlib's questions raise where these say no
    if os.path.isdir(path) or path.endswith("/"):  # noqa: PTH112
        raise NoLedgerAddress(f"{path} is a folder: name a file in it, such as {path.rstrip('/')}/ledger.db")
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
        raise NoLedgerAddress(f"{path} is no plain file")
    if os.path.exists(folder) and not os.path.isdir(folder):  # noqa: PTH110, PTH112
        raise NoLedgerAddress(f"{path} cannot be a file: {folder} is no folder")
    above = os.path.dirname(folder)  # noqa: PTH120
    at_the_root = above == os.sep and os.path.isabs(path)  # noqa: PTH117  # from / a relative path is meant to be there
    if not os.path.isdir(folder) and (at_the_root or not os.path.isdir(above)):  # noqa: PTH112
        raise NoLedgerAddress(f"{path} is in a folder that does not exist: make {folder}, or mend the path")
