"""`modelpolicy explain`: the reference in the terminal, from the kinds, rules, guards, checks and reasons themselves.

Reads nothing and writes nothing; no text of its own beside headings, so it cannot disagree with what happens.
"""

import difflib
import json
from collections.abc import Iterable
from typing import Final

import click

from reconciler import guards, rules, schema
from reconciler.cli import common as shared
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.kinds import registry
from reconciler.load import CHECKS
from reconciler.reasons import MEANING, Reason
from reconciler.report.as_text.layout import Layout, Page, Span
from reconciler.schema import FieldDoc

_PARTS: Final = ("", "spec.", "metadata.", "status.")


@click.command(
    epilog=shared.examples(
        ("modelpolicy explain InferenceLimit", "a kind and its fields"),
        ("modelpolicy explain InferenceLimit.tokens", "one field"),
        ("modelpolicy explain limit-change-interval", "a rule, with the platform's own sentence"),
        ("modelpolicy explain mass-revert", "a guard"),
        ("modelpolicy explain CoolingDown", "a condition's reason"),
        ("modelpolicy explain", "everything there is to explain"),
    )
)
@click.argument("name", metavar="KIND[.FIELD]|RULE|GUARD|REASON", required=False)
@shared.options()
@click.pass_obj
def command(terminal: Terminal, common: Common, name: str | None) -> Exit:  # noqa: ARG001  # every verb gets it
    """Explain a kind or one of its fields, a rule, a guard, a loader's check or a condition's reason."""
    page = Layout(terminal.width, terminal.in_color).page()
    if name is None:
        _everything(page)
    elif not _explained(page, name):
        raise click.UsageError(_unknown(name))
    terminal.artefact(page.text())
    return Exit.OK


def _explained(page: Page, name: str) -> bool:
    """Write all that bears the name; whether there was anything."""
    before = len(page.lines)
    kind, _, path = name.partition(".")
    if known := _kind(kind):
        if path:
            _field(page, known, path)
        else:
            _kind_page(page, known)
    wanted = name.lower()
    for rule in rules.registry().values():
        if rule.id == wanted:
            _rule(page, rule)
    for guard in guards.GUARDS.values():
        if guard.id == wanted:
            _titled(page, guard.id, "guard: judges the whole plan before its first write", guard.doc)
            page.gap()
            page.wrapped(f'Pass it with --allow {guard.id}[=KIND/NAME] --reason "why".')
    if wanted in CHECKS:
        _titled(page, wanted, "check of the loader", CHECKS[wanted])
    for reason in Reason:
        if reason.value.lower() == wanted:
            _reason(page, reason)
    return len(page.lines) > before


def _kind(name: str) -> str | None:
    """The kind by its name, plural or short name, in any case."""
    wanted = name.lower()
    for kind in registry().values():
        if wanted in (kind.name.lower(), kind.plural, *kind.short_names):
            return kind.name
    return None


def _titled(page: Page, name: str, what: str, text: str) -> None:
    page.gap()
    page.line(Span(name, "bold"), "  ", Span(what, "dim"))
    for paragraph in text.split("\n\n"):
        page.gap()
        for block in _blocks(paragraph):
            page.wrapped(block)


def _blocks(paragraph: str) -> Iterable[str]:
    """A paragraph's lines joined, but for those that start something: "Why: ..." and "What to do: ..."."""
    blocks: list[str] = []
    for line in paragraph.splitlines():
        starts = not blocks or line.startswith(("Why:", "What to do:", "- "))
        if starts:
            blocks.append(line.strip())
        else:
            blocks[-1] += " " + line.strip()
    return blocks


def _kind_page(page: Page, name: str) -> None:
    kind = registry()[name]
    _titled(page, name, f"kind ({', '.join((kind.plural, *kind.short_names))})", kind.doc)
    fields = [one for one in schema.fields(name) if one.path.startswith("spec.")]
    for one in fields:
        page.gap()
        page.line("  ", Span(_short(one.path), "bold"), "  ", Span(_type(one), "dim"))
        page.wrapped(one.description or _choices(one), indent=6)
    page.gap()
    page.wrapped(Span(f"More on one field: modelpolicy explain {name}.{_short(fields[0].path)}", "dim"))


def _field(page: Page, kind: str, path: str) -> None:
    fields = schema.fields(kind)
    wanted = {(part + path).lower() for part in _PARTS}
    found = [one for one in fields if one.path.lower() in wanted]
    if not found:
        names = [_short(one.path) for one in fields if one.path.startswith("spec.")]
        near = difflib.get_close_matches(path, names, n=1)
        hint = f"did you mean {kind}.{near[0]}?" if near else f"its fields are {', '.join(names)}."
        raise click.UsageError(f"{kind} has no field {path!r}: {hint}")
    one = found[0]
    _titled(page, f"{kind}.{one.path}", _type(one), one.description)
    page.gap()
    if one.enum:
        page.wrapped(f"One of: {_choices(one)}.")
    page.wrapped("Required." if one.required else f"Optional; default: {_default(one)}.")
    below = [inner for inner in fields if inner.path.startswith((one.path + ".", one.path + "["))]
    if below:
        page.gap()
        page.rows(
            [(Span(inner.path.removeprefix(one.path + "."), "bold"), Span(_type(inner), "dim"), inner.description)
             for inner in below],
            indent=2,
        )  # fmt: skip


def _short(path: str) -> str:
    return path.removeprefix("spec.")


def _type(field: FieldDoc) -> str:
    return field.type + (", required" if field.required else "")


def _choices(field: FieldDoc) -> str:
    return ", ".join(field.enum)


def _default(field: FieldDoc) -> str:
    if field.default is None:
        return "none"
    return field.default if isinstance(field.default, str) else json.dumps(field.default, ensure_ascii=False)


def _rule(page: Page, rule: rules.Rule) -> None:
    becomes = f", becomes {rule.reason.value}" if rule.reason else ""
    online = ", needs the platform" if rule.needs_platform else ""
    _titled(page, rule.id, f"rule: {rule.severity.value}{becomes}{online}", rule.doc)
    if rule.source:
        page.gap()
        page.wrapped(Span(f"From {', '.join(rule.source)} in docs/platform.md", "dim"), ":" if rule.phrase else "")
        if rule.phrase:
            page.wrapped(rule.phrase, indent=2)


def _reason(page: Page, reason: Reason) -> None:
    _titled(page, reason.value, "reason of a condition", MEANING[reason])
    causes = [rule.id for rule in rules.registry().values() if rule.reason is reason]
    if causes:
        page.gap()
        page.wrapped(f"Rules that become it: {', '.join(causes)}.")


def _everything(page: Page) -> None:
    for title, names in _names():
        page.gap()
        page.line(Span(title, "bold"))
        page.wrapped(", ".join(names), indent=2)


def _names() -> list[tuple[str, list[str]]]:
    return [
        ("Kinds", list(registry())),
        ("Rules", list(rules.registry())),
        ("Guards", list(guards.GUARDS)),
        ("Checks of the loader", sorted(CHECKS)),
        ("Reasons of conditions", [reason.value for reason in Reason]),
    ]


def _unknown(name: str) -> str:
    groups = _names()
    every = {known.lower(): known for _, names in groups for known in names}
    kind, dot, path = name.partition(".")
    near = difflib.get_close_matches(kind.lower(), every, n=1)
    if near:
        return f"there is nothing called {name!r}: did you mean {every[near[0]]}{dot}{path}?"
    listed = "; ".join(f"{title.lower()}: {', '.join(names)}" for title, names in groups[:3])
    return f"there is nothing called {name!r}. There are {listed}. More: modelpolicy explain"
