"""The canonical order of a policy file: apiVersion, kind, metadata, spec, and fields as their kind lists them. Pure.

Whole lines are moved and none is rewritten, so comments, quotes and spacing stay as their author left them. What cannot be
read, is written in flow style or uses aliases is left alone; values are proved unchanged before anything is returned.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from reconciler.finding import Severity
from reconciler.kinds import API_VERSION, registry
from reconciler.kinds.metadata import Metadata
from reconciler.load import exact, text, tree
from reconciler.load.messages import Path, field_names
from reconciler.load.tree import Document, Node

_TOP: Final = ["apiVersion", "kind", "metadata", "spec", "status"]
_LINES: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

Order = Callable[[Path], Sequence[str]]


def fmt(content: bytes) -> bytes | None:
    """The content in canonical order: itself where it is already, None where it cannot be read as it stands."""
    mark = text.MARK if content.startswith(text.MARK) else b""
    bare = content[len(mark) :]
    formatted = None if bare.startswith(text.MARK) else _fmt(bare)
    return None if formatted is None else mark + formatted


def _fmt(content: bytes) -> bytes | None:
    before = _documents(content)
    if not before:
        return None if before is None else content
    lines: list[bytes] = _LINES.findall(content)
    if lines and not lines[-1].endswith((b"\n", b"\r")):
        lines[-1] += b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    starts = [document.line - 1 for document in before]
    arranged: list[bytes] = lines[: starts[0]]
    for document, start, end in zip(before, starts, [*starts[1:], len(lines)], strict=True):
        arranged += _document(document, lines, start, end)
    after = b"".join(arranged)
    return after if after == content or _same(before, _documents(after)) else content


def _documents(content: bytes) -> list[Document] | None:
    """Every document with its place, or None where one has something wrong with its text."""
    decoded = text.decode(content)
    if isinstance(decoded, tree.Problem):
        return None
    found = list(exact.of_file(decoded))
    return None if any(each.severity is Severity.ERROR for document in found for each in document.problems) else found


def _same(before: list[Document], after: list[Document] | None) -> bool:
    def values(documents: list[Document]) -> list[Any]:
        return [document.root.plain() if document.root is not None else None for document in documents]

    return after is not None and values(before) == values(after)


def _document(document: Document, lines: list[bytes], start: int, end: int) -> list[bytes]:
    root = document.root
    kind = registry().get(root.text("kind")) if root is not None else None
    if root is None or kind is None or root.text("apiVersion") != API_VERSION:
        return lines[start:end]

    def order(path: Path) -> Sequence[str]:
        match path:
            case ():
                return _TOP
            case ("metadata",):
                return field_names(Metadata, ())
            case ("spec", *inner):
                return field_names(kind.spec, tuple(inner))
        return ()

    return list(_arranged(root, lines, (start, end), (), order))


def _arranged(node: Node, lines: list[bytes], span: tuple[int, int], path: Path, order: Order) -> Iterator[bytes]:
    """The lines of `span` with the entries of the block mapping `node`, which stands within it, in order.

    What stands after the last entry stays there, and so do the words at the head of a document.
    """
    entries = list((node.entries or {}).items())
    if not _is_block(node):
        yield from lines[slice(*span)]
        return
    first = entries[0][1][0].line - 1
    if path:
        first = _start(lines, node.column - 1, first, span[0])
    last = _end(lines, node.column - 1, entries[-1][1][0].line, span[1])
    starts = [first] + [_start(lines, key.column - 1, key.line - 1, first) for _, (key, _) in entries[1:]]
    spans = dict(zip((name for name, _ in entries), zip(starts, [*starts[1:], last], strict=True), strict=True))
    wanted = {name: place for place, name in enumerate(order(path))}
    yield from lines[span[0] : first]
    for name, (_, value) in sorted(entries, key=lambda entry: wanted.get(entry[0], len(wanted))):
        yield from _arranged(value, lines, spans[name], (*path, name), order)
    yield from lines[last : span[1]]


def _is_block(node: Node) -> bool:
    """Whether a node is a mapping with each key on a line of its own (a flow mapping starts before its first key)."""
    if not node.entries:
        return False
    keys = [key for key, _ in node.entries.values()]
    own_lines = len({key.line for key in keys}) == len(keys)
    return own_lines and (keys[0].line, keys[0].column) == (node.line, node.column)


def _start(lines: list[bytes], indent: int, key: int, floor: int) -> int:
    """Where an entry starts: at the comments directly above its key, as far indented as the key."""
    while key - 1 > floor and _comment(lines[key - 1]) == indent:
        key -= 1
    return key


def _end(lines: list[bytes], indent: int, floor: int, end: int) -> int:
    """Where a mapping's last entry ends: before the blank lines and comments that no longer belong to it."""
    while end > floor:
        found = _comment(lines[end - 1])
        if lines[end - 1].strip() and (found is None or found > indent):
            break
        end -= 1
    return end


def _comment(line: bytes) -> int | None:
    """How far a line that is only a comment is indented; None for any other line."""
    bare = line.lstrip(b" ")
    return len(line) - len(bare) if bare.startswith(b"#") else None
