"""The plan as Markdown, for a comment on a pull request: totals, then what stops it, what is taken back, what changes. Pure.

A comment holds 65,536 characters on GitHub, so the page is fitted into fewer whatever the plan: totals, refused guards and
errors always stand, if need be in a word each; lists are cut and say how many more there are. Whatever came from a file stands
in a code span or fence that it cannot end, or is escaped so that it makes no markup, no mention, no reference and no link.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Final
from urllib.parse import quote

from reconciler.finding import Finding, Severity
from reconciler.plan import Change, Verdict
from reconciler.report import Report, folding
from reconciler.report.as_text import safe, words
from reconciler.report.as_text.of_findings import NAMED, placed
from reconciler.report.catalogue import entry
from reconciler.report.fitting import Block, Form, first_that_fits, fitted, fixed, listed, size, whole
from reconciler.report.folding import Folded
from reconciler.report.markdown import NAME, clip, code, longest_run, message, name, names, prose
from reconciler.report.review import (
    Provenance,
    Review,
    field,
    name_of,
    remarks_on,
    review,
    said_totals,
    sign,
)
from reconciler.state import Failure

BUDGET: Final = 60_000  # UTF-16 units
VISIBLE: Final = 20  # changes that are shown unfolded
REMARKS: Final = 10  # warnings and notes that are
_LONG, _SHORT = 1_000, 160  # characters of a message before it is cut
_MARKER_NAMES: Final = 160
_CUT: Final = "*Cut to fit into a comment; the run's own output has all of it.*"


def plan(*reports: Report, provenance: Provenance | None = None) -> str:
    """The comment for one or several accounts, in at most BUDGET characters; the first line is what finds it again."""
    origin = provenance or Provenance()
    shared = folding.shared(reports)
    reviews = [review(report, shared) for report in reports]
    several = len(reviews) > 1
    head = [
        Block(0, fixed(f"{marker(reviews, origin)}\n\n{_heading(reviews)}")),
        Block(0, fixed(_made(reviews, origin))),
    ]
    common = folding.folded(shared, routine=True)
    head += [*_findings(common), _warnings(common), _infos(common)]
    parts = [[*_account(one, headed=several)] for one in reviews]
    tail = Block(0, fixed(_CUT))
    kept = _as_many_as_fit(parts, reviews, BUDGET - _least([*head, tail]) - _SHORT)
    blocks = [*head, *(block for place in kept for block in parts[place])]
    if len(kept) < len(parts):
        blocks.append(
            Block(0, fixed(f"*and {words.count(len(parts) - len(kept), 'more account')}, which do not fit here.*"))
        )
    full = [text for block in blocks if (text := block.form(BUDGET * 1000))]
    texts = fitted([*blocks, tail], BUDGET)
    if texts[:-1] == full:
        texts = full
    return "\n\n".join(texts) + "\n"


def marker(reviews: Sequence[Review], origin: Provenance) -> str:
    """By which a workflow finds its own comment again: one for these accounts and these files, and no other's."""
    accounts, files = (
        ",".join(quote(one, safe="/.@+") for one in each) for each in ((one.account for one in reviews), origin.under)
    )
    said = f"{accounts} in {files}" if files else accounts
    if len(said) > _MARKER_NAMES:
        said = sha256(said.encode()).hexdigest()[:32]
    return f"<!-- modelpolicy plan: {said} -->"


def _as_many_as_fit(parts: Sequence[Sequence[Block]], reviews: Sequence[Review], room: int) -> list[int]:
    """The places of the accounts whose shortest forms fit together, in order; where not all do, those in trouble first."""
    kept: list[int] = []
    for place in sorted(range(len(parts)), key=lambda place: (reviews[place].calm, place)):
        room -= _least(parts[place])
        if room < 0:
            break
        kept.append(place)
    return sorted(kept)


def _least(blocks: Iterable[Block]) -> int:
    return sum(size(text) + 2 for block in blocks if (text := block.form(0)))


def _heading(reviews: Sequence[Review]) -> str:
    if not reviews:
        return "### modelpolicy plan: no account"
    whose = (
        f"{name(reviews[0].account)} on {reviews[0].platform}" if len(reviews) == 1 else f"{len(reviews):,} accounts"
    )
    return f"### modelpolicy plan for {whose}: {_said(reviews)}"


def _said(reviews: Sequence[Review]) -> str:
    """How it stands in a line: what could not be planned, the totals, what stops."""
    planned = [one for one in reviews if one.observed_at is not None]
    lost = len(reviews) - len(planned)
    calm = all(one.calm for one in reviews)
    said = []
    if lost:
        said.append("**could not be planned**" if len(reviews) == 1 else f"**{lost:,} could not be planned**")
    if planned:
        totals = {key: sum(one.totals[key] for one in planned) for key in planned[0].totals}
        said.append(said_totals(totals, calm=calm))
    failures = sum(len(one.failures) for one in planned)
    wrong = len({found for one in reviews for found in one.errors})
    refused = sum(len(one.refused) for one in reviews)
    said += [f"**{words.count(failures, 'failure')}**"] if failures else []
    said += [f"**{words.count(wrong, 'error')}**"] if wrong else []
    said += [f"**{refused:,} refused**"] if refused else []
    return ", ".join(said)


def _made(reviews: Sequence[Review], origin: Provenance) -> str:
    """Of which commit and files, when it was made, and when the platform was seen."""
    said = [f"commit {code(words.revision(origin.revision))}"] if origin.revision else []
    said += [", ".join(map(name, origin.under[:NAMED]))] if origin.under else []
    said += [f"planned {words.moment(max(one.made_at for one in reviews))}"] if reviews else []
    said += [_seen(reviews[0])] if len(reviews) == 1 else []
    return " · ".join(said)


def _seen(one: Review) -> str:
    return f"observed {words.moment(one.observed_at)}" if one.observed_at else "the platform could not be observed"


def _account(one: Review, *, headed: bool) -> Iterator[Block]:
    if headed:
        yield Block(0, fixed(f"#### {name(one.account)} on {one.platform}: {_said([one])}\n\n{_seen(one)}"))
    yield Block(1, first_that_fits(_failures(one.failures, most) for most in (_LONG, _SHORT, 0)))
    yield Block(2, first_that_fits(_refusals(one.refused, most) for most in (_LONG, _SHORT, 0)))
    errors, remarks = one.said(stopping=True), one.said(stopping=False)
    yield from _findings(errors)
    yield from _changes(one)
    yield _warnings(remarks)
    yield Block(7, _lines("Notes", [*_notes(one)]))
    yield _infos(remarks)
    unchanged = [f"- {name(address)}" for address in one.unchanged]
    yield Block(9, _folded_list("unchanged", unchanged, f"{one.totals['unchanged']:,} unchanged"))


def _findings(errors: Sequence[Folded]) -> Iterator[Block]:
    """Errors: all of them, in the most words that fit; where not even a line each does, each rule with its number."""
    stopping = [each for each in errors if _is(each, Severity.ERROR)]
    if not stopping:
        return
    number = sum(len(each.all) + len(each.follows) for each in stopping)
    head = f"**Errors ({number:,})**\n\n"
    forms = [whole(head, [f"- {_finding(each, most)}" for each in stopping]) for most in (_LONG, _SHORT, 0)]
    yield Block(3, first_that_fits([*forms, whole(head, [*_by_rule(stopping)])]))


def _warnings(remarks: Iterable[Folded]) -> Block:
    """For all to see."""
    return Block(6, _lines("Warnings", [_finding(each, _LONG) for each in remarks if _is(each, Severity.WARNING)]))


def _infos(remarks: Iterable[Folded]) -> Block:
    return Block(
        8, _folded_list("info", [f"- {_finding(each, _LONG)}" for each in remarks if _is(each, Severity.INFO)])
    )


def _is(each: Folded, severity: Severity) -> bool:
    return each.finding.severity is severity


def _by_rule(errors: Iterable[Folded]) -> Iterator[str]:
    met: dict[str, list[Finding]] = {}
    for each in errors:
        met.setdefault(each.finding.rule, []).extend((*each.all, *each.follows))
    for rule, found in met.items():
        yield f"- error {name(rule)} {words.count(len(found), 'time')}, first at {name(placed(found[0]))}"


def _failures(failures: Sequence[Failure], most: int) -> Form:
    """What the world refused."""
    told = [f"> **Failed** ({each.reason}){f': {message(each.message, most)}' if most else ''}" for each in failures]
    return fixed("\n>\n".join(told if most else dict.fromkeys(told)))


def _refusals(refused: Sequence[Verdict], most: int) -> Form:
    """What guards refused: each, or each guard with how many changes it refuses."""
    told = []
    for guard, group in groupby(sorted(refused, key=lambda verdict: verdict.id), key=lambda verdict: verdict.id):
        verdicts = list(group)
        if most and len(verdicts) <= NAMED:
            told += [_refusal(verdict, most) for verdict in verdicts]
        else:
            first, *others = verdicts
            about = f" for {words.count(len(verdicts), 'change')}" if others or first.address else ""
            lines = [f"> **Refused** by guard {name(guard)}{about}"]
            if most:
                lines[0] += f": {message(first.message, most)}"
                lines.append(f"> {names([verdict.address or '' for verdict in verdicts])}")
            told.append("  \n".join(lines))
    return fixed("\n\n".join(told))


def _refusal(verdict: Verdict, most: int) -> str:
    lines = [f"> **Refused** by guard {name(verdict.id)}{_for(verdict)}: {message(verdict.message, most)}"]
    if verdict.hint and most == _LONG:
        lines.append(f"> {message(verdict.hint, most)}")
    return "  \n".join(lines)


def _for(verdict: Verdict) -> str:
    return f" for {name(verdict.address)}" if verdict.address else ""


def _changes(one: Review) -> Iterator[Block]:
    """The first changes for all to see, what is taken back first; the rest folded."""
    ordered = (*one.reverts, *one.others)
    back, on = ordered[:VISIBLE][: len(one.reverts)], ordered[len(one.reverts) : VISIBLE]
    yield Block(4, _diff(f"**Taken back ({len(one.reverts):,})**\n\n", back))
    yield Block(5, _diff(f"**Changes ({len(one.others):,})**\n\n", on))
    if rest := ordered[VISIBLE:]:
        summary = words.count(len(rest), "more change")
        yield Block(10, _diff(f"<details><summary>{summary}</summary>\n\n", rest, "\n\n</details>"))


def _diff(head: str, changes: Sequence[Change], tail: str = "") -> Form:
    told = ["\n".join(map(safe, _change(change))) for change in changes]
    fence = "`" * max(3, max(map(longest_run, told), default=0) + 1)
    shortest = f"{head}{tail}" if changes else ""
    full = listed(f"{head}{fence}diff\n", told, lambda more: f"#     and {more:,} more", f"\n{fence}{tail}")
    return first_that_fits([full, fixed(shortest)])


def _change(change: Change) -> Iterator[str]:
    mark = sign(change)
    where = f"  {clip(str(change.origin), NAME)}" if change.origin and change.origin.file != change.address else ""
    yield f"{mark} {clip(name_of(change), NAME)}  {change.reason}{where}"
    for one in change.fields:
        yield clip(f"{mark}     {field(one)}", _LONG)
    yield from (clip(f"#     {remark}", _LONG) for remark in remarks_on(change))


def _lines(title: str, lines: Sequence[str]) -> Form:
    head = f"**{title} ({len(lines):,})**\n\n"
    full = listed(head, [f"- {line}" for line in lines], lambda more: f"- and {more:,} more", most=REMARKS)
    return first_that_fits([full, fixed(f"**{title} ({len(lines):,})**" if lines else "")])


def _folded_list(noun: str, lines: Sequence[str], summary: str = "") -> Form:
    if not lines:
        return fixed("")
    said = summary or words.count(len(lines), noun)
    head, tail = f"<details><summary>{said}</summary>\n\n", "\n\n</details>"
    full = listed(head, lines, lambda more: f"- and {more:,} more", tail)
    return first_that_fits([full, fixed(f"*{said}*")])


def _notes(one: Review) -> Iterator[str]:
    for verdict in one.allowed:
        yield f"allowed past guard {name(verdict.id)}{_for(verdict)}: {message(verdict.message, _SHORT)}"
    yield from (message(note, _LONG) for note in one.notes)


def _finding(each: Folded, most: int) -> str:
    """One line of a list; with `most` 0 only what and where."""
    found = each.finding
    if each.routine and each.same:
        items = names([one.resource or str(one.location) for one in each.all])
        return f"{found.severity} {name(found.rule)} {len(each.all):,} times: {prose(entry(found.rule).short)} {items}"
    where = (
        f" at {name(str(found.location))}"
        if found.location
        else f" of {name(found.resource)}"
        if found.resource
        else ""
    )
    line = f"{found.severity} {name(found.rule)}{where}"
    if most:
        line += f": {message(found.message, most)}"
    if found.hint and most == _LONG:
        line += f" ({message(found.hint, most)})"
    if each.same:
        line += (
            f"; also {names(map(placed, each.same))}"
            if most
            else f"; also at {words.count(len(each.same), 'other place')}"
        )
    if each.follows:
        said = words.count(len(each.follows), "finding follows", "findings follow")
        line += f"; {said} from it" + (f": {names(map(placed, each.follows))}" if most else "")
    return line
