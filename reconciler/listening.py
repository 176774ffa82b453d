"""What a running loop tells over HTTP: /metrics, /livez, /readyz. Reads; changes nothing.

livez turns red when the loop is stuck, so that whoever supervises the process starts it anew; readyz is red until every
account had its first pass.
"""

from collections.abc import Callable
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

STUCK_S: Final = 300.0  # a pass of 10,000 paced writes reports back sooner, by its lease; a hung platform call does not


class Loop(Protocol):
    """What is asked of the loop."""

    @property
    def stuck_s(self) -> float: ...

    @property
    def ready(self) -> bool: ...


def application(controller: Loop, exposition: Callable[[], bytes], content_type: str) -> Starlette:
    """The ASGI application; `exposition` makes the metrics' text."""

    def metrics(request: Request) -> Response:  # noqa: ARG001  # the shape of a route
        return Response(exposition(), media_type=content_type)

    def livez(request: Request) -> Response:  # noqa: ARG001
        stuck_s = controller.stuck_s
        if stuck_s > STUCK_S:
            return PlainTextResponse(f"stuck: no pass has ended, or nothing was heard, for {stuck_s:.0f} s\n", 503)
        return PlainTextResponse("ok\n")

    def readyz(request: Request) -> Response:  # noqa: ARG001
        if controller.ready:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready: an account has not had its first pass\n", 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/livez", livez), Route("/readyz", readyz)])
