"""Finds what looks like an access key in a declaration, and hides it wherever source lines are shown. Pure.

A key in a policy file is in every clone, review and backup of it from then on. No message repeats the value.
"""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.kinds import Path
from reconciler.load.messages import Said, dotted
from reconciler.load.tree import Node

RULE: Final = "credential-in-policy"
_NAMES: Final = (
    r"(?:access[_-]?key(?:[_-]?id|[_-]?secret)?|secret[_-]?(?:access[_-]?)?key|session[_-]?token|security[_-]?token|"
    r"api[_-]?key|ak|sk|password)"
)
_KEY: Final = re.compile(_NAMES, re.IGNORECASE)
BEGINS: Final = "AKLT"  # how the platform's access keys begin
_VALUE: Final = re.compile(rf"{BEGINS}[A-Za-z0-9_=-]{{8,}}")
# A URL's user and password; clients read %40 as @, and would look up what stands before it as a name.
_USER: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s:@\"']*(?::|%3[Aa])[^/\s@\"']+(?=@|%40)")
_LINE: Final = re.compile(rf"(?P<key>(?<![\w-]){_NAMES}[\"']?\s*[:=]\s*)(?P<value>\S.*)?$", re.IGNORECASE)
_HINT: Final = (
    "take it out, and make a new key, for this one has been written down; keys belong into VOLCENGINE_ACCESS_KEY and "
    "VOLCENGINE_SECRET_KEY, the file that spec.ark.credentials.file names, or a Secret"
)


def found(node: Node, path: Path = ()) -> Iterator[Said]:
    """One refusal for each value that looks like a key, by the name of its field or by its own form."""
    for name, (_, child) in (node.entries or {}).items():
        inner = (*path, name)
        if is_name(name) and _is_said(child):
            yield Said(
                RULE,
                inner,
                f"`{dotted(inner)}` looks like a credential, which never stands in a policy",
                _HINT,
                on_key=True,
            )
        else:
            yield from found(child, inner)
    for index, child in enumerate(node.items or ()):
        yield from found(child, (*path, index))
    if isinstance(node.value, str) and _VALUE.search(node.value):
        yield Said(
            RULE, path, f"`{dotted(path)}` holds what looks like an access key, which never stands in a policy", _HINT
        )
    elif isinstance(node.value, str) and _USER.search(node.value):
        yield Said(RULE, path, f"`{dotted(path)}` holds a URL with a password, which never stands in a policy", _HINT)


def is_name(key: str) -> bool:
    """Whether a field of this name would hold a credential."""
    return _KEY.fullmatch(key) is not None


def _is_said(node: Node) -> bool:
    """Whether a value is written down that could be a key: text or a number."""
    return isinstance(node.value, str | int) and not isinstance(node.value, bool) and node.value != ""


def hidden(line: str, before: str) -> str:
    """A source line as it may be shown; `before` is the line above it, whose value it may go on with."""
    above = _LINE.search(before)
    indented = len(line) - len(line.lstrip()) > len(before) - len(before.lstrip())
    if above and indented and (above["value"] or "|")[0] in "|>\"'":
        return line[: len(line) - len(line.lstrip())] + "***"
    line = _LINE.sub(lambda match: match["key"] + "***" if match["value"] else match[0], line)
    return _USER.sub(lambda match: match["scheme"] + "***", _VALUE.sub("AKLT***", line))
