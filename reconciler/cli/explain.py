"""`modelpolicy explain`: the reference in the terminal, from the kinds, rules, guards, checks and reasons themselves.

Reads nothing and writes nothing; no text of its own beside headings, so it cannot disagree with what happens.
"""

import difflib
import json
from collections.abc import Callable, Iterable
from typing import Final

import click

from reconciler import guards, platforms, rules, schema
from reconciler.cli import common as shared
from reconciler.cli import exits, topics
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.kinds import registry
from reconciler.kinds.common import cited, uncited
from reconciler.load import CHECKS
from reconciler.reasons import MEANING, Reason
from reconciler.report.as_text.layout import Layout, Page, Span
from reconciler.report.status_words import PAUSES
from reconciler.schema import FieldDoc
from reconciler.status.values import TYPES

_PARTS: Final = ("", "spec.", "metadata.", "status.")


@click.command(
    epilog=shared.examples(
        ("modelpolicy explain InferenceLimit", "a kind and its fields"),
        ("modelpolicy explain InferenceLimit.tokens", "one field"),
        ("modelpolicy explain limit-change-interval", "a finding, with the platform's own sentence"),
        ("modelpolicy explain mass-revert", "a guard"),
        ("modelpolicy explain CoolingDown", "a condition's type or reason"),
        ("modelpolicy explain S21", "a fact of the platform, with where from"),
        ("modelpolicy explain 3", "an exit code; exit-codes shows them all"),
        ("modelpolicy explain", "everything there is to explain"),
    )
)
@click.argument("topic", required=False, shell_complete=shared.completing("topics"))
@shared.options()
@click.pass_obj
def command(terminal: Terminal, common: Common, topic: str | None) -> Exit:  # noqa: ARG001  # every verb gets it
    """Explain TOPIC: a kind or one of its fields, the id of a finding or a guard, a condition's type or reason, an exit code, or
    a numbered fact of the platform. Without TOPIC, list them by group.
    """
    page = Layout(terminal.width, terminal.in_color).page()
    if topic is None:
        _everything(page)
    elif not _explained(page, topic.strip()):
        raise click.UsageError(_unknown(topic))
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
    for table, explained in _TABLES:
        for known in table:
            if known.lower() == wanted:
                explained(page, known)
    return len(page.lines) > before


def _kind(name: str) -> str | None:
    """The kind by its name, plural or short name, in any case."""
    wanted = name.lower()
    for kind in registry().values():
        if wanted in (kind.name.lower(), kind.plural, *kind.short_names):
            return kind.name
    return None


def _titled(page: Page, name: str, what: str, text: str) -> None:
    """A heading, and a text in paragraphs."""
    page.gap()
    page.line(Span(name, "bold"), "  ", Span(what, "dim"))
    for paragraph in uncited(text).split("\n\n"):
        page.gap()
        for block in _blocks(paragraph):
            page.wrapped(block)


def _because(page: Page, numbers: Iterable[str]) -> None:
    """The facts that something stands on, with what they say: a bare number tells nobody anything."""
    known = platforms.facts()
    found = [known[number] for number in dict.fromkeys(numbers) if number in known]
    if found:
        page.gap()
        page.line(Span("Because of the platform", "dim"))
        page.rows([(Span(fact.number, "bold"), fact.says) for fact in found], indent=2)


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
    _because(page, kind.facts)
    page.gap()
    page.wrapped(Span(f"More on one field: modelpolicy explain {name}.{_short(fields[0].path)}", "dim"))


def _field(page: Page, kind: str, path: str) -> None:
    fields = schema.fields(kind)
    wanted = {(part + path).lower() for part in _PARTS}
    found = [one for one in fields if one.path.lower() in wanted]
    if not found:
        names = [_short(one.path) for one in fields if one.path.startswith("spec.")]
        near = difflib.get_close_matches(path, names, n=1)
        top = ", ".join(one for one in names if "." not in one and "[" not in one)
        hint = f"did you mean {kind}.{near[0]}?" if near else f"its fields are {top}."
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


def _rule(page: Page, name: str) -> None:
    rule = rules.registry()[name]
    becomes = f", becomes {rule.reason.value}" if rule.reason else ""
    online = ", needs the platform" if rule.needs_platform else ""
    _titled(page, rule.id, f"rule: {rule.severity.value}{becomes}{online}", rule.doc)
    _because(page, (*rule.source, *cited(rule.doc)))
    if rule.phrase:
        page.gap()
        page.line(Span("In the platform's own words", "dim"))
        page.wrapped(rule.phrase, indent=2)


def _guard(page: Page, name: str) -> None:
    doc = guards.GUARDS[name].doc
    _titled(page, name, "guard: judges the whole plan before its first write", doc)
    _because(page, cited(doc))
    page.gap()
    page.wrapped(f'Pass it with --allow {name}[=KIND/NAME] --reason "why".')


def _check(page: Page, name: str) -> None:
    _titled(page, name, "check of the loader", CHECKS[name])


def _condition_type(page: Page, name: str) -> None:
    _titled(page, name, "type of a condition", next(text for type_, text in TYPES.items() if type_.value == name))


def _reason(page: Page, name: str) -> None:
    reason = Reason(name)
    _titled(page, name, "reason of a condition", MEANING[reason])
    causes = [rule.id for rule in rules.registry().values() if rule.reason is reason]
    if causes:
        page.gap()
        page.wrapped(f"Rules that become it: {', '.join(causes)}.")


def _pause(page: Page, name: str) -> None:
    _titled(page, name, "why the platform paused a model", PAUSES[name][0])
    page.gap()
    page.wrapped("modelpolicy status MODEL says what comes next, where, from when on, and who can do it.")


def _exit_code(page: Page, name: str) -> None:
    if name == topics.EXIT_CODES:
        _titled(page, name, "how every verb ends", "Where several hold, the worse one is returned.")
        page.gap()
        page.rows([(Span(str(code.value), "bold"), text) for code, text in exits.MEANING.items()], indent=2)
    else:
        _titled(page, name, "exit code", exits.MEANING[Exit(int(name))])


def _fact(page: Page, name: str) -> None:
    fact = platforms.facts()[name]
    _titled(page, name, "fact of the platform", f"{fact.says[:1].upper()}{fact.says[1:]}.")
    page.gap()
    rows = [("In its own words", fact.phrase)] if fact.phrase else []
    rows.append(("Known from", fact.origin))
    stands = [rule.id for rule in rules.registry().values() if name in (*rule.source, *cited(rule.doc))]
    stands += [kind.name for kind in registry().values() if name in kind.facts]
    if stands:
        rows.append(("Stand on it", ", ".join(stands)))
    page.rows([(Span(what, "dim"), text) for what, text in rows])


# What bears a name of its own, and how it is explained. One name may be in several: Paused is a type and a reason.
_TABLES: Final[tuple[tuple[Iterable[str], Callable[[Page, str], None]], ...]] = (
    (rules.registry(), _rule),
    (tuple(guards.GUARDS), _guard),
    (tuple(CHECKS), _check),
    (topics.groups()["Condition types"], _condition_type),
    (topics.groups()["Reasons"], _reason),
    (tuple(PAUSES), _pause),
    (topics.groups()["Exit codes"], _exit_code),
    (topics.groups()["Facts of the platform"], _fact),
)


def _everything(page: Page) -> None:
    for title, names in topics.groups().items():
        page.gap()
        page.line(Span(title, "bold"))
        page.wrapped(topics.spans(names), indent=2)
    page.gap()
    page.wrapped(
        Span("A field is explained as KIND.FIELD, for example modelpolicy explain InferenceLimit.tokens.", "dim")
    )


def _unknown(name: str) -> str:
    shown = repr(name if len(name) <= 60 else f"{name[:57]}...")
    near = topics.near(name)
    if not near:
        return f"there is nothing called {shown}; `modelpolicy explain` lists what there is."
    *others, last = near
    return f"there is nothing called {shown}: did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
