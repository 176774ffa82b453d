"""Where the values of a document stand: told at once from a tree, or found out from the text when somebody asks."""

import re
from collections.abc import Iterator, Mapping

from reconciler.kinds import Path
from reconciler.load import exact
from reconciler.load.tree import Node

Places = Mapping[Path, tuple[int, int]]


class Positions(Places):
    """The places of a text's only document, which begins on `line`. Most documents have no finding, so are never asked.

    What `quick` has read is mostly of one form: keys of a part in block style, each on a line of its own. A place in such
    a part is found by its lines; for any other the document is read again, exactly.
    """

    __slots__ = ("_found", "_line", "_text")

    def __init__(self, text: str, line: int) -> None:
        self._text = text
        self._line = line
        self._found: Places | None = None

    def __getitem__(self, path: Path) -> tuple[int, int]:
        if self._found is None:
            known, place = self._by_lines(path)
            if known:
                if place is None:
                    raise KeyError(path)
                return place
        return self._places()[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._places())

    def _places(self) -> Places:
        if self._found is None:
            root = next(exact.documents(self._text, self._line)).root
            self._found = {} if root is None else of_tree(root)
        return self._found

    def _by_lines(self, path: Path) -> tuple[bool, tuple[int, int] | None]:
        """Whether the lines alone tell where a value stands, and where; None where it is not written."""
        lines = rf"^{re.escape(str(path[0]))}:[ ]*\n((?:[ ]+[^ \n][^\n]*(?:\n|\Z))++)(?=[A-Za-z]|\Z)"
        found = list(re.finditer(lines, self._text, re.MULTILINE))
        part = found[0][1] if len(found) == 1 else ""
        indent = len(part) - len(part.lstrip(" "))
        if not part[indent : indent + 1].isalpha() or any(mark in part for mark in "\"'#"):
            return False, None
        start = found[0].start(1)
        if len(path) == 1:
            return True, self._place(start + indent)
        key = rf"^[ ]{{{indent}}}{re.escape(str(path[1]))}:(?=[ \n])[ ]*"
        keys = list(re.finditer(key, part, re.MULTILINE))
        if not keys:
            return True, None
        if len(keys) > 1 or len(path) > 2 or part[keys[0].end() : keys[0].end() + 1] in ("", "\n"):
            return False, None
        return True, self._place(start + keys[0].end())

    def _place(self, at: int) -> tuple[int, int]:
        return self._line + self._text.count("\n", 0, at), at - self._text.rfind("\n", 0, at)


def of_tree(root: Node) -> Places:
    """Where each value under metadata and spec stands."""
    found: dict[Path, tuple[int, int]] = {}
    for part in ("metadata", "spec"):
        node = root.get(part)
        if node is not None:
            _enter(node, (part,), found)
    return found


def _enter(node: Node, path: Path, found: dict[Path, tuple[int, int]]) -> None:
    found[path] = (node.line, node.column)
    if node.entries is not None:
        for key, (_, value) in node.entries.items():
            _enter(value, (*path, key), found)
    elif node.items is not None:
        for index, item in enumerate(node.items):
            _enter(item, (*path, index), found)
