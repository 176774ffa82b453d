"""An annotation of ours that does nothing says so, with what is meant."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.finding import Severity
from reconciler.kinds.annotations import ANNOTATIONS, PREFIX
from tests.builders import account, constraint, declared, limit, override
from tests.rules.helpers import at, placed, says

P = PREFIX


def told(*resources: Any, in_cluster: bool = False) -> list[tuple[Severity, str, str]]:
    whole = replace(declared(*resources), implied=not in_cluster, stored=in_cluster)
    return [(one.severity, one.message, one.hint) for one in says("annotation", whole)]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        (f"{P}protectt", f"{P}protect"),
        (f"{P}Protect", f"{P}protect"),
        (f"{P}pause", f"{P}paused"),
        (f"{P}tickets", f"{P}ticket"),
        (f"{P}requested_at", f"{P}requested-at"),
        ("Modelpolicy.dev/protect", f"{P}protect"),
        ("modelpolicy.io/protect", f"{P}protect"),
        ("modelpolicy/paused", f"{P}paused"),
        ("model-policy.dev/paused", f"{P}paused"),
    ],
)
@pytest.mark.parametrize("in_cluster", [False, True])
def test_a_misspelt_annotation_is_a_warning_that_names_what_is_meant(key: str, meant: str, in_cluster: bool) -> None:
    assert told(account(), limit(annotations={key: "true"}), in_cluster=in_cluster) == [
        (Severity.WARNING, f"there is no annotation {key}, so it does nothing", f"Did you mean {meant}?")
    ]


def test_an_unknown_annotation_that_is_near_to_none_lists_those_that_there_are() -> None:
    ((_, _, hint),) = told(limit(annotations={f"{P}owner": "kim"}))
    assert hint.startswith("There are ")
    assert [key for key in ANNOTATIONS if key not in hint] == [f"{P}secret-version"]


@pytest.mark.parametrize(
    ("value", "write"), [("yes", "true"), ("True", "true"), ("1", "true"), (" true", "true"), ("", "true"), ("no", "false"), ("False", "false")]
)  # fmt: skip
@pytest.mark.parametrize("name", ["paused", "protect"])
def test_a_switch_with_another_value_is_a_warning(name: str, value: str, write: str) -> None:
    assert told(override(annotations={P + name: value})) == [
        (Severity.WARNING, f'{P}{name} is "{value}", and only "true" counts, so it does nothing', f'Write "{write}", in quotes, or take it out.')
    ]  # fmt: skip


def test_the_finding_stands_at_the_annotation() -> None:
    of = placed(limit(annotations={f"{P}protectt": "true"}), "metadata", "annotations", f"{P}protectt")
    (found,) = says("annotation", declared(of))
    assert (at(found), found.resource) == ((7, 11), of.address)


@pytest.mark.parametrize(
    ("name", "instead"), [("allow", "--allow GUARD"), ("attested", "modelpolicy attest"), ("requested-at", "again")]
)
def test_what_counts_in_a_cluster_only_is_worth_knowing_in_files(name: str, instead: str) -> None:
    of = account(annotations={P + name: "x"})
    ((severity, message, hint),) = told(of)
    assert (severity, "counts in a cluster only" in message, instead in hint) == (Severity.INFO, True, True)
    assert told(of, in_cluster=True) == []


def test_as_a_label_or_on_a_constraint_it_does_nothing() -> None:
    ((_, message, hint),) = told(limit(labels={f"{P}protect": "true"}))
    assert (f"{P}protect is a label" in message, hint) == (True, "Move it to metadata.annotations.")
    ((_, message, _),) = told(constraint("r", annotations={f"{P}paused": "true"}))
    assert f"{P}paused does nothing on a PolicyConstraint" in message


@pytest.mark.parametrize(
    "annotations",
    [
        {f"{P}paused": "true", f"{P}protect": "false", f"{P}ticket": "T-1"},
        {"kubectl.kubernetes.io/last-applied-configuration": "{}", "paused": "true", "example.com/protect": "yes"},
        {"policy.dev/allow": "x", "models.dev/protectt": "true"},
    ],
)
def test_what_counts_and_what_is_of_others_is_left_alone(annotations: dict[str, str]) -> None:
    assert told(limit(annotations=annotations)) == []


def test_what_the_operator_sets_itself_is_known() -> None:
    assert told(account(annotations={f"{P}secret-version": "1"}), in_cluster=True) == []
