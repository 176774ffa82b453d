"""The embedded platform over HTTP: Ark's control plane on /, its data plane under /api/v3.

Everything it decides is decided elsewhere: signing, actions, dataplane, engine. It answers every request with Ark's own
success or error and logs neither keys nor bodies.
"""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from reconciler import serving
from reconciler.errors import ModelPolicyError, PlatformError, Transient
from reconciler.kinds.platform_account import Actions
from reconciler.platforms.embedded import actions, dataplane, httpfaults, private, signing, wire
from reconciler.platforms.embedded.engine import Engine
from reconciler.platforms.embedded.faults import FaultKind, Faults
from reconciler.platforms.embedded.keys import Keys
from reconciler.platforms.embedded.refusals import Refusal
from reconciler.platforms.embedded.wire import Call, WireError
from reconciler.serving import listen as listen  # callers of this room need no other

NOT_PUBLISHED: Final = "X-Modelpolicy-Not-Published"  # marks an answer to an action that Ark does not publish
THREADS: Final = 16
FAULTS_PATH: Final = "/modelpolicy/faults"
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is served: the platform, its keys, the private actions its account names, and the troubles ordered."""

    engine: Engine
    keys: Keys
    actions: Actions = field(default_factory=Actions)
    faults: Faults[Engine] = field(default_factory=Faults)


class _Lost(Response):
    """Promises a body and does not send it: the client sees the connection drop."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002  # ASGI's signature
        headers = [(b"content-length", b"65536"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class _Control:
    """The control plane: one path, one method, an action in the query."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._private = private.by_name(served.actions)

    async def handle(self, request: Request) -> Response:
        given = _query(request)
        query = dict(reversed(signing.parameters(given)))
        call = Call(uuid.uuid4().hex, query.get("Action", ""), query.get("Version", "") or wire.VERSION)
        try:
            body = await _body(request)
            scope = self._admit(request, given, body)
            call = Call(call.request_id, call.action, call.version, scope.region)
            return await self._answer(call, wire.body_of(body))
        except WireError as error:
            return _refused(call, error)

    def _admit(self, request: Request, given: str, body: bytes) -> signing.Scope:
        if request.method != "POST":
            raise WireError("InvalidActionOrVersion", f"{request.method} is not served here, only POST.", 405)
        sent = signing.Request(request.method, given, dict(request.headers), body, _repeated(request))
        keys = self._served.keys
        # Signatures use the real time: the platform's own may be shifted for a rehearsal.
        scope = signing.verify(sent, keys.access_key, keys.secret_key, datetime.now(UTC))
        query: dict[str, str] = {}
        for name, value in signing.parameters(given):
            if name in query:  # which one is meant would be a guess
                raise WireError("InvalidParameter", f"The parameter {name} stands twice in the query.", 400)
            query[name] = value
        for name in ("Action", "Version"):
            if not query.get(name):
                raise WireError("MissingParameter", f"The required parameter {name} is missing.")
        action, version = query["Action"], query["Version"]
        if version != wire.VERSION or (action not in actions.PUBLISHED and action not in self._private):
            raise WireError("InvalidActionOrVersion", f"There is no action {action} in version {version}.")
        return scope

    async def _answer(self, call: Call, body: dict[str, Any]) -> Response:
        troubles = self._served.faults.take(call.action)
        if FaultKind.LATENCY in troubles:
            await asyncio.sleep(troubles[FaultKind.LATENCY][0].seconds)
        if FaultKind.THROTTLE in troubles:
            wait = max(1, round(troubles[FaultKind.THROTTLE][0].seconds))
            return _refused(call, WireError("FlowLimitExceeded", "Too many requests."), {"Retry-After": str(wait)})
        if FaultKind.DENIED in troubles:
            raise WireError("AccessDenied", f"User is not authorized to perform: ark:{call.action}.")
        if FaultKind.UNAVAILABLE in troubles:
            raise WireError("ServiceUnavailableTemp", "The service is unavailable for the moment.")
        if FaultKind.ERROR_IN_200 in troubles:
            return _refused(call, WireError("InternalServiceError", "The service failed.", 200))
        if FaultKind.NO_METADATA in troubles:
            return JSONResponse({"message": "upstream"})
        stale = troubles[FaultKind.STALE_READ][1] if FaultKind.STALE_READ in troubles else None
        try:
            answered = await run_in_threadpool(
                self._run, call, httpfaults.asked(body, troubles), stale, frozenset(troubles)
            )
        except Refusal as refusal:
            headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
            return _refused(call, WireError(refusal.code.value, str(refusal), refusal.http_status), headers)
        except Transient as failure:
            raise WireError("ServiceUnavailableTemp", str(failure)) from failure
        except ModelPolicyError as failure:
            raise WireError("InternalError", str(failure)) from failure
        return _Lost() if FaultKind.ANSWER_LOST in troubles else answered

    def _run(self, call: Call, body: dict[str, Any], stale: Engine | None, kinds: frozenset[FaultKind]) -> Response:
        engine = self._served.engine
        shown = stale or engine
        for operation, action in self._private.get(call.action, ()):
            values = private.match(action.request, body)
            if values is not None:
                result = private.carry_out(engine, shown.models, operation, action, values)
                return JSONResponse(wire.answered(call, result), headers={NOT_PUBLISHED: operation.replace("_", "-")})
        handler = actions.PUBLISHED.get(call.action)
        if handler is None:
            raise WireError(
                "InvalidParameter", f"The request is not of the shape that {call.action} is configured with."
            )
        asked = actions.Asked(body=body, engine=engine, keys=self._served.keys, shown=shown)
        return JSONResponse(wire.answered(call, httpfaults.listed(handler(asked), kinds)))


class _Data:
    """The data plane: Bearer keys, OpenAI's shapes, Ark's codes."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def chat(self, request: Request) -> Response:
        return await self._handle(request, dataplane.chat)

    async def embeddings(self, request: Request) -> Response:
        return await self._handle(request, dataplane.embeddings)

    async def unknown(self, request: Request) -> Response:
        message = f"There is no {request.method} {request.url.path} here."
        return JSONResponse(dataplane.error_body(404, "NotFound", message), 404)

    async def _handle(self, request: Request, serve: Callable[..., dataplane.Answer]) -> Response:
        request_id = uuid.uuid4().hex
        try:
            if request.method != "POST":
                return JSONResponse(
                    dataplane.error_body(405, "MethodNotAllowed", "Only POST is served here."), 405, {"Allow": "POST"}
                )
            body = await self._read(request)
            answer = await run_in_threadpool(serve, self._served.engine, body, request_id)
        except dataplane.DataError as error:
            content = dataplane.error_body(error.status, error.code, error.message, error.param)
            return JSONResponse(content, error.status, {"x-request-id": request_id})
        except PlatformError as failure:
            return JSONResponse(dataplane.error_body(500, "InternalServiceError", str(failure)), 500)
        headers = {"x-request-id": request_id}
        if answer.stream:
            return StreamingResponse(dataplane.events(answer), media_type="text/event-stream", headers=headers)
        return JSONResponse(answer.body, headers=headers)

    async def _read(self, request: Request) -> dict[str, Any]:
        try:
            body: dict[str, Any] = wire.body_of(await _body(request))
        except WireError as error:
            raise dataplane.DataError(error.status, "InvalidParameter", error.message) from error
        target = body.get("model")
        targets = frozenset((target,)) if isinstance(target, str) else frozenset[str]()
        if not self._served.keys.admits(_bearer(request), targets, datetime.now(UTC)):
            raise dataplane.DataError(401, "AuthenticationError", "The API key in the request is missing or invalid.")
        return body


class _FaultControl:
    """Orders and takes back troubles, for rehearsals; by the API key, as the data plane."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def handle(self, request: Request) -> Response:
        served, call = self._served, Call(uuid.uuid4().hex, "OrderFault")
        try:
            if not served.keys.admits(_bearer(request), frozenset(), datetime.now(UTC)):
                raise WireError("InvalidAuthorization", "The API key in the request is missing or invalid.")
            if request.method == "DELETE":
                served.faults.clear()
                return JSONResponse({})
            if request.method != "POST":
                raise WireError("InvalidActionOrVersion", "Only POST and DELETE are served here.", 405)
            fault = httpfaults.parse(wire.body_of(await _body(request)))
        except WireError as error:
            return _refused(call, error)
        stale = fault.kind is FaultKind.STALE_READ
        served.faults.order(fault, await run_in_threadpool(served.engine.frozen) if stale else None)
        return JSONResponse({})


def _query(request: Request) -> str:
    """The query as it stood in the request line. Not `request.url`, which ends at a # and is made with the Host header."""
    return bytes(request.scope["query_string"]).decode("latin-1")


def _repeated(request: Request) -> frozenset[str]:
    """The headers that stand more than once; ASGI gives names in lower case."""
    times = Counter(name.decode("latin-1") for name, _ in request.headers.raw)
    return frozenset(name for name, count in times.items() if count > 1)


def _bearer(request: Request) -> str:
    """The one Bearer key of a request, else ""."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and "authorization" not in _repeated(request) else ""


async def _body(request: Request) -> bytes:
    """The request's body, given up as soon as it is too large."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > wire.MAX_BODY:
                raise WireError("InvalidParameter", f"The request body is larger than {wire.MAX_BODY} bytes.", 413)
            parts.append(part)
    except ClientDisconnect as exc:
        raise WireError("InvalidParameter", "The request body ended early.", 400) from exc
    return b"".join(parts)


def _refused(call: Call, error: WireError, headers: dict[str, str] | None = None) -> Response:
    allow = {"Allow": "POST"} if error.status == 405 else {}
    return JSONResponse(wire.refused(call, error), error.status, headers={**allow, **(headers or {})})


async def _unexpected(request: Request, exc: Exception) -> Response:
    """The last resort: a mistake of ours, in Ark's words; its traceback goes to the log."""
    _log.error("unexpected error", exc_info=exc)
    call = Call(uuid.uuid4().hex, request.query_params.get("Action", ""))
    return JSONResponse(wire.refused(call, WireError("InternalError", "The server made a mistake.")), 500)


def application(served: Served) -> Starlette:
    """The ASGI application."""
    control, data = _Control(served), _Data(served)
    return Starlette(
        routes=[
            Route("/", control.handle, methods=_METHODS),
            Route("/api/v3/chat/completions", data.chat, methods=_METHODS),
            Route("/api/v3/embeddings", data.embeddings, methods=_METHODS),
            Route(FAULTS_PATH, _FaultControl(served).handle, methods=_METHODS),
            Route("/{path:path}", data.unknown, methods=_METHODS),
        ],
        exception_handlers={Exception: _unexpected},
    )


def server(served: Served, listening: serving.Listening, options: serving.Options) -> serving.Server:
    """The server, not yet running: `.serve_until_told()` serves until it is told to stop."""
    return serving.Server(application(served), listening, _roomy(options))


@contextmanager
def in_background(served: Served) -> Iterator[str]:
    """Serve on a free loopback port from a thread of this process; its URL."""
    with serving.in_background(application(served), listen("127.0.0.1", 0), _roomy(serving.Options())) as url:
        yield url


def _roomy(options: serving.Options) -> serving.Options:
    """Bodies somewhat larger than Ark takes are let in, to be refused in Ark's own words; and no loop waits for these threads."""
    return replace(options, limits=replace(options.limits, body_bytes=4 * wire.MAX_BODY, threads=THREADS))
