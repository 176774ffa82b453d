"""The console as an ASGI application: its routes, its headers, its gate. Takes GET and HEAD only; calls no platform.

It may be mounted beside other routes: every address it writes is below its own root.
"""

import hashlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reconciler.console import pages
from reconciler.console.desk import Desk
from reconciler.console.gate import COOKIE, Answer, Gate
from reconciler.console.messages import LANGUAGES, preferred
from reconciler.console.pages import NotThere, Reader

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_ASSETS: Final = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
_THEMES: Final = ("light", "dark")
_YEAR_S: Final = 31_536_000
_CHOICES: Final = ("lang", "theme", "token")

Page = Callable[[Desk, Reader], str]


def application(desk: Desk, gate: Gate) -> Starlette:
    """The whole console."""
    pages.warm()

    def shown(page: Page) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            return _gated(gate, request) or _chosen(request) or _page(desk, request, page)

        return answer

    def none(request: Request, error: Exception) -> Response:
        """An address that is no page, or a way of asking that is none."""
        if isinstance(error, HTTPException) and error.status_code != HTTPStatus.NOT_FOUND:
            return PlainTextResponse(f"{error.detail}\n", error.status_code, {**HEADERS, **(error.headers or {})})
        reader = _reader(request)
        return _gated(gate, request) or _missing(desk, reader, NotThere("page", reader.path))

    def defect(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the server hears of it as well
        reader = _reader(request)
        return _gated(gate, request) or Response(pages.failed(desk, reader), 500, _headers("no-store"), "text/html")

    routes = [Route(path, shown(page), methods=["GET"]) for path, page in pages.PAGES.items()]
    return Starlette(
        routes=[*routes, Route("/assets/{name}", _asset, methods=["GET"])],
        exception_handlers={HTTPException: none, Exception: defect},
    )


def _gated(gate: Gate, request: Request) -> Response | None:
    """What stands in the way, None where nothing does."""
    match gate.asks(request.headers, request.cookies, request.query_params.get("token", "")):
        case Answer.LOOK:
            return None
        case Answer.ENTER:
            entered = _without_choices(request)
            entered.set_cookie(
                COOKIE, gate.pass_, max_age=_YEAR_S, httponly=True, samesite="lax", secure=request.url.scheme == "https"
            )
            return entered
        case Answer.WRONG_HOST:
            said = "This console listens on loopback and answers to localhost and 127.0.0.1 only.\n"
            return PlainTextResponse(said, 421, headers=HEADERS)
        case _:
            reader = _reader(request)
            return Response(pages.door(reader), 401, _headers("no-store"), "text/html")


def _chosen(request: Request) -> Response | None:
    """A choice of language or theme is kept in a cookie, and the address goes back to what it was."""
    language, theme = request.query_params.get("lang"), request.query_params.get("theme")
    if language is None and theme is None:
        return None
    answer = _without_choices(request)
    if language in LANGUAGES:
        answer.set_cookie("lang", language, max_age=_YEAR_S, httponly=True, samesite="lax")
    if theme in _THEMES:
        answer.set_cookie("theme", theme, max_age=_YEAR_S, httponly=True, samesite="lax")
    elif theme is not None:
        answer.delete_cookie("theme", httponly=True, samesite="lax")
    return answer


def _without_choices(request: Request) -> Response:
    """On to the same address of this same host, without what only sets a cookie."""
    kept = request.url.remove_query_params(_CHOICES)
    path = "/" + kept.path.lstrip("/\\")  # never "//host"
    return RedirectResponse(path + (f"?{kept.query}" if kept.query else ""), 303, _headers("no-store"))


def _page(desk: Desk, request: Request, page: Page) -> Response:
    reader = _reader(request)
    tag = _tag(desk, reader)
    headers = {**_headers("no-store"), "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    try:
        return Response(page(desk, reader), headers=headers, media_type="text/html")
    except NotThere as missing:
        if missing.what == "account" and desk.awaits(missing.name):  # the page finds it as soon as it is looked at
            return Response(pages.looking(desk, reader), headers=_headers("no-store"), media_type="text/html")
        return _missing(desk, reader, missing)


def _missing(desk: Desk, reader: Reader, what: NotThere) -> Response:
    return Response(pages.missing(desk, reader, what), HTTPStatus.NOT_FOUND, _headers("no-store"), "text/html")


def _reader(request: Request) -> Reader:
    """Who reads, and what they ask for."""
    language = request.cookies.get("lang", "")
    theme = request.cookies.get("theme", "")
    return Reader(
        language=language if language in LANGUAGES else preferred(request.headers.get("accept-language", "")),
        theme=theme if theme in _THEMES else "",
        root=request.scope.get("root_path", ""),
        path=request.url.path,
        account=request.path_params.get("account", ""),
        given={key: value for key, value in request.query_params.items() if key not in _CHOICES},
    )


def _tag(desk: Desk, reader: Reader) -> str:
    """Changes whenever what the page shows may."""
    told: list[object] = [reader.language, reader.theme, reader.root, reader.path, sorted(reader.given.items())]
    told += [[name, seen.version] for name, seen in desk.accounts.items()]
    return f'"{hashlib.sha256(repr([desk.id, *told]).encode()).hexdigest()[:32]}"'


def _headers(cache: str) -> Mapping[str, str]:
    return {**HEADERS, "Cache-Control": cache, "Vary": "Cookie, Accept-Language"}


def _asset(request: Request) -> Response:
    """Style, script and icon: the same for everybody, so outside the gate, and known by the digest in their address."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        return PlainTextResponse("not found\n", 404, headers=HEADERS)
    content = files("reconciler.console").joinpath("assets", name).read_bytes()
    kept = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    return Response(content, headers={**HEADERS, "Cache-Control": kept}, media_type=_ASSETS[name])
