"""One HTTP POST within one deadline: name look-up, connection, handshake, sending and reading together, whatever the other end
does. The standard library's client has a timeout for each of its waits, so an answer that comes byte by byte could hold a thread
for as long as it likes.

Redirects are not followed: they would carry the body, or the secret in the URL, to a place that nobody named. A proxy that the
environment names (HTTPS_PROXY ...) is used. No error tells more of the URL than its host.
"""

import functools
import http.client
import queue
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any, Final
from urllib.parse import urlsplit

# Nothing that a client would read as more than a host: %40 is an @ to the standard library, and what is before it a name to look up.
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?|[0-9A-Fa-f:.]+")

Left = Callable[[], float]  # the seconds that are left; raises TimeoutError where none are


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: at most so much of its body as was asked for, and none of a refusal."""

    status: int
    headers: Message
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Target:
    """Where something is sent to; its host may be named, its path and query may hold a secret."""

    url: str = field(repr=False)
    host: str


def target(written: str) -> Target:
    """The target that a person wrote as a URL. Raises ValueError with a sentence that does not repeat it."""
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("it is not a URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("it is not http:// or https:// with a host")
    if "@" in parts.netloc:
        raise ValueError(
            "it has a user or password before its host: leave them out, for they would be dropped or looked up"
        )
    if not _HOST.fullmatch(host):
        raise ValueError("its host is no host name and no address")
    url = parts._replace(fragment="").geturl()
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"the URL on {host} has characters that a URL cannot have: encode them as %XX")
    return Target(url, host)


def post(url: str, body: bytes, headers: Mapping[str, str], *, within_s: float, most: int) -> Answer:
    """Post once. `most`: bytes read of an answer's body. Raises OSError (TimeoutError where the time is over), HTTPException or ValueError."""
    left = _deadline(within_s)
    opener = urllib.request.build_opener(_NoRedirect, _Http(left), _Https(left))
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310  # the caller let only http and https through
    try:
        with opener.open(request, timeout=left()) as answer:
            return Answer(answer.status, answer.headers, answer.read(most))
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers)
    except urllib.error.URLError as error:
        raise (error.reason if isinstance(error.reason, OSError) else OSError(type(error).__name__)) from error


def _deadline(within_s: float) -> Left:
    until = time.monotonic() + within_s

    def left() -> float:
        remaining = until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    return left


class _Timed:
    """A socket each of whose waits is as long as what is left."""

    left: Left

    def recv_into(self, *given: Any) -> int:
        self.settimeout(self.left())  # type: ignore[attr-defined]  # it is mixed with a socket
        return super().recv_into(*given)  # type: ignore[misc, no-any-return]

    def sendall(self, data: Any, flags: int = 0) -> None:
        rest = memoryview(data).cast("B")
        while rest:
            self.settimeout(self.left())  # type: ignore[attr-defined]
            rest = rest[self.send(rest, flags) :]  # type: ignore[attr-defined]


class _Plain(_Timed, socket.socket):
    pass


class _Secure(_Timed, ssl.SSLSocket):
    pass


@functools.cache
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = _Secure
    return context


class _HttpConnection(http.client.HTTPConnection):
    def __init__(self, *given: Any, left: Left, **more: Any) -> None:
        super().__init__(*given, **more)
        self._create_connection = functools.partial(_connected, left)  # also where a proxy is asked for a tunnel


class _HttpsConnection(http.client.HTTPSConnection):
    def __init__(self, *given: Any, left: Left, **more: Any) -> None:
        super().__init__(*given, context=_context(), **more)
        self._left = left
        self._create_connection = functools.partial(_connected, left)

    def connect(self) -> None:
        super().connect()  # the handshake is one wait
        self.sock.left = self._left  # type: ignore[union-attr]  # it is a _Secure, by the context


class _Http(urllib.request.HTTPHandler):
    def __init__(self, left: Left) -> None:
        super().__init__()
        self._left = left

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_HttpConnection, left=self._left), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, left: Left) -> None:
        super().__init__()
        self._left = left

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_HttpsConnection, left=self._left), req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # the shape of a handler
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str  # noqa: ARG002
    ) -> None:  # fmt: skip
        return None


def _connected(left: Left, address: tuple[str, int], *_: object) -> _Plain:
    """A connection to the first address of a host that takes one."""
    failed: OSError = OSError("the host has no address")
    addresses = _addresses(left, *address)
    for number, (family, kind, protocol, _name, at) in enumerate(addresses):
        made = _Plain(family, kind, protocol)
        made.left = left
        try:
            made.settimeout(left() / (len(addresses) - number))  # one that is silent leaves time for the others
            made.connect(at)
            made.settimeout(left())
        except OSError as error:
            made.close()
            failed = error
        else:
            return made
    raise failed


def _addresses(left: Left, host: str, port: int) -> list[Any]:
    """Asked in a thread of its own, for a look-up takes no timeout; one that hangs is left behind."""
    found: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error if isinstance(error, OSError) else OSError("the host is no name"))

    threading.Thread(target=ask, name="name look-up", daemon=True).start()
    try:
        got = found.get(timeout=left())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(got, OSError):
        raise got
    return got
