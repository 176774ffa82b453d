"""The pull request comment says what matters, in few enough characters, and no value in it becomes markup."""

import re
from dataclasses import replace

import report_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds.declared import Declared
from reconciler.plan import Action, ChangeReason, Plan, Verdict, VerdictKind
from reconciler.report import as_markdown
from reconciler.report.as_text import safe
from reconciler.state import Target

EVIL = [
    "`a` | b", "@octocat", "#1", "<script>alert(1)</script>", "```\n# Title", "[x](https://evil)", "https://evil.example",
    "www.evil.example", "</details>", "<!-- modelpolicy plan -->", "**b** _i_ ~~s~~", "\x1b[31m\u202e", "&lt;b&gt;",
    "GH-12", "a@b.example", "~team !12 %3 $4 :+1:", "0.", "12) x",
]  # fmt: skip
TEXT = st.one_of(st.sampled_from(EVIL), st.text(max_size=40))
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {
    as_markdown.MARKER, "<details>", "<summary>", "</summary>", "</details>",
}  # fmt: skip


def plain_of(markdown: str) -> str:
    """What a reader sees of an inline text; fails on any markup at all."""
    (_, inline, _) = PARSER.parse(markdown) or (None, None, None)
    assert inline is not None
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}
    return "".join(child.content for child in inline.children or [])


@settings(deadline=None)
@given(TEXT.filter(lambda text: safe(text).strip() != ""))
def test_prose_shows_the_text_itself_and_nothing_in_it_is_markup(text: str) -> None:
    written = as_markdown.prose(text)
    assert plain_of(written).replace("\u200b", "").strip() == safe(text).strip()
    assert not re.search(r"[@#]\w", plain_of(written))
    assert "://" not in plain_of(written)


@settings(deadline=None)
@given(TEXT.filter(lambda text: safe(text).strip() != ""))
def test_a_code_span_shows_the_text_itself_and_cannot_be_ended_by_it(text: str) -> None:
    (_, inline, _) = PARSER.parse(f"x {as_markdown.code(text)} y")
    kinds = [child.type for child in inline.children or []]
    assert kinds == ["text", "code_inline", "text"]
    assert (inline.children or [])[1].content.strip() == safe(text).strip()


@settings(deadline=None, max_examples=60)
@given(TEXT, TEXT, TEXT)
def test_no_value_in_the_whole_page_makes_html_a_link_or_a_heading(name: str, message: str, value: str) -> None:
    change = samples.limit_change()
    change = replace(
        change,
        address=f"InferenceLimit/{name}", target=Target("InferenceLimit", name), target_name=name,
        notes=(message,), action=Action.REVERT, fields=(replace(change.fields[0], before=value),),
    )  # fmt: skip
    made = samples.plan(
        account=name, changes=(change, replace(change, action=Action.CREATE)), notes=(message,),
        guards=(Verdict("mass-revert", VerdictKind.REFUSED, name, message, value),),
    )  # fmt: skip
    found = (Finding("a-rule", Severity.ERROR, message, value, Location(name, 1, 1), name),)
    written = as_markdown.plan(samples.report(plan=made, findings=found), samples.quiet())
    headings = 0
    for token in PARSER.parse(written):
        headings += token.type == "heading_open"
        if token.type == "html_block":
            left = re.sub(r"[0-9,]+ (changes?|remarks?|unchanged)", "", token.content)
            for part in OURS:
                left = left.replace(part, "")
            assert left.strip() == ""
        for child in token.children or []:
            assert child.type not in ("html_inline", "link_open", "image")
    assert headings == 3


def test_refusals_and_reverts_come_before_the_folded_diff() -> None:
    written = as_markdown.plan(samples.report())
    assert written.startswith(as_markdown.MARKER + "\n\n### modelpolicy plan: 1 to revert, 2 to create, 1 deferred")
    order = [written.index(part) for part in ("**Refused**", "**Errors (1)**", "**Taken back (1)**", "```diff")]
    assert order == sorted(order)


def test_the_page_is_as_it_was_reviewed() -> None:
    samples.assert_golden("plan.md", as_markdown.plan(samples.report()))
    samples.assert_golden("plans.md", as_markdown.plan(samples.report(), samples.quiet()))


def test_a_plan_with_nothing_to_do_says_so() -> None:
    assert "nothing to do, 3 unchanged" in as_markdown.plan(samples.quiet())


def large(creates: int, reverts: int, unchanged: int) -> Plan:
    create = samples.limit_change()
    changes = [replace(create, address=f"InferenceLimit/create-{n}", origin=None) for n in range(creates)]
    changes += [
        replace(create, address=f"InferenceLimit/revert-{n}", action=Action.REVERT, reason=ChangeReason.REMOVED)
        for n in range(reverts)
    ]
    return samples.plan(changes=tuple(changes), unchanged=unchanged)


def many_unchanged(count: int) -> Declared:
    from builders import declared, limit

    return declared(*(limit(f"model-{n}", name=f"unchanged-{n}") for n in range(count)))


def test_over_the_budget_the_unchanged_go_first() -> None:
    written = as_markdown.plan(samples.report(plan=large(5, 5, 3000), declared=many_unchanged(3000)))
    assert len(written) <= as_markdown.BUDGET
    assert "unchanged-0" not in written
    assert "create-4" in written
    assert "3,000 unchanged" in written


def test_over_the_budget_reverts_refusals_errors_and_totals_stay() -> None:
    written = as_markdown.plan(samples.report(plan=large(2000, 400, 3000), declared=many_unchanged(10)))
    assert len(written) <= as_markdown.BUDGET
    assert all(re.search(rf"`InferenceLimit/revert-{n}[` ]", written) for n in range(400))
    assert "**Refused** by guard `limit-below-use`" in written
    assert "`sample-unsupported`" in written
    assert "400 to revert, 2,000 to create, 3,000 unchanged" in written
    assert "create-7" not in written
    assert "Shortened to fit" in written
