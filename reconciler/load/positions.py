"""Where the values of a document stand: told at once from a tree, or found out from the text when somebody asks."""

from collections.abc import Iterator, Mapping

from reconciler.kinds import Path
from reconciler.load import exact
from reconciler.load.tree import Node

Places = Mapping[Path, tuple[int, int]]


class Positions(Places):
    """The places of a text's only document, which begins on `line`. Most documents have no finding, so are never asked."""

    __slots__ = ("_found", "_line", "_text")

    def __init__(self, text: str, line: int) -> None:
        self._text = text
        self._line = line
        self._found: Places | None = None

    def __getitem__(self, path: Path) -> tuple[int, int]:
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
