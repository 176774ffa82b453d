"""The plan as Markdown, for a pull request's comment: totals, then what was refused and what is taken back, then a folded
diff. Pure.

A comment holds 65,536 characters on GitHub, so there is a budget: the unchanged go first, then remarks, then the diff of
what is created and updated. Totals, refusals, errors and reverts always stay. Whatever came from a file stands in a code
span or fence that it cannot end, or is escaped so that it makes no markup, no mention, no reference and no link.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from reconciler.finding import Finding
from reconciler.plan import Change, Verdict
from reconciler.report import Report
from reconciler.report.as_text import safe, words
from reconciler.report.review import Review, field, name_of, remarks_on, review, said_totals, sign, why

MARKER: Final = "<!-- modelpolicy plan -->"  # by which a workflow finds its own comment again
BUDGET: Final = 60_000
_SHORT: Final = 300  # characters that a message keeps when the page is over its budget
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~&@#$!^])")


def plan(*reports: Report) -> str:
    """The comment for one or several accounts, in at most BUDGET characters as far as what must stay allows."""
    reviews = [review(report) for report in reports]
    for drop in range(len(_DROPS) + 1):
        page = _page(reviews, frozenset(_DROPS[:drop]))
        if len(page) <= BUDGET:
            break
    return page


# What goes first when the page is too long.
_DROPS: Final = ("unchanged", "remarks", "diff", "details")


def _page(reviews: list[Review], dropped: frozenset[str]) -> str:
    totals = {key: sum(one.totals[key] for one in reviews) for key in reviews[0].totals} if reviews else {}
    refused = sum(len(one.refused) for one in reviews)
    blocks = [MARKER, f"### modelpolicy plan: {said_totals(totals)}" if totals else "### modelpolicy plan: no account"]
    if refused:
        blocks[-1] += f", **{refused} refused**"
    for one in reviews:
        blocks += _account(one, dropped, headed=len(reviews) > 1)
    if dropped:
        blocks.append("*Shortened to fit a comment; the whole plan is in the run's own output.*")
    return "\n\n".join(blocks) + "\n"


def _account(one: Review, dropped: frozenset[str], *, headed: bool) -> Iterable[str]:
    short = "details" in dropped
    if headed:
        yield f"#### Account {code(one.account)}: {said_totals(one.totals)}"
    for failed in one.failures:
        yield f"> **Failed** ({failed.reason}): {_message(failed.message, short=short)}"
    for verdict in one.refused:
        yield _refusal(verdict, short=short)
    yield from _list("Errors", one.errors, lambda found: _finding(found, short=short))
    yield from _list("Taken back", one.reverts, lambda change: _revert(change, short=short))
    if one.others or one.reverts:
        yield from [] if "diff" in dropped else [_diff((*one.reverts, *one.others))]
    if "remarks" not in dropped:
        remarks = [_finding(found, short=False) for found in one.remarks]
        remarks += [f"allowed past guard {code(said.id)}{_for(said)}" for said in one.allowed]
        remarks += [prose(note) for note in one.notes]
        if remarks:
            yield _folded(f"{words.count(len(remarks), 'remark')}", "\n".join(f"- {said}" for said in remarks))
    if one.unchanged and "unchanged" not in dropped:
        yield _folded(f"{one.totals['unchanged']:,} unchanged", "\n".join(f"- {code(name)}" for name in one.unchanged))


def _list(title: str, items: Iterable[object], render: Callable[..., str]) -> Iterable[str]:
    lines = [f"- {render(item)}" for item in items]
    if lines:
        yield f"**{title} ({len(lines)})**\n\n" + "\n".join(lines)


def _refusal(verdict: Verdict, *, short: bool) -> str:
    lines = [f"> **Refused** by guard {code(verdict.id)}{_for(verdict)}: {_message(verdict.message, short=short)}"]
    if verdict.hint and not short:
        lines.append(f"> {prose(verdict.hint)}")
    return "  \n".join(lines)


def _for(verdict: Verdict) -> str:
    return f" for {code(verdict.address)}" if verdict.address else ""


def _finding(found: Finding, *, short: bool) -> str:
    where = f" at {code(str(found.location))}" if found.location else ""
    hint = f" ({prose(found.hint)})" if found.hint and not short else ""
    return f"{found.severity} {code(found.rule)}{where}: {_message(found.message, short=short)}{hint}"


def _revert(change: Change, *, short: bool) -> str:
    if short:
        return code(change.address)
    told = "; ".join([*(field(one) for one in change.fields), *remarks_on(change)])
    return f"{code(name_of(change))} ({why(change)}): {prose(told)}"


def _diff(changes: tuple[Change, ...]) -> str:
    lines: list[str] = []
    for change in changes:
        mark = sign(change)
        where = f"  {change.origin}" if change.origin and change.origin.file != change.address else ""
        lines.append(f"{mark} {name_of(change)}  {change.reason}{where}")
        lines += [f"{mark}     {field(one)}" for one in change.fields]
        lines += [f"#     {remark}" for remark in remarks_on(change)]
    text = "\n".join(map(safe, lines))
    fence = "`" * max(3, _longest_run(text) + 1)
    return _folded(words.count(len(changes), "change"), f"{fence}diff\n{text}\n{fence}")


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _message(text: str, *, short: bool) -> str:
    return prose(f"{text[:_SHORT]}…" if short and len(text) > _SHORT else text)


def code(text: str) -> str:
    """The text as a code span that it cannot end: nothing in it is markup, a mention or a reference."""
    shown = safe(text)
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if not shown or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def prose(text: str) -> str:
    """The text as it is, with every character that could be markup escaped, and mentions, issue numbers and links cut.

    GitHub and GitLab look for those after the backslashes are gone, so a zero-width space (as an entity, to be seen in
    the source) parts the sign from what follows it.
    """
    escaped = _MARKUP.sub(r"\\\1", safe(text).lstrip())  # four spaces at its start would make code of it
    cut = re.sub(r"([@#!~%$:&^])(?=\S)", r"\1&#8203;", escaped)
    cut = re.sub(r"(?i)\b(www|gh)(?=[.-])", r"\1&#8203;", cut)
    return re.sub(r"^([-+=]|\d+(?=[.)]))", _not_a_list, cut)  # last: its own entity must not be cut


def _not_a_list(start: re.Match[str]) -> str:
    """A text may start with what would make a list of it; a backslash before a digit would be seen, so that is cut."""
    return f"{start[1]}&#8203;" if start[1].isdigit() else f"\\{start[1]}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
