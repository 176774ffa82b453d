"""The ASGI layer before every application: a request that could be read in two ways, is too large or calls us by another's
name is refused here, and so is one too many. What is refused is answered without repeating anything of it.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.serving.hosts import Hosts, name_of
from reconciler.serving.limits import Limits
from reconciler.serving.tally import Tally, Trouble

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_CLOSE: Final = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request is answered in place of its answer; `close`: nothing more is read of its connection."""

    status: int
    said: str
    trouble: Trouble
    close: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms requests are let in. `always` are paths that are answered however many others are."""

    hosts: Hosts
    limits: Limits
    always: frozenset[str] = frozenset()


class Door:
    """Before `application`. `make_room` is called where too many requests are being answered: who does not read its answer holds
    one of the places."""

    def __init__(self, application: Application, terms: Terms, tally: Tally, make_room: Callable[[], object]) -> None:
        self._application = application
        self._terms = terms
        self._tally = tally
        self._make_room = make_room
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        refusal = refused(scope, self._terms) or self._busy(scope)
        if refusal is not None:
            self._tally.note(refusal.trouble, _called(scope) if refusal.trouble is Trouble.WRONG_HOST else "")
            await _answer(send, refusal)
            return
        counted = False

        def count() -> None:
            nonlocal counted
            self._answering += not counted
            counted = True

        async def hear() -> MutableMapping[str, Any]:
            message = await receive()
            if not message.get("more_body"):
                count()
            return message

        async def answer(message: MutableMapping[str, Any]) -> None:
            count()
            await send(message)

        if not _has_body(scope):  # a body that is not whole waits for its client and takes no place of an answer
            count()
        try:
            await self._application(scope, hear, answer)
        finally:
            self._answering -= counted

    def _busy(self, scope: Scope) -> Refusal | None:
        if self._answering < self._terms.limits.requests or scope["path"] in self._terms.always:
            return None
        self._make_room()
        return Refusal(503, "too many requests at a time; ask again", Trouble.BUSY)


def refused(scope: Scope, terms: Terms) -> Refusal | None:
    """Why a request is not let in, None where it is. Looks at its head alone."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    names = [name for name, _ in headers]
    if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
        # RFC 9112 6.1: another reader between us and the client may have ended the body elsewhere.
        return Refusal(400, "where the body ends is said in two ways", Trouble.MALFORMED, close=True)
    if sum(len(name) + len(value) for name, value in headers) + _target_length(scope) > terms.limits.head_bytes:
        return Refusal(431, f"the head is larger than {terms.limits.head_bytes} bytes", Trouble.TOO_LARGE, close=True)
    if not scope["path"].startswith("/"):
        return Refusal(400, "the target is not a path", Trouble.MALFORMED, close=True)
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not terms.hosts.admit(hosts[0].decode("latin-1")):
        here = "localhost, 127.0.0.1 and [::1]" if terms.hosts.loopback else "addresses and names within the network"
        return Refusal(421, f"this port answers to {here} only; more are named by --listen-name", Trouble.WRONG_HOST)
    lengths = [value for name, value in headers if name == b"content-length"]
    if lengths and int(lengths[0]) > terms.limits.body_bytes:
        return Refusal(413, f"the body is larger than {terms.limits.body_bytes} bytes", Trouble.TOO_LARGE)
    return None


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and int(value)) for name, value in scope["headers"]
    )


def _target_length(scope: Scope) -> int:
    return len(scope.get("raw_path", b"")) + len(scope.get("query_string", b""))


def _called(scope: Scope) -> str:
    """The name a client called us by, where it is one; it is of an alphabet that no log minds."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return name_of(hosts[0])[:253] if len(hosts) == 1 else ""


async def _answer(send: Send, refusal: Refusal) -> None:
    text = f"{refusal.said}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text)),
        (b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"),
    ]  # fmt: skip
    if refusal.status == 503:
        headers.append((b"retry-after", b"1"))
    if refusal.close:
        headers.append(_CLOSE)
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
