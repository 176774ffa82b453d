"""HTML built of elements, so that no text gets into a page unescaped: the only way to write markup is to call `element`.

Pure. Small on purpose: a template engine would be a dependency, files to read and a second language to check.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from reconciler.report.as_text import safe

VOID: Final = frozenset({"link", "meta"})


@dataclass(frozen=True, slots=True)
class Node:
    """Markup that is finished. Made by `element` and `raw` only."""

    html: str


Child: TypeAlias = "Node | str | Iterable[Child]"


def element(tag: str, *children: Child, **attributes: str) -> Node:
    """`<tag>` with its children; text is escaped and its invisible characters are shown. `class_` is the attribute class,
    `aria_label` is aria-label."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(safe(value))}"' for name, value in attributes.items()
    )
    inner = "".join(map(_html, children))
    return Node(f"<{tag}{written}>" if tag in VOID else f"<{tag}{written}>{inner}</{tag}>")


def raw(trusted: str) -> Node:
    """Our own constant text as it is: a style sheet. Never for a value."""
    return Node(trusted)


def page(root: Node) -> str:
    """The whole document."""
    return f"<!doctype html>\n{root.html}\n"


def _html(child: Child) -> str:
    if isinstance(child, Node):
        return child.html
    if isinstance(child, str):
        return escape(safe(child), quote=False)
    return "".join(map(_html, child))
