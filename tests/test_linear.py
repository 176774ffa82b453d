"""Ten times as much takes ten times the steps, from declarations to reports. Steps are calls, counted; no busy machine can upset them."""

import cProfile
import pstats
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import builders as b
import pytest

from reconciler import check, reconcile
from reconciler.finding import Location
from reconciler.kinds.declared import Declared, Held
from reconciler.load import SourceText, load
from reconciler.report import Report, as_html, as_json, as_markdown, as_text
from reconciler.report.as_text import Layout
from reconciler.state import History, Operation, Snapshot, Support

LAYOUT = Layout(100, color=False)


class Seen:
    """A reader that sees one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def capabilities(self) -> Mapping[Operation, Support]:
        return b.capabilities()

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        return self.snapshot

    def close(self) -> None:
        pass


@cache
def scene(size: int) -> tuple[Declared, Snapshot]:
    """`size` resources, of which every third wants a change, and every tenth has a finding."""
    resources: list[Any] = [b.account(allow_activation=True)]
    seen: list[Any] = []
    for n in range(size // 3):
        resources += [b.activation(f"m-{n}"), b.limit(f"m-{n}", 1000 + n), b.override(f"ep-{n}", rpm=600, tpm=6000)]
        seen.append(
            b.model(f"m-{n}", limit=1000 + (n if n % 2 else 0), rate_limit=(30_000, 5_000_000), deprecated=not n % 10)
        )
        seen.append(b.endpoint(f"ep-{n}", f"m-{n}", override=(600, 6000 if n % 2 else 5000)))
    return b.declared(*resources), b.snapshot(*seen)


def steps(work: Callable[[], object]) -> int:
    """How many calls a piece of work takes, into Python and into C."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


@cache
def passed(size: int) -> Report:
    everything, seen = scene(size)
    asked = reconcile.Asked(account="default", everything=everything)
    return reconcile.look(asked, Seen(seen), History(), {}, b.NOW + timedelta(hours=3))


def texts(size: int) -> list[SourceText]:
    document = "apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit\nmetadata:\n  name: l-{n}\nspec:\n  model: m-{n}\n  tokens: {tokens}\n"
    return [
        SourceText(f"{file}.yaml", "---\n".join(
            document.format(n=n, tokens="2M" if n % 10 else "none") for n in range(file, size, 100)
        ).encode())
        for file in range(100)
    ]  # fmt: skip


def _reported(render: Callable[[Report], str]) -> Callable[[int], Callable[[], object]]:
    def prepared(size: int) -> Callable[[], object]:
        report = passed(size)
        return lambda: render(report)

    return prepared


def _load(size: int) -> Callable[[], object]:
    given = texts(size)
    return lambda: load(given)


def _check(size: int) -> Callable[[], object]:
    everything = replace(scene(size)[0])  # without the indexes that an earlier look has built
    return lambda: check.check(everything, (), b.NOW)


WORK: dict[str, Callable[[int], Callable[[], object]]] = {
    "load": _load,
    "check": _check,
    "pass": lambda size: lambda: passed.__wrapped__(size),
    "plan as text": _reported(lambda report: as_text.plan(report, layout=LAYOUT)),
    "plan as json": _reported(as_json.plan),
    "plan as markdown": _reported(as_markdown.plan),
    "plan as html": _reported(as_html.plan),
    "status as text": _reported(lambda report: as_text.status(report, layout=LAYOUT)),
    "status as json": _reported(as_json.status),
}
# Steps are counted, so ten times is ten times: a quadratic part of a thousandth of the smaller work would be seen.
SIZES, MOST = (300, 3_000), 10.1
SHORTENED = {"plan as markdown": ((1_000, 10_000), 16.0)}  # too long for a comment, it is made again, up to four times


@pytest.mark.parametrize("what", WORK)
def test_ten_times_the_resources_take_ten_times_the_steps(what: str) -> None:
    sizes, most = SHORTENED.get(what, (SIZES, MOST))
    steps(WORK[what](90))  # what is imported and built once is no step of the work
    small, large = (steps(WORK[what](size)) for size in sizes)
    assert large <= most * small


def test_many_broken_documents_cost_as_many_steps_as_there_are_of_them() -> None:
    def planned(size: int) -> int:
        everything, seen = scene(size)
        held = tuple(Held(Location(f"{n}.yaml", 1, 1), "InferenceLimit", f"b-{n}", f"n-{n}") for n in range(size))
        asked = reconcile.Asked(account="default", everything=replace(everything, held=held))
        return steps(lambda: reconcile.look(asked, Seen(seen), History(), {}, b.NOW))

    planned(100)
    assert planned(3_000) <= 11 * planned(300)


def test_many_accounts_take_as_many_steps_as_one_with_as_many_resources() -> None:
    def accounts(count: int) -> Declared:
        named = [b.account(f"a-{n}") for n in range(count)]
        limits = [b.limit(f"m-{n}", name=f"l-{n}", account=f"a-{n % count}") for n in range(1_000)]
        return b.declared(*named, *limits, b.constraint())

    def all_of(everything: Declared) -> None:
        for name in everything.accounts:
            for _ in range(3):
                everything.for_account(name)

    few, lots = accounts(5), accounts(500)
    assert steps(lambda: all_of(lots)) <= 10 * steps(lambda: all_of(few))


def test_the_set_of_an_account_is_the_same_value_each_time_and_keeps_the_order() -> None:
    everything = b.declared(b.limit("m-1"), b.constraint(), b.limit("m-2", account="other"), b.limit("m-3"))
    mine = everything.for_account("default")
    assert [each.name for each in mine.resources] == ["m-1", "rule", "m-3"]
    assert everything.for_account("default") is mine
    assert [each.name for each in everything.for_account("nobody").resources] == ["rule"]
