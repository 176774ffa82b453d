"""A proxy between us and a served platform that does what networks and gateways do, one order for each request.

refuse   nothing listens                         reset     the connection is reset before anything is carried out
silent   half-open: read, never answered         slow      answered, a few bytes at a time
cut      the answer ends in the middle           garbage   the answer is no HTTP
html     a gateway's own 502 page                wrong     HTTP 200 with a JSON body that is no answer
storm    429 with Retry-After                    burst     503 in Ark's envelope
lost     carried out, then the connection drops  stale     reads are answered as they were when the order began
skewed   refused as signed by a wrong clock  deep      HTTP 200 with a hundred thousand brackets
halves   answered, with half of a character in every text
"""

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

KINDS = (
    "refuse", "reset", "silent", "slow", "cut", "garbage", "html", "wrong", "storm", "burst", "lost", "stale", "skewed", "deep",
    "halves",
)  # fmt: skip
READS = ("List", "Get", "TestList", "TestGet")


@dataclass
class Seen:
    """One request that reached the proxy."""

    action: str
    at_s: float
    trouble: str

    @property
    def writes(self) -> bool:
        return not self.action.startswith(READS)


@dataclass
class Proxy:
    """`order(kinds, times)` spends one kind on each of the next requests, in turn; `only` narrows it to reads or writes."""

    upstream: tuple[str, int]
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    _kinds: list[str] = field(default_factory=list)
    _only: str = ""
    _kept: dict[bytes, bytes] = field(default_factory=dict)
    _listening: socket.socket | None = None
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def left(self) -> int:
        return len(self._kinds)

    def order(self, *kinds: str, only: str = "") -> None:
        with self._lock:
            self._kinds, self._only = list(kinds), only

    def up(self) -> None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self.port, self._listening = listening.getsockname()[1], listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def down(self) -> None:
        """From now on connections are refused, and those that are open are reset."""
        listening, self._listening = self._listening, None
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while (request := _message(client)) is not None:
                found = re.search(rb"[?&]Action=([A-Za-z]+)", request.split(b"\r\n", 1)[0])
                action = found[1].decode() if found else ""
                trouble = self._next(action)
                self.seen.append(Seen(action, time.monotonic(), trouble))
                if not self._answer(client, request, trouble):
                    break
        self._open.discard(client)

    def _next(self, action: str) -> str:
        kind = "reads" if action.startswith(READS) else "writes"
        with self._lock:
            return self._kinds.pop(0) if self._kinds and self._only in ("", kind) else ""

    def _answer(self, client: socket.socket, request: bytes, trouble: str) -> bool:
        """Whether the connection goes on."""
        if trouble in _SAYS:
            client.sendall(_SAYS[trouble])
            return False
        if trouble in ("reset", "refuse"):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if trouble == "silent":
            client.settimeout(5)
            client.recv(1)  # until the other side gives up
            return False
        key = request.split(b"\r\n\r\n", 1)[1] + request.split(b"\r\n", 1)[0]
        answer = self._kept[key] if trouble == "stale" and key in self._kept else self._forward(request)
        self._kept.setdefault(key, answer)
        if trouble == "lost":
            return False
        if trouble == "halves":
            answer = _http("200 OK", re.sub(rb'": *"', rb'": "\\ud800', answer.split(b"\r\n\r\n", 1)[1]))
        if trouble == "cut":
            client.sendall(answer[: len(answer) - 20])
            return False
        if trouble == "slow":
            for start in range(0, len(answer), max(1, len(answer) // 8)):
                client.sendall(answer[start : start + max(1, len(answer) // 8)])
                time.sleep(0.01)
            return True
        client.sendall(answer)
        return True

    def _forward(self, request: bytes) -> bytes:
        with socket.create_connection(self.upstream, timeout=10) as server:
            server.sendall(request)
            return _message(server) or b""


def _message(source: socket.socket) -> bytes | None:
    """One HTTP message whose length is said; None where the other side is done."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = source.recv(65536)
        if not part:
            return None
        head += part
    top, _, rest = head.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", top)
    while length and len(rest) < int(length[1]):
        part = source.recv(65536)
        if not part:
            break
        rest += part
    return top + b"\r\n\r\n" + rest


def _http(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers))
    return head.encode() + b"\r\n\r\n" + body


def _refusal(status: str, code: str, *headers: str) -> bytes:
    body = {"ResponseMetadata": {"RequestId": "proxy", "Error": {"Code": code, "Message": f"ordered {code}"}}}
    return _http(status, json.dumps(body).encode(), "Content-Type: application/json", *headers)


_SAYS = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no http at all \xff\xfe\r\n\r\n",
    "html": _http("502 Bad Gateway", b"<html><body>502 Bad Gateway</body></html>", "Content-Type: text/html"),
    "wrong": _http("200 OK", b'{"ResponseMetadata": {"RequestId": "x"}, "Result": ["nothing", 1e400]}'),
    "deep": _http("200 OK", b'{"ResponseMetadata": ' + b"[" * 100_000),
    "storm": _refusal("429 Too Many Requests", "FlowLimitExceeded", "Retry-After: 1"),
    "burst": _refusal("503 Service Unavailable", "ServiceUnavailableTemp"),
    "skewed": _refusal("400 Bad Request", "InvalidTimestamp"),
}


@contextlib.contextmanager
def before(url: str) -> Iterator[Proxy]:
    """A proxy before the server at `url`."""
    parts = urlsplit(url)
    it = Proxy((parts.hostname or "", parts.port or 0))
    it.up()
    try:
        yield it
    finally:
        it.down()
