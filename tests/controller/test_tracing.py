"""Spans tell what a pass did and how long each step took, and nothing that is declared."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from builders import account, limit, override
from looping import Looping
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reconciler.controller.seat import Seat
from reconciler.errors import Transient
from reconciler.platforms.telling import Telling
from reconciler.tracing import Tracing

SECRET = "AKIDSECRET"


class Traced:
    """A seat whose steps and platform calls become spans in memory."""

    def __init__(self, loop: Looping) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracing = Tracing(SimpleSpanProcessor(self.exporter))
        self.loop = loop
        world = loop.world(step=self.tracing.step, connect=lambda account: Telling(loop.stage.platform, self._call))
        loop.seat = Seat("default", world, loop.settings)

    def _call(self, action: str) -> AbstractContextManager[None]:
        return self.tracing.call("default", action)

    def tree(self) -> list[str]:
        """The finished spans in the order they began, each below its parent."""
        spans = sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)
        return [f"{'  ' * self._depth(span)}{span.name}" for span in spans]

    def _depth(self, span: ReadableSpan) -> int:
        known = {each.context.span_id: each for each in self.exporter.get_finished_spans() if each.context}
        return 0 if span.parent is None else 1 + self._depth(known[span.parent.span_id])


@pytest.fixture
def traced(start: object) -> Iterator[Traced]:
    made = Traced(start())  # type: ignore[operator]
    yield made
    made.tracing.close()


def test_a_pass_is_one_tree_of_steps_and_calls(traced: Traced) -> None:
    traced.loop.look(override("ep-1", rpm=600, tpm=6000))
    assert traced.tree() == [
        "pass",
        "  observe",
        "    call observe",
        "  plan",
        "  guard",
        "  apply",
        "    call read",
        "    call set-override",
        "    call read",
    ]


def test_calls_of_parallel_writes_stay_below_their_pass(traced: Traced) -> None:
    paced = account(writes={"concurrency": 4, "perSecond": 1000})
    traced.loop.look(paced, override("ep-1"), override("ep-2"), limit("b", 5))
    tree = traced.tree()
    assert sum(line == "    call set-override" for line in tree) == 2
    assert [line for line in tree if not line.startswith(" ")] == ["pass"]


def test_what_failed_says_its_code_and_never_its_text(traced: Traced) -> None:
    traced.loop.on_sweep = [Transient(f"no answer to {SECRET}", code="InternalError")]
    traced.loop.look(override("ep-1"))
    spans = {span.name: span for span in traced.exporter.get_finished_spans()}
    call = spans["call observe"]
    assert not call.status.is_ok
    assert (call.attributes or {})["modelpolicy.code"] == "InternalError"
    assert (call.attributes or {})["error.type"] == "Transient"
    assert SECRET not in "".join(span.to_json() for span in spans.values())


def test_nothing_of_opentelemetry_is_imported_unless_it_is_asked_for() -> None:
    script = (
        "import sys, reconciler.cli.watch; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ})
    assert done.stdout == "[]\n", done.stderr
