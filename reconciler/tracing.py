"""Spans of a pass for OpenTelemetry: the pass, its steps, and each platform call. The only import of it.

    pass ─┬─ observe ── call observe
          ├─ plan, guard
          └─ apply ── call read, call set-limit, call read ...

Where spans go, and how much of them, is said by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT ...). A span carries
names of accounts and operations and an error's code and reason, never its text, and nothing of what is declared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from reconciler import __version__
from reconciler.errors import PlatformError

SERVICE: Final = "modelpolicy"


class Tracing:
    """Spans of one process. Safe to call from any thread; a span's parent is the one open in the caller's context."""

    def __init__(self, to: SpanProcessor) -> None:
        named = Resource({SERVICE_NAME: SERVICE, SERVICE_VERSION: __version__}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(to)
        self._tracer = self._provider.get_tracer(SERVICE, __version__)

    @contextmanager
    def step(self, account: str, name: str) -> Iterator[None]:
        """A step of a pass over the account, or the whole pass."""
        with self._span(account, name, SpanKind.INTERNAL):
            yield

    @contextmanager
    def call(self, account: str, action: str) -> Iterator[None]:
        """A call to the account's platform."""
        with self._span(account, f"call {action}", SpanKind.CLIENT):
            yield

    def close(self) -> None:
        """Send what is left, for a few seconds at the most."""
        self._provider.shutdown()

    @contextmanager
    def _span(self, account: str, name: str, kind: SpanKind) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes={"modelpolicy.account": account},
            record_exception=False, set_status_on_exception=False,
        ) as span:  # fmt: skip
            try:
                yield
            except Exception as error:
                # An exception's text could carry anything; its type, code and reason are published words.
                span.set_attribute("error.type", type(error).__name__)
                if isinstance(error, PlatformError):
                    span.set_attribute("modelpolicy.code", error.code)
                    span.set_attribute("modelpolicy.reason", error.reason.value)
                span.set_status(Status(StatusCode.ERROR))
                raise


def exported() -> Tracing:
    """Spans sent by OTLP over HTTP, in the background, to where OpenTelemetry's variables say."""
    return Tracing(BatchSpanProcessor(OTLPSpanExporter()))
