"""Parser events become documents: the stack of open collections, the anchors, the budget, and what is wrong with a text.

An alias shares its anchor's node, so that a bomb costs nothing, and what it would unfold to is counted. Nothing here raises on a
document.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from reconciler.characters import invisible, named
from reconciler.finding import Severity
from reconciler.load.tree import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NODES,
    MAX_SCALAR,
    Document,
    Malformed,
    Node,
    Problem,
    Scalar,
    resolve,
)

_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
_HIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MERGE: Final = "<<"
_CORE: Final = "tag:yaml.org,2002:"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}


class Mark(Protocol):
    """Where an event starts, counted from 0."""

    line: int
    column: int


class _TooMuch(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def documents(events: Iterable[Any], first_line: int = 1, *, json: bool = False) -> Iterator[Document]:
    """The documents of a stream of events of ruamel.yaml's shape.

    `first_line` is the line of the file on which the stream begins. After a `Malformed` stream or a document beyond the
    budget, what was read of it is the last document.
    """
    builder = _Builder(first_line - 1, json)
    try:
        for event in events:
            done = builder.take(event)
            if done is not None:
                yield done
    except Malformed as refusal:
        line = refusal.line + first_line - 1
        builder.document.problems.append(Problem("yaml-syntax", refusal.problem, "", line, refusal.column))
        yield builder.document
    except _TooMuch as much:
        builder.document.problems.append(much.problem)
        yield builder.document


class _Builder:
    """The consumer of events: a stack of open collections, the anchors of one document, its problems."""

    def __init__(self, offset: int, json: bool) -> None:
        self.offset = offset
        self.json = json
        self.start()

    def start(self, line: int = 0) -> None:
        self.document = Document(line=line + 1 + self.offset)
        self.stack: list[Node] = []
        self.keys: list[Node | None] = []  # beside the stack: the key that waits for its value
        self.anchors: dict[str, Node | None] = {}  # None while the anchored collection is open
        self.names: list[str | None] = []  # beside the stack: the anchor of each open collection
        self.count = 0

    def take(self, event: Any) -> Document | None:
        """One event; the document, when it ends it."""
        match type(event).__name__:
            case "ScalarEvent":
                self.add(self.scalar(event), event.anchor)
            case "MappingStartEvent":
                self.open(event, Node(*self.place(event.start_mark), entries={}))
            case "SequenceStartEvent":
                self.open(event, Node(*self.place(event.start_mark), items=[]))
            case "MappingEndEvent" | "SequenceEndEvent":
                self.close()
            case "AliasEvent":
                self.alias(event)
            case "DocumentStartEvent":
                self.start(event.start_mark.line)
            case "DocumentEndEvent":
                return self.document
        return None

    def place(self, mark: Mark) -> tuple[int, int]:
        return mark.line + 1 + self.offset, mark.column + 1

    def wrong(self, rule: str, node: Node, message: str, hint: str = "") -> None:
        self.document.problems.append(Problem(rule, message, hint, node.line, node.column))

    def scalar(self, event: Any) -> Node:
        text: str = event.value
        node = Node(*self.place(event.start_mark))
        if len(text) > MAX_SCALAR:
            message = f"a text of {len(text):,} characters; at most {MAX_SCALAR:,} are read"
            self.wrong("too-large", node, message, "shorten it")
            text = text[:64]
        plain = not event.style and event.tag in (None, "")
        if plain and not event.implicit[0]:
            plain = False
        if plain:
            node.source = text
            meant = resolve(text)
            node.value = self.number(node, meant, text)
            if _ZERO.fullmatch(text):
                self.zero(node, text)
            if self.json and isinstance(meant, str):
                self.wrong(
                    "yaml-syntax", node, f"`{text[:40]}` is not JSON", "quote text; NaN and Infinity do not exist"
                )
            return node
        if event.style == '"' and _HIDDEN.search(text):
            text = self.visible(node, text)
        node.value = text
        if event.tag not in (None, "", "!", f"{_CORE}str"):
            node.value = self.number(node, self.tagged(event, node, text), text)
        return node

    def visible(self, node: Node, text: str) -> str:
        """Text without halves of surrogate pairs (JSON writes them) and without characters that no terminal shows."""
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        hidden = _HIDDEN.search(text)
        if hidden:
            message = f"the text holds the control character U+{ord(hidden.group()):04X}"
            self.wrong("control-character", node, message, "take it out")
        return _HIDDEN.sub("\ufffd", text)

    def zero(self, node: Node, text: str) -> None:
        """A number that older readers take for an octal one."""
        node.value = text[:64]
        if self.json:
            said = f"`{text[:40]}` is not JSON"
            self.wrong("yaml-syntax", node, said, "JSON's numbers do not begin with a zero")
        elif len(text) <= MAX_DIGITS:
            old = "text" if set(text) & set("89") else f"{int(text, 8):,}"
            said = f"{text} begins with a zero: YAML 1.2 reads {int(text):,}, older readers {old}"
            self.wrong("invalid-number", node, said, f'write {int(text)}, or "{text}" where text is meant')

    def remark(self, key: Node, name: str) -> None:
        """Warns of a quoted key that holds what nobody sees; elsewhere outside of quotes the text itself shows it."""
        for at in invisible(name):
            message = f"the key holds {named(name[at])}, which nobody sees"
            self.document.problems.append(Problem("hidden-character", message, "take it out", key.line, key.column, Severity.WARNING))  # fmt: skip
            return

    def number(self, node: Node, value: Scalar, text: str) -> Scalar:
        """The value, or the written text where it is a number that cannot be kept exactly by everyone."""
        if isinstance(value, float) and not math.isfinite(value):
            shown = text if len(text) <= 24 else f"{text[:12]}... ({len(text)} characters)"
            self.wrong("invalid-number", node, f"{shown} is not a number that can be kept", "write a finite number")
            return text[:64]
        return value

    def tagged(self, event: Any, node: Node, text: str) -> Scalar:
        """The value of a scalar whose tag says its type."""
        kind = str(event.tag).removeprefix(_CORE)
        value = resolve(text)
        if kind in _TYPES and isinstance(value, _TYPES[kind]) and (kind == "bool") == isinstance(value, bool):
            return float(value) if kind == "float" and isinstance(value, int) else value
        self.bad_tag(node, str(event.tag))
        return text

    def bad_tag(self, node: Node, tag: str) -> None:
        shown = tag.replace(_CORE, "!!")[:80]
        self.wrong("yaml-tag", node, f"the tag {shown} does not fit this value", "take the tag away")

    def open(self, event: Any, node: Node) -> None:
        tag = event.tag
        if tag not in (None, "", "!", f"{_CORE}{'map' if node.items is None else 'seq'}"):
            self.bad_tag(node, str(tag))
        if len(self.stack) >= MAX_DEPTH:
            raise _TooMuch(self.too_much(node, f"nested deeper than {MAX_DEPTH} levels"))
        self.add(node, None)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(node)
        self.keys.append(None)
        self.names.append(event.anchor)

    def too_much(self, node: Node, what: str) -> Problem:
        return Problem("too-complex", f"the document is {what}", "split or flatten it", node.line, node.column)

    def close(self) -> None:
        node = self.stack.pop()
        self.keys.pop()
        if node.entries is not None and _MERGE in node.entries:
            self.merge(node.entries)
        name = self.names.pop()
        children = (value for _, value in node.entries.values()) if node.entries is not None else node.items or ()
        node.weight = 1 + sum(child.weight for child in children)
        if name:
            self.anchors[name] = node
        if node.weight > MAX_NODES:
            raise _TooMuch(self.too_much(node, f"more than {MAX_NODES:,} values once its aliases are unfolded"))

    def merge(self, entries: dict[str, tuple[Node, Node]]) -> None:
        """Names a merge key of YAML 1.1, and judges the rest of the document as its author meant it."""
        key, value = entries[_MERGE]
        if key.source != _MERGE:  # in quotes it is a key as any other
            return
        del entries[_MERGE]
        taken: dict[str, tuple[Node, Node]] = {}
        for each in value.items or (value,):
            for name, pair in (each.entries or {}).items():
                taken.setdefault(name, pair)
        missing = {name: pair for name, pair in taken.items() if name not in entries}
        entries.update(missing)
        words = ", ".join(f"{name[:40]}: {pair[1].source[:40] or '...'}" for name, pair in list(missing.items())[:6])
        message = "`<<` is a merge key, which YAML 1.2 does not have: nothing would be taken over"
        self.wrong("merge-key", key, message, f"write the fields out: {words}" if words else "take it away")

    def alias(self, event: Any) -> None:
        place = Node(*self.place(event.start_mark))
        target = self.anchors.get(event.anchor)
        if target is None:
            known = event.anchor in self.anchors
            what = "stands inside what it refers to" if known else "refers to no anchor above it"
            self.wrong("yaml-alias", place, f"the alias *{event.anchor} {what}", "write the value out")
        self.add(target or place, None)

    def add(self, node: Node, anchor: str | None) -> None:
        """Put a node where it belongs: root, sequence, or key and value of a mapping in turn."""
        self.count += 1
        if self.count > MAX_NODES:
            raise _TooMuch(self.too_much(node, f"more than {MAX_NODES:,} values"))
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.document.root = node
            if node.absent:
                node.line, node.column = self.document.line, 1
            return
        parent = self.stack[-1]
        if parent.items is not None:
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is None:
            self.keys[-1] = node
        else:
            self.keys[-1] = None
            if node.absent:  # nothing is written there: its key is the place that a person sees
                node.line, node.column = key.line, key.column
            self.enter(parent, key, node)

    def enter(self, parent: Node, key: Node, node: Node) -> None:
        assert parent.entries is not None  # a parent that is no sequence is a mapping
        name = key.value
        if not isinstance(name, str):
            shown = "a list or mapping" if key.value is None and key.weight > 1 else key.source or "nothing"
            self.wrong("invalid-key", key, f"{shown} is used as a key; a key must be text", "quote it")
            name = key.source
        if not key.source and not name.isascii():
            self.remark(key, name)
        first = parent.entries.get(name)
        if first is None:
            parent.entries[name] = (key, node)
            return
        self.document.duplicates.add(name)
        message = f"`{name[:80]}` is given twice, first in line {first[0].line}; only one of them can be meant"
        self.wrong("duplicate-key", key, message, "remove one of the two")
