"""Spans tell what a pass did and how long each step took, and nothing that is declared."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from builders import account, limit, override
from looping import Looping
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from watching import Watch
from webhooks import serving

from reconciler.controller.seat import Seat
from reconciler.errors import Transient
from reconciler.platforms.telling import Telling
from reconciler.tracing import Tracing, exported

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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "account.yaml").write_text(
        "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: default}\nspec: {platform: embedded}\n"
    )
    return tmp_path


def test_spans_that_are_not_delivered_are_one_line_that_names_the_host_alone(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/{SECRET}/v1/traces?key={SECRET}"
    it = Watch(
        home, "--once", "--otel", "--log-format", "json", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=url,
        OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={SECRET}", OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )  # fmt: skip
    assert it.process.wait(60) == 0
    lines = [json.loads(line) for line in it.log.read_text().splitlines()]
    told = [line["message"] for line in lines if line["event"] == "otel"]
    assert told == ["spans are not delivered to 127.0.0.1; said again in 10 minutes at the earliest"]
    assert SECRET not in it.log.read_text()


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
@pytest.mark.parametrize(
    "url", [f"http://user:{SECRET}@h/", f"ftp://{SECRET}/", SECRET, f"http://user%3A{SECRET}%40h/"]
)
def test_a_place_for_spans_that_is_none_is_refused_without_repeating_it(
    url: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(ValueError, match=rf"^{variable}: it") as refused:
        exported(lambda _: None)
    assert SECRET not in str(refused.value)


def test_spans_follow_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would carry the headers' key to a place that nobody named."""
    with serving() as elsewhere, serving() as webhook:
        webhook.answers = [(307, {"Location": elsewhere.url}, b"")]
        webhook.as_bytes = elsewhere.as_bytes = True
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", webhook.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        said: list[str] = []
        tracing = exported(said.append)
        with tracing.step("default", "pass"):
            pass
        tracing.close()
    assert len(webhook.posts) == 1
    assert elsewhere.posts == []
    assert said == ["spans are not delivered to 127.0.0.1; said again in 10 minutes at the earliest"]
