"""Changes values in policy files and leaves every other byte as it is: comments, order, quotes and spacing stay.

Pure: bytes in, bytes out. The parser says where a value stands; only that slice of the text is replaced. What cannot be
changed safely in this way (anchors, lists of documents, JSON) is `Uneditable`, with the reason; nothing is guessed.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from reconciler.characters import escaped
from reconciler.load import text as texts
from reconciler.load.events import composed

Plain: TypeAlias = str | int | bool | tuple[str, ...]
_BARE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-._][A-Za-z0-9]+)*")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


class Uneditable(Exception):
    """The document cannot be changed in place; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What to do with the document that starts at `line`: set and drop fields of its spec, or take it out whole."""

    line: int
    values: Mapping[str, Plain] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    remove: bool = False


def scalar(value: Plain) -> str:
    """The value as YAML, quoted only where it would be read as something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(scalar, value))}]"
    if _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return escaped(json.dumps(value, ensure_ascii=False))


def rewrite(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The file with the edits made. Raises Uneditable where one of them cannot be."""
    decoded = texts.decode(content)
    if not isinstance(decoded, str):
        raise Uneditable("the file is not UTF-8 text")
    pieces = list(texts.chunks(decoded))
    for edit in edits:
        at = max((index for index, (line, _) in enumerate(pieces) if line <= edit.line), default=0)
        line, chunk = pieces[at]
        pieces[at] = (line, _removed(chunk) if edit.remove else _edited(chunk, line, edit))
    return _as_written(content, decoded, "".join(chunk for _, chunk in pieces))


def line_end(content: bytes) -> str:
    """What ends the lines of a file: what ends its first."""
    found = _LINE_END.search(content.decode("utf-8", "replace"))
    return found[0] if found else "\n"


def _as_written(content: bytes, before: str, after: str) -> bytes:
    """The text with the byte order mark of the file it was read from, and with each line ended as it was there."""
    mark = texts.MARK if content.startswith(texts.MARK) else b""
    ends = _LINE_END.findall(content.decode("utf-8"))
    if len(set(ends)) == 1:
        after = after.replace("\n", ends[0])
    elif ends:
        lines = after.split("\n")
        known = _known_ends(before.split("\n"), lines, ends)
        after = "".join(line + known[place] for place, line in enumerate(lines[:-1])) + lines[-1]
    return mark + after.encode("utf-8")


def _known_ends(before: list[str], after: list[str], ends: list[str]) -> list[str]:
    """The end of each line but the last: its own where the line was there, else that of the line above."""
    kept: dict[int, str] = {}
    for block in difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        kept |= {block.b + step: ends[block.a + step] for step in range(block.size) if block.a + step < len(ends)}
    found: list[str] = []
    for place in range(len(after) - 1):
        found.append(kept.get(place, found[-1] if found else ends[0]))
    return found


def _removed(chunk: str) -> str:
    """Only what people wrote about it stays."""
    return "".join(line for line in chunk.splitlines(keepends=True) if line.lstrip().startswith("#"))


def _edited(chunk: str, line: int, edit: Edit) -> str:
    for name, value in edit.values.items():
        chunk = _set(chunk, _spec(chunk, line, edit), name, value)
    for name in edit.drop:
        chunk = _dropped(chunk, _spec(chunk, line, edit), name)
    return chunk


def _spec(chunk: str, line: int, edit: Edit) -> Any:
    """The node of the document's spec."""
    root, shared = composed(chunk)
    if shared:
        raise Uneditable("it uses anchors or aliases, so one place in the text may stand for several values")
    spec = _entry(root, "spec")
    if spec is None or line + root.start_mark.line != edit.line or not isinstance(spec[1].value, list):
        raise Uneditable("it is part of a list, or not a plain YAML document")
    return spec[1]


def _entry(node: Any, name: str) -> tuple[Any, Any] | None:
    pairs = node.value if isinstance(node.value, list) else []
    return next((pair for pair in pairs if isinstance(pair, tuple) and pair[0].value == name), None)


def _set(chunk: str, spec: Any, name: str, value: Plain) -> str:
    found = _entry(spec, name)
    if found is None:
        return _inserted(chunk, spec, f"{name}: {scalar(value)}")
    node = found[1]
    if isinstance(node.value, list) and not node.flow_style:
        return _relisted(chunk, found, value)
    if isinstance(node.value, str) and node.style in ("|", ">"):
        raise Uneditable(f"{name} is a block of text")
    written = scalar(value)
    if node.start_mark.index == node.end_mark.index:  # an empty value: nothing stands after the colon
        written = f" {written}"
    return chunk[: node.start_mark.index] + written + chunk[node.end_mark.index :]


def _anchor(spec: Any) -> tuple[Any, Any]:
    """An entry that takes one line, beside which another can be put."""
    for key, value in spec.value:
        if isinstance(value.value, str) and value.start_mark.line == value.end_mark.line == key.start_mark.line:
            return key, value
    raise Uneditable("none of its fields takes one line")


def _inserted(chunk: str, spec: Any, written: str) -> str:
    key, value = _anchor(spec)
    if spec.flow_style:
        at = value.end_mark.index
        return f"{chunk[:at]}, {written}{chunk[at:]}"
    end = chunk.find("\n", value.end_mark.index)
    indent = " " * key.start_mark.column
    if end < 0:
        return f"{chunk}\n{indent}{written}\n"
    return f"{chunk[: end + 1]}{indent}{written}\n{chunk[end + 1 :]}"


def _dropped(chunk: str, spec: Any, name: str) -> str:
    found = _entry(spec, name)
    if found is None:
        return chunk
    key, value = found
    start, end = key.start_mark.index, value.end_mark.index
    if spec.flow_style:
        before, after = chunk[:start], chunk[end:]
        taken = re.sub(r"^\s*,\s*", "", after)
        return before + taken if taken != after else re.sub(r",\s*$", "", before) + after
    if key.start_mark.line != value.end_mark.line:
        raise Uneditable(f"{name} takes more than one line")
    line_start = chunk.rfind("\n", 0, start) + 1
    line_end = chunk.find("\n", end)
    rest = chunk[line_end + 1 :] if line_end >= 0 else ""
    note = re.search(r"#[^\n]*", chunk[end:line_end] if line_end >= 0 else chunk[end:])
    kept = f"{' ' * key.start_mark.column}{note[0]}\n" if note else ""
    return chunk[:line_start] + kept + rest


def _relisted(chunk: str, entry: tuple[Any, Any], value: Plain) -> str:
    """A block list with other items: lines of items that stay are kept, others go, new ones come last."""
    key, node = entry
    if not isinstance(value, tuple):
        raise Uneditable(f"{key.value} is a list")
    if any(not isinstance(item.value, str) for item in node.value):
        raise Uneditable(f"{key.value} is not a plain list of words")
    first, last = node.value[0].start_mark.line, node.value[-1].end_mark.line
    gone = {item.start_mark.line for item in node.value if item.value not in value}
    held = {item.value for item in node.value}
    lines = chunk.splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines[first : last + 1], first) if number not in gone]
    indent = re.match(r"[ \t]*-[ \t]*", lines[first])
    if indent is None:
        raise Uneditable(f"{key.value} does not start on a line of its own")
    kept += [f"{indent[0]}{scalar(item)}\n" for item in value if item not in held]
    if not value:
        at = key.start_mark.line
        lines[at] = re.sub(r":", ": []", lines[at], count=1)
    return "".join([*lines[:first], *kept, *lines[last + 1 :]])
