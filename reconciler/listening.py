"""What a running loop tells over HTTP: /metrics, /livez, /readyz. Reads; changes nothing.

livez turns red when the loop is stuck, so that whoever supervises the process starts it anew; readyz is red until every
account had its first pass.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

STUCK_S: Final = 300.0  # a pass of 10,000 paced writes reports back sooner, by its lease; a hung platform call does not
PROBES: Final = frozenset({"/livez", "/readyz"})
FRESH_S: Final = 1.0  # for which the metrics' text is kept; who asks more often costs no more


class Loop(Protocol):
    """What is asked of the loop."""

    @property
    def stuck_s(self) -> float: ...

    @property
    def ready(self) -> bool: ...


class _Exposition:
    """The metrics' text, made at most once in `FRESH_S` whoever asks, and never twice at a time."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._made: tuple[float, bytes] | None = None

    async def __call__(self) -> bytes:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._made is None or now - self._made[0] >= FRESH_S:
                self._made = now, await asyncio.to_thread(self._make)
            return self._made[1]


def application(controller: Loop, exposition: Callable[[], bytes], content_type: str) -> Starlette:
    """The ASGI application; `exposition` makes the metrics' text. The probes wait for no thread, so they answer under any load."""
    text = _Exposition(exposition)

    async def metrics(request: Request) -> Response:  # noqa: ARG001  # the shape of a route
        return Response(await text(), media_type=content_type)

    async def livez(request: Request) -> Response:  # noqa: ARG001
        stuck_s = controller.stuck_s
        if stuck_s > STUCK_S:
            return PlainTextResponse(f"stuck: no pass has ended, or nothing was heard, for {stuck_s:.0f} s\n", 503)
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:  # noqa: ARG001
        if controller.ready:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready: an account has not had its first pass\n", 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/livez", livez), Route("/readyz", readyz)])
