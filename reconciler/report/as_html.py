"""The plan as one HTML page that a person enjoys: self-contained, light and dark, from a phone's width up. Pure.

The page loads nothing, runs nothing and sends nothing: its policy allows only its own style sheet, named by its hash.
Everything from outside goes through `markup.element`, which escapes it.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final

from reconciler import __version__
from reconciler.plan import Action, Change, ChangeReason, FieldChange, Verdict, kind_of
from reconciler.report import Report
from reconciler.report.as_text import words
from reconciler.report.as_text.of_findings import listed, placed
from reconciler.report.catalogue import entry
from reconciler.report.folding import Folded
from reconciler.report.markup import Child, Node, element, page, raw
from reconciler.report.review import TOTALS, Review, name_of, remarks_on, review, said_totals, why
from reconciler.report.style import SHEET

_HASH: Final = base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"

_SIGNS: Final = {Action.CREATE: "+", Action.UPDATE: "~", Action.REVERT: "\N{MINUS SIGN}"}


def plan(*reports: Report) -> str:
    """The page for one or several accounts."""
    pairs = [(report, review(report)) for report in reports]
    names = ", ".join(one.account for _, one in pairs)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", f"Plan for {names}" if names else "Plan"),
        element("style", raw(SHEET)),
    )
    body = element(
        "body",
        element("header", element("p", "modelpolicy plan", class_="eyebrow"), _title([one for _, one in pairs])),
        element("main", [_account(report, one, alone=len(pairs) == 1) for report, one in pairs]),
        element("footer", element("p", f"modelpolicy {__version__}. This page loads nothing and sends nothing.")),
    )
    return page(element("html", head, body, lang="en"))


def _title(reviews: list[Review]) -> Node:
    if len(reviews) == 1:
        return element("h1", f"{reviews[0].account} on {reviews[0].platform}")
    return element("h1", f"{len(reviews)} accounts")


def _account(report: Report, one: Review, *, alone: bool) -> Node:
    now = report.started_at
    parts: list[Child] = [] if alone else [element("h2", f"{one.account} on {one.platform}")]
    parts += [_facts(report), _bar(one), _totals(one)]
    parts += [_alerts(one)]
    parts += [_changes("Taken back", one.reverts, now)]
    parts += [_by_model(one.others, now)]
    if one.calm and not (one.reverts or one.others):
        parts.append(
            element(
                "div",
                element("p", element("strong", "Nothing to do.")),
                element("p", "What is live is what is declared."),
                class_="calm",
            )
        )
    parts += [element("div", _more(one), class_="rest")]
    return element("section", parts, class_="account", aria_label=f"Account {one.account}")


def _facts(report: Report) -> Node:
    observed = report.plan.observed_at
    seen = f"Observed {words.moment(observed)}" if observed else "The platform could not be observed"
    digest = report.plan.inputs_digest.removeprefix("sha256:")[:12]
    return element("p", seen, " · inputs ", element("code", digest), class_="facts")


def _bar(one: Review) -> Node:
    """The totals as one bar, for the eye; its label says the same."""
    whole = sum(one.totals.values())
    rects, at = [], 0.0
    for key, _ in TOTALS:
        width = 100 * one.totals[key] / whole if whole else 0
        if width:
            rects.append(element("rect", x=f"{at:.3f}", y="0", width=f"{width:.3f}", height="1", class_=f"fill-{key}"))
        at += width
    return element(
        "svg", rects, class_="bar", viewBox="0 0 100 1", preserveAspectRatio="none", role="img",
        aria_label=said_totals(one.totals, calm=one.calm) if one.observed_at else "could not be planned",
    )  # fmt: skip


def _totals(one: Review) -> Node:
    return element(
        "dl",
        [
            element(
                "div",
                element("dt", how),
                element("dd", f"{one.totals[key]:,}", class_=f"ink-{key}" if one.totals[key] else ""),
                class_="" if one.totals[key] else "none",
            )
            for key, how in TOTALS
        ],
        class_="totals",
    )


def _alerts(one: Review) -> Iterator[Node]:
    """What stops the plan: failures of the world, refusals, errors."""
    if not (one.failures or one.refused or one.errors):
        return
    yield element("h2", "Stops here", _count(len(one.failures) + len(one.refused) + len(one.errors)))
    for failed in one.failures:
        yield _alert(f"{failed.reason}", "", failed.message, "")
    for verdict in one.refused:
        yield _alert(f"Refused by guard {verdict.id}", verdict.address or "", verdict.message, verdict.hint)
    for each in one.said(stopping=True):
        found = each.finding
        yield _alert(found.rule, str(found.location or found.resource or ""), found.message, found.hint, _beside(each))


def _alert(title: str, where: str, message: str, hint: str, more: Iterable[str] = ()) -> Node:
    parts = [element("p", element("strong", title), [" ", element("code", where)] if where else "")]
    parts += [element("p", message)] if message else []
    parts += [element("p", hint, class_="help")] if hint else []
    parts += [element("p", said, class_="help") for said in more]
    return element("div", parts, class_="alert")


def _beside(each: Folded) -> Iterator[str]:
    """Where else the same is so, and what follows from it."""
    if each.same:
        yield f"Also: {listed(map(placed, each.same))}"
    if each.follows:
        said = words.count(len(each.follows), "finding follows", "findings follow")
        yield f"{said} from it: {listed(map(placed, each.follows))}"


def _changes(title: str, changes: tuple[Change, ...], now: datetime) -> Iterator[Node]:
    if changes:
        yield element("h2", title, _count(len(changes)))
        yield element("ul", [_change(change, now) for change in changes], class_="changes")


def _by_model(changes: tuple[Change, ...], now: datetime) -> Iterator[Node]:
    """What is created and updated, model by model in the plan's order of first mention."""
    if not changes:
        return
    yield element("h2", "Changes", _count(len(changes)))
    models = list(dict.fromkeys(change.model for change in changes))
    for model, held in groupby(sorted(changes, key=lambda change: models.index(change.model)), lambda one: one.model):
        yield element("h3", model or "the account's switches", class_="model")
        yield element("ul", [_change(change, now) for change in held], class_="changes")


def _change(change: Change, now: datetime) -> Node:
    tone = kind_of(change, now)
    said = {"deferred": "deferred", "manual": "by hand"}.get(tone, change.action.value)
    where: Child = [element("span", str(change.origin), class_="where")] if change.origin else ""
    top = element(
        "p", element("code", name_of(change)), " ", element("span", said, class_=f"tag wash-{tone}"), " ", where,
        class_="top",
    )  # fmt: skip
    # That a declared thing is declared need not be said on every line.
    reason = [] if change.reason is ChangeReason.DECLARED else [why(change).capitalize() + "."]
    remarks = [element("li", one) for one in (*reason, *remarks_on(change))]
    body = element("div", top, _fields(change.fields), element("ul", remarks, class_="remarks") if remarks else "")
    return element("li", element("span", _SIGNS[change.action], class_=f"sign wash-{tone}", aria_hidden="true"), body)


def _fields(changed: tuple[FieldChange, ...]) -> Child:
    return element("table", [_field(one) for one in changed], class_="fields") if changed else ""


def _field(one: FieldChange) -> Node:
    seen = one.before is not None and isinstance(one.before, str | int | tuple) and one.before != ()
    more = words.percent(one.before, one.after)
    return element(
        "tr",
        element("th", one.path, scope="row"),
        element(
            "td",
            element("span", words.value(one.path, one.before), class_="before" if seen else "before absent"),
            element("span", " → ", class_="arrow"),
            element("span", words.value(one.path, one.after), class_="after"),
            element("span", f" {more}", class_="more") if more else "",
        ),
    )


def _more(one: Review) -> Iterator[Node]:
    """What need not be read: remarks, what the guards let pass, what stays as it is."""
    remarks = [_finding(each) for each in one.said(stopping=False)]
    remarks += [element("li", element("p", _tag("note"), class_="top"), element("p", note)) for note in one.notes]
    yield from _folded("Remarks", len(remarks), remarks, opened=True)
    guards = [_guard("allowed", "warning", said) for said in one.allowed]
    guards += [_guard("passed", "info", said) for said in one.passed]
    yield from _folded("Guards that let it pass", len(guards), guards)
    names = [element("li", element("code", name)) for name in one.unchanged]
    yield from _folded("Unchanged", one.totals["unchanged"] if names else 0, names, class_="names")


def _folded(title: str, count: int, items: list[Node], *, opened: bool = False, class_: str = "") -> Iterator[Node]:
    if items:
        state = {"open": ""} if opened else {}
        yield element("details", element("summary", title, _count(count)), element("ul", items, class_=class_), **state)


def _finding(each: Folded) -> Node:
    found = each.finding
    if each.routine and each.same:
        names = listed(one.resource or str(one.location) for one in each.all)
        top = element(
            "p", _tag(found.severity.value), " ", element("code", found.rule), _count(len(each.all)), class_="top"
        )
        return element("li", top, element("p", entry(found.rule).short), element("p", names, class_="help"))
    where: Child = [" ", element("span", str(found.location), class_="where")] if found.location else ""
    hint: Child = element("p", found.hint, class_="help") if found.hint else ""
    top = element("p", _tag(found.severity.value), " ", element("code", found.rule), where, class_="top")
    return element(
        "li", top, element("p", found.message), hint, [element("p", said, class_="help") for said in _beside(each)]
    )


def _guard(said: str, tone: str, verdict: Verdict) -> Node:
    where: Child = [" ", element("code", verdict.address)] if verdict.address else ""
    return element(
        "li", element("span", said, class_=f"tag wash-{tone}"), " ", element("code", verdict.id), where,
        f" {verdict.message}" if verdict.message else "",
    )  # fmt: skip


def _tag(word: str) -> Node:
    return element("span", word, class_=f"tag wash-{word}")


def _count(number: int) -> Node:
    return element("span", f" {number:,}", class_="count")
