"""Spans of a pass for OpenTelemetry: the pass, its steps, and each platform call. The only import of it and of requests.

    pass ─┬─ observe ── call observe
          ├─ plan, guard
          └─ apply ── call read, call set-limit, call read ...

Where spans go, and how much of them, is said by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT ...). A span carries
names of accounts and operations and an error's code and reason, never its text, and nothing of what is declared. The URL that
they are sent to may hold a key: only its host is ever said.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from reconciler import __version__, posting
from reconciler.errors import PlatformError

SERVICE: Final = "modelpolicy"
DEFAULT_HOST: Final = "localhost"
QUIET_S: Final = 600.0  # from one line about spans that are not delivered to the next


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


def exported(say: Callable[[str], None]) -> Tracing:
    """Spans sent by OTLP over HTTP, in the background, to where OpenTelemetry's variables say.

    `say` hears, from another thread, that spans are not delivered. Raises ValueError with a sentence that does not repeat the URL
    where that cannot be a place to send them to.
    """
    variable = next(
        (name for name in (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT) if os.environ.get(name)), ""
    )
    host = DEFAULT_HOST
    if variable:
        try:
            host = posting.target(os.environ[variable].strip()).host
        except ValueError as error:
            raise ValueError(f"{variable}: {error}") from None
    session = requests.Session()
    session.max_redirects = 0  # a redirect would carry the headers' key to a place that nobody named
    noise = logging.getLogger("opentelemetry")
    noise.handlers, noise.propagate = [_Undelivered(host, say)], False
    return Tracing(BatchSpanProcessor(OTLPSpanExporter(session=session)))


class _Undelivered(logging.Handler):
    """What OpenTelemetry logs of its sending has the whole URL in it, one line a try: here it is one line in ten minutes."""

    def __init__(self, host: str, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._host = host
        self._say = say
        self._quiet_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if record.created >= self._quiet_until:
            self._quiet_until = record.created + QUIET_S
            self._say(
                f"spans are not delivered to {self._host}; said again in {QUIET_S / 60:.0f} minutes at the earliest"
            )
