"""What says the same is told once with how often, and what follows from another stands under it."""

from dataclasses import replace

from reconciler.finding import Finding, Location, Severity
from reconciler.plan import Verdict, VerdictKind
from reconciler.report import as_github, as_html, as_json, as_markdown, as_text, folding
from reconciler.report.as_text.layout import Layout
from reconciler.state import ActivationState
from tests import builders as b
from tests.report import scenes

ACCOUNT = Finding("unknown-field", Severity.ERROR, "`spec.platfrom` is not a field", "did you mean platform?",
                  Location("accounts.yaml", 4, 3), "PlatformAccount/prod")  # fmt: skip


def lost(number: int) -> Finding:
    return Finding(
        "unknown-account", Severity.ERROR, f"PlatformAccount prod could not be loaded, so nothing of {number} is carried out",
        "Mend the account at accounts.yaml:1:1.", Location("teams.yaml", number, 1), f"InferenceLimit/m{number}",
        follows=Location("accounts.yaml", 1, 1),
    )  # fmt: skip


def retiring(number: int) -> Finding:
    return Finding(
        "deprecated-model", Severity.WARNING, f"the platform marks m{number} as retiring", f"Move to a successor of m{number}.",
        Location("a.yaml", number, 1), f"ModelActivation/m{number}",
    )  # fmt: skip


def test_findings_that_follow_from_another_are_folded_under_it() -> None:
    (one,) = folding.folded([*(lost(n) for n in range(1, 39)), ACCOUNT])
    assert one.finding is ACCOUNT
    assert len(one.follows) == 38
    text = as_text.findings([*(lost(n) for n in range(1, 39)), ACCOUNT], 39, layout=Layout(80))
    assert text.count("error[") == 1
    assert "note: 38 findings follow from it: teams.yaml:1:1 (InferenceLimit/m1)," in text
    assert "and 33 more" in text
    assert text.endswith("39 resources checked: 39 errors, 38 of which follow from another\n")


def test_a_finding_whose_cause_is_not_told_is_told_itself() -> None:
    assert [one.finding for one in folding.folded([lost(1), lost(2)])] == [lost(1), lost(2)]


def test_equal_findings_are_one_with_the_other_places() -> None:
    found = [
        Finding("a-rule", Severity.ERROR, "there is no account 'prd'", "", Location("a.yaml", n, 1))
        for n in range(1, 9)
    ]
    text = as_text.findings(found, 8, layout=Layout(80))
    assert text.count("error[a-rule]") == 1
    assert "also: a.yaml:2:1, a.yaml:3:1, a.yaml:4:1, a.yaml:5:1, a.yaml:6:1 and 2 more" in text
    assert text.endswith("8 resources checked: 8 errors\n")


def test_what_every_plan_says_again_is_one_line_with_a_count_there_and_each_in_validate() -> None:
    found = tuple(retiring(n) for n in range(1, 13))
    plan = as_text.plan(scenes.busy(findings=found), layout=Layout(200))
    assert plan.count("deprecated-model") == 1
    assert (
        "warning[deprecated-model] 12 times: The platform marks a declared model as retiring. ModelActivation/m1,"
        in plan
    )
    assert "and 7 more" in plan
    assert as_text.findings(found, 12).count("warning[deprecated-model]") == 12


def test_programs_get_every_finding() -> None:
    found = (*(lost(n) for n in range(1, 4)), ACCOUNT, *(retiring(n) for n in range(1, 4)))
    assert as_json.findings(found, 1).count('"rule"') == 7
    assert as_json.plan(scenes.busy(findings=found)).count('"rule"') == 7


def test_what_a_guard_says_of_a_change_is_not_said_again_by_a_warning_of_the_same_name() -> None:
    report = scenes.busy()
    address = scenes.FINDINGS[0].resource
    guards = (Verdict("limit-below-use", VerdictKind.REFUSED, address, "it would be reached in 5 h", "raise it"),)
    judged = replace(report, plan=replace(report.plan, guards=guards))
    for page in (as_text.plan(judged), as_markdown.plan(judged), as_html.plan(judged)):
        assert page.count("limit-below-use") == 1
    passed = replace(judged, plan=replace(judged.plan, guards=(Verdict("limit-below-use", VerdictKind.PASSED),)))
    assert "warning[limit-below-use]" in as_text.plan(passed)


def test_an_annotation_is_spent_on_a_cause_before_what_follows_from_it() -> None:
    late = replace(ACCOUNT, location=Location("zz.yaml", 4, 3))
    found = [replace(lost(n), follows=Location("zz.yaml", 1, 1)) for n in range(1, 30)]
    text = as_github.findings([*found, late], 30)
    assert text.splitlines()[0].startswith("::error file=zz.yaml,")
    assert text.splitlines()[9].startswith("::error title=21 more::")


def test_under_target_findings_of_other_policies_are_off_and_those_of_the_account_stay() -> None:
    whole = Finding("unreadable", Severity.ERROR, "b.yaml could not be read", location=Location("b.yaml"))
    found = (*scenes.FINDINGS, scenes.ERROR, ACCOUNT, whole, retiring(1))
    report = scenes.busy(findings=found, targets=("InferenceLimit/doubao-seed-1-6",))
    assert {one.rule for one in report.relevant} == {
        "limit-below-use",
        "limit-online-only",
        "unknown-field",
        "unreadable",
    }
    for page in (
        as_text.plan(report),
        as_json.plan(report),
        as_markdown.plan(report),
        as_html.plan(report),
        as_json.status(report),
    ):
        assert "deprecated-model" not in page
        assert "override-exceeds-model-limit" not in page
        assert "unreadable" in page
    assert {one.rule for one in scenes.busy(findings=found, targets=("ModelActivation",)).relevant} == {
        "unknown-field", "unreadable", "deprecated-model",
    }  # fmt: skip


def test_a_plan_that_errors_keep_empty_is_not_called_nothing_to_do() -> None:
    report = replace(scenes.quiet(), findings=(scenes.ERROR,))
    for page in (as_text.plan(report), as_markdown.plan(report), as_html.plan(report)):
        assert "othing to do" not in page
    assert "No changes are planned: 1 error above." in as_text.plan(report)


def test_a_limit_whose_activation_cannot_be_read_follows_from_that() -> None:
    from reconciler import rules
    from reconciler.kinds.declared import Held

    held = Held(Location("held.yaml", 1, 1), "ModelActivation", "x", "m")
    declared = b.declared(b.limit("m"), held=(held,))
    context = rules.Context(
        account=b.account(), declared=declared, everything=declared, now=b.NOW,
        snapshot=b.snapshot(b.model("m", state=ActivationState.NOT_ACTIVATED)),
    )  # fmt: skip
    (found,) = [one for one in rules.check(context) if one.rule == "limit-needs-activation"]
    assert found.follows == held.location
