"""The pull request comment says what matters, in few enough characters, and no value in it becomes markup."""

import re
from dataclasses import replace
from html import unescape

import pytest
import report_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds.declared import Declared
from reconciler.plan import Action, ChangeReason, Plan, Verdict, VerdictKind
from reconciler.report import as_markdown, as_text, markdown
from reconciler.report.as_text import safe
from reconciler.report.review import Provenance
from tests.report import filled, scenes

EVIL = [
    "`a` | b", "@octocat", "#1", "<script>alert(1)</script>", "```\n# Title", "[x](https://evil)", "https://evil.example",
    "www.evil.example", "</details>", "<!-- modelpolicy plan -->", "**b** _i_ ~~s~~", "\x1b[31m\u202e", "&lt;b&gt;",
    "GH-12", "a@b.example", "~team !12 %3 $4 :+1:", "0.", "12) x",
]  # fmt: skip
TEXT = st.one_of(st.sampled_from(EVIL), st.text(max_size=40))
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
GITHUBLIKE = MarkdownIt("gfm-like", {"linkify": False, "html": True})
OURS = re.compile(
    r"<!-- modelpolicy plan: [\w.,+@%~ /-]+ -->|</details>|<details><summary>[\d,]+ (more changes?|infos?|unchanged)</summary>"
)


def plain_of(markdown: str) -> str:
    """What a reader sees of an inline text; fails on any markup at all."""
    (_, inline, _) = PARSER.parse(markdown) or (None, None, None)
    assert inline is not None
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}
    return "".join(child.content for child in inline.children or [])


@settings(deadline=None)
@given(TEXT.filter(lambda text: safe(text).strip() != ""))
def test_prose_shows_the_text_itself_and_nothing_in_it_is_markup(text: str) -> None:
    written = markdown.prose(text)
    assert plain_of(written).replace("\u200b", "").strip() == safe(text).strip()
    assert not re.search(r"[@#]\w", plain_of(written))
    assert "://" not in plain_of(written)


@settings(deadline=None)
@given(TEXT.filter(lambda text: safe(text).strip() != ""))
def test_a_code_span_shows_the_text_itself_and_cannot_be_ended_by_it(text: str) -> None:
    (_, inline, _) = PARSER.parse(f"x {markdown.code(text)} y")
    kinds = [child.type for child in inline.children or []]
    assert kinds == ["text", "code_inline", "text"]
    assert (inline.children or [])[1].content.strip() == safe(text).strip()


def outline(written: str) -> list[str]:
    """What the page is made of, as a renderer reads it; fails on any HTML that is not ours, and on any link or picture."""
    kinds, opened = [], 0
    for token in PARSER.parse(written):
        kinds.append(f"{token.type} {token.info}".rstrip())
        if token.type == "html_block":
            left = OURS.sub("", token.content)
            assert left.strip() == "", left
            opened += token.content.count("<details>") - token.content.count("</details>")
            assert opened in (0, 1)
        for child in token.children or []:
            assert child.type in ("text", "text_special", "code_inline", "strong_open", "strong_close", "em_open", "em_close",
                                  "hardbreak", "softbreak"), child  # fmt: skip
    assert opened == 0
    return kinds


@settings(deadline=None, max_examples=60)
@given(TEXT.filter(lambda text: safe(text).strip() != ""))
def test_no_value_in_any_place_changes_how_the_page_is_read(text: str) -> None:
    """The page with a hostile text in every place has the outline of the page with a harmless one."""
    assert outline(as_markdown.plan(filled.report(text))) == outline(as_markdown.plan(filled.report("x")))


@pytest.mark.parametrize("text", EVIL, ids=ascii)
def test_a_renderer_shows_no_mention_reference_or_link_from_a_value(text: str) -> None:
    html = GITHUBLIKE.render(as_markdown.plan(filled.report(text), filled.report(text)))
    outside_code = re.sub(r"<code.*?</code>", "", html, flags=re.DOTALL)
    shown = unescape(re.sub(r"<[^>]*>", "", outside_code))
    assert not re.search(r"(?<![\w`])[@#!~%$&^][\w\[({]", shown), shown
    assert not re.search(r"://\w|www\.\w|(?i:gh-)\d|:\+1:", shown)
    assert not re.search(r"<(a|img|script|b|table)[ >]", html)


def test_what_stops_and_what_is_taken_back_comes_before_the_changes() -> None:
    written = as_markdown.plan(samples.report())
    first, _, heading = written.split("\n")[:3]
    assert first == "<!-- modelpolicy plan: default -->"
    assert heading == (
        "### modelpolicy plan for `default` on embedded: 1 to revert, 2 to create, 1 deferred, 1 by hand, 12 unchanged, "
        "**1 failure**, **1 error**, **1 refused**"
    )
    order = [written.index(part) for part in ("**Failed**", "**Refused**", "**Errors (1)**", "**Taken back (1)**", "**Changes (4)**",
                                              "**Warnings (1)**", "**Notes (3)**")]  # fmt: skip
    assert order == sorted(order)


def test_the_page_is_as_it_was_reviewed() -> None:
    made = Provenance(revision="0123456789abcdef0123456789abcdef01234567", under=("policies",))
    samples.assert_golden("plan.md", as_markdown.plan(samples.report(), provenance=made))
    samples.assert_golden(
        "plans.md", as_markdown.plan(samples.report(), samples.quiet(), scenes.unreachable(), provenance=made)
    )


def test_a_plan_with_nothing_to_do_says_so() -> None:
    assert "nothing to do, 3 unchanged" in as_markdown.plan(samples.quiet())


def test_a_plan_that_could_not_be_made_is_not_headed_nothing_to_do() -> None:
    alone = as_markdown.plan(scenes.unreachable())
    assert "### modelpolicy plan for `default` on embedded: **could not be planned**\n" in alone
    assert "the platform did not answer within 30 s" in alone
    both = as_markdown.plan(scenes.busy(), scenes.unreachable())
    assert "### modelpolicy plan for 2 accounts: **1 could not be planned**, 1 to revert," in both
    assert "on embedded: **could not be planned**" in both
    assert "othing to do" not in alone + both


def test_the_heading_names_account_platform_commit_files_and_times() -> None:
    made = Provenance(revision="0123456789abcdef0123456789abcdef01234567", under=("policies/prod",))
    written = as_markdown.plan(scenes.busy(), provenance=made)
    assert "for `default` on embedded:" in written
    assert (
        "commit `0123456789ab` · `policies/prod` · planned 2026-11-23 12:00 UTC · observed 2026-11-23 12:00 UTC"
        in written
    )


def test_a_commit_with_changes_that_are_not_in_it_is_said_to_have_them() -> None:
    made = Provenance(revision="0123456789abcdef0123456789abcdef01234567+dirty")
    assert "commit `0123456789ab+dirty`" in as_markdown.plan(scenes.busy(), provenance=made)


def marker(*names: str, under: tuple[str, ...] = (), revision: str = "") -> str:
    reports = [replace(scenes.quiet(), plan=replace(scenes.quiet().plan, account=name)) for name in names]
    return as_markdown.plan(*reports, provenance=Provenance(revision=revision, under=under)).split("\n")[0]


def test_each_account_and_folder_has_a_marker_of_its_own_whatever_the_commit() -> None:
    assert marker("prod") == "<!-- modelpolicy plan: prod -->"
    assert marker("prod", under=("envs/prod",), revision="1") == marker("prod", under=("envs/prod",), revision="2")
    different = [marker("prod"), marker("dev"), marker("dev", "prod"), marker("prod", under=("a",)), marker("prod", under=("a", "b")),
                 marker("prod", under=("a,b",)), marker("prod in a"), marker(*map(str, range(999))), marker(*map(str, range(998)))]  # fmt: skip
    assert len(set(different)) == len(different)
    assert all(
        re.fullmatch(r"<!-- modelpolicy plan: [\w.,+@%~ /-]{1,120} -->", one) or len(one) < 220 for one in different
    )
    assert OURS.fullmatch(marker("-->\n<b>", under=("a --> b",)))


def test_up_to_twenty_changes_are_unfolded_and_the_rest_is_folded() -> None:
    few = as_markdown.plan(samples.report(plan=large(18, 2, 0)))
    assert "more change" not in few
    many = as_markdown.plan(samples.report(plan=large(30, 5, 0)))
    before, _, folded = many.partition("<details><summary>15 more changes</summary>")
    assert before.count("InferenceLimit/create-") == 15
    assert before.count("InferenceLimit/revert-") == 5
    assert folded.count("InferenceLimit/create-") == 15


def large(creates: int, reverts: int, unchanged: int, **more: object) -> Plan:
    create = samples.limit_change()
    changes = [replace(create, address=f"InferenceLimit/create-{n}", origin=None) for n in range(creates)]
    changes += [
        replace(create, address=f"InferenceLimit/revert-{n}", action=Action.REVERT, reason=ChangeReason.REMOVED)
        for n in range(reverts)
    ]
    return samples.plan(changes=tuple(changes), unchanged=unchanged, **more)


def many_unchanged(count: int) -> Declared:
    from builders import declared, limit

    return declared(*(limit(f"model-{n}", name=f"unchanged-{n}") for n in range(count)))


def test_over_the_budget_the_unchanged_go_first() -> None:
    written = as_markdown.plan(samples.report(plan=large(5, 5, 3000), declared=many_unchanged(3000)))
    assert fits(written)
    assert "create-4" in written
    assert "3,000 unchanged" in written
    assert "unchanged-2999" not in written
    assert "Cut to fit" in written


def fits(written: str) -> bool:
    return len(written.encode("utf-16-le")) // 2 <= as_markdown.BUDGET == 60_000


def refusals(number: int) -> tuple[Verdict, ...]:
    return tuple(
        Verdict("consent", VerdictKind.REFUSED, f"ModelActivation/m{n}", f"m{n} would be activated", "say so")
        for n in range(number)
    )


def wrong(number: int) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            f"rule-{n % 3}",
            Severity.ERROR,
            f"value {n} is wrong " * 20,
            "mend it",
            Location(f"policies/{n}.yaml", n + 1, 3),
        )
        for n in range(number)
    )


@pytest.mark.parametrize("number", [0, 1, 40, 400, 10_000])
def test_whatever_the_plan_totals_refused_guards_and_errors_stand_and_the_page_fits(number: int) -> None:
    made = large(
        number,
        number,
        number,
        guards=(*refusals(number), Verdict("mass-revert", VerdictKind.REFUSED, None, "too many", "allow")),
    )
    written = as_markdown.plan(samples.report(plan=made, findings=wrong(number), declared=many_unchanged(number)))
    assert fits(written)
    outline(written)
    assert f"**{number + 1:,} refused**" in written
    assert "by guard `mass-revert`" in written
    if number:
        assert f"{number:,} to revert, {number:,} to create" in written
        assert "by guard `consent`" in written
        assert f"**Errors ({number:,})**" in written
        assert all(f"`rule-{n}`" in written for n in range(min(number, 3)))
    if number == 400:
        assert all(f"`policies/{n}.yaml:{n + 1}:3`" in written for n in range(400))
    if number == 10_000:
        assert "- error `rule-0` 3,334 times, first at" in written
        assert "Cut to fit" in written


@pytest.mark.parametrize(
    "text", ["@" * 60_000, "`" * 70_000, "😀" * 70_000, "中" * 100_000, "\x1b" * 70_000, "<!--" * 9_000]
)
def test_no_single_value_is_so_long_that_the_page_does_not_fit(text: str) -> None:
    written = as_markdown.plan(filled.report(text), filled.report(text))
    assert fits(written)
    outline(written)


def test_of_more_accounts_than_fit_those_in_trouble_stay_and_all_are_counted() -> None:
    quiet = [replace(scenes.quiet(), plan=replace(scenes.quiet().plan, account=f"account-{n}")) for n in range(2_000)]
    lost = replace(scenes.unreachable(), plan=replace(scenes.unreachable().plan, account="lost"))
    written = as_markdown.plan(*quiet, lost)
    assert fits(written)
    assert (
        "### modelpolicy plan for 2,001 accounts: **1 could not be planned**, no changes, 24,000 unchanged" in written
    )
    assert "#### `lost` on embedded: **could not be planned**" in written
    assert re.search(r"\*and [\d,]+ more accounts, which do not fit here", written)


def test_what_is_wrong_with_a_file_of_several_accounts_is_told_once() -> None:
    first = replace(scenes.busy(), findings=(scenes.ERROR, *scenes.FINDINGS))
    second = replace(scenes.quiet(), findings=(scenes.ERROR, scenes.FINDINGS[0]))
    for written in (as_markdown.plan(first, second), as_text.plan(first, second)):
        assert written.count(scenes.ERROR.rule) == 1
        assert written.count(scenes.FINDINGS[0].rule) == 1
    written = as_markdown.plan(first, second)
    assert written.count("**1 error**") == 3  # for both together, and in the heading of each, which it stops
    assert written.index(scenes.ERROR.rule) < written.index("#### ")
