"""What is not plainly one HTTP/1.x request, or calls the port by a foreign name, never reaches an application."""

from collections.abc import Iterator

import pytest
from serving.conftest import Port, serving_ports, status

HOST = b"Host: localhost\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
CLOSE = b"Connection: close\r\n"

REFUSED = {
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    "an SSH greeting": (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no HTTP at all": (b"\x00" * 64, 400),
    "a request line of spaces": (b"   \r\n\r\n", 400),
    "two lengths that differ": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 400),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "a length of words": (POST + b"Content-Length: two\r\n\r\n", 400),
    "a length beside chunks": (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks beside a length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "another encoding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "an encoding hidden by a tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "a space before the colon": (POST + b"Content-Length : 3\r\n\r\nabc", 400),
    "a folded header that hides a length": (POST + b"X: a\r\n\x00Content-Length: 3\r\n\r\nabc", 400),
    "no host": (b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n", 400),
    "no host in HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", 421),
    "two hosts": (GET + HOST + CLOSE + b"\r\n", 400),
    "a foreign host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n" + CLOSE + b"\r\n", 421),
    "a host that holds a path": (b"GET / HTTP/1.1\r\nHost: localhost/a?b#\r\n" + CLOSE + b"\r\n", 421),
    "a host behind a user": (b"GET / HTTP/1.1\r\nHost: localhost@evil.example\r\n" + CLOSE + b"\r\n", 421),
    "a proxy's request": (b"GET http://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a tunnel": (b"CONNECT localhost:22 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a target that is no path": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a head without an end": (GET + b"A: " + b"a" * 10_000, 400),
    "a head too large in one piece": (GET + b"A: " + b"a" * 5_000 + b"\r\n\r\n", 431),
    "a target too long": (b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
    "very many headers": (GET + b"A: b\r\n" * 3_000 + b"\r\n", 431),
    "a body too large": (POST + CLOSE + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001, 413),
}  # fmt: skip
UNSAID = {  # the application waits for the rest of a body, which turns out to be none
    "a bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nZ\r\nabc\r\n0\r\n\r\n",
    "a chunk of a negative size": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    "a chunk longer than its size": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "a body that ends early": POST + b"Content-Length: 100\r\n\r\nabc",
    "a body without end": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"64\r\n" + b"x" * 100 + b"\r\n" + b"1\r\nx\r\n" * 5000,
}  # fmt: skip


@pytest.fixture(scope="module")
def one_port() -> Iterator[Port]:
    with serving_ports() as start:
        yield start()


@pytest.fixture
def port(one_port: Port) -> Port:
    one_port.reached.clear()
    return one_port


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_its_connection_closed(port: Port, what: str) -> None:
    sent, expected = REFUSED[what]
    smuggled = b"" if b"close" in sent or expected == 431 else b"GET /smuggled HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"
    answer = port.ask(sent + smuggled)
    assert status(answer) in ((400, 431) if expected == 431 else (expected,)), answer  # it may come in two pieces
    assert not port.reached
    assert b"evil" not in answer
    assert answer.count(b"HTTP/1.1 ") == 1, "nothing behind it is read as a request of its own"
    assert port.get() == 200


@pytest.mark.parametrize("what", UNSAID)
def test_a_body_that_is_none_ends_the_connection_and_reaches_nobody(port: Port, what: str) -> None:
    assert status(port.ask(UNSAID[what])) in (0, 400, 413)
    assert not [body for _, _, body in port.reached if body]
    assert port.get() == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.0\r\n" + HOST + b"\r\n",
        b"HEAD / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
        GET + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n\r\n",
        GET + b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n",
        POST + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
        POST + CLOSE + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        POST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nTrailer: t\r\n\r\n",
        GET + CLOSE + b"Content-Length: 0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_unusual_and_plain_is_answered(port: Port, sent: bytes) -> None:
    answer = port.ask(sent)
    assert b"HTTP/1.1 200" in answer
    assert len(port.reached) == 1
    assert port.reached[0][2] in (b"", b"ab")


def test_requests_behind_each_other_are_answered_in_their_order(port: Port) -> None:
    asked = b"".join(b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(400))
    answer = port.ask(asked + GET + CLOSE + b"\r\n")
    assert answer.count(b"HTTP/1.1 200") == 401
    assert [path for _, path, _ in port.reached] == [f"/{number}" for number in range(400)] + ["/"]


def test_a_refusal_does_not_repeat_what_was_sent_and_no_log_has_more_than_the_name(serve) -> None:
    port: Port = serve()
    asked = b"GET /secret-path?token=secret HTTP/1.1\r\nHost: %b\r\nAuthorization: Bearer secret\r\n" + CLOSE + b"\r\n"
    answer = port.ask(asked % b"evil.example:80") + port.ask(asked % b"\x1b[31msecret")
    assert b"secret" not in answer
    assert b"evil" not in answer
    assert [said.rpartition(": ")[2] for said in port.said] == ["evil.example"]


def test_a_bad_body_behind_a_request_that_is_being_answered_is_no_defect_of_ours(port: Port) -> None:
    """The answer is on its way when the rest of the body turns out to be none."""
    for _ in range(30):
        port.ask(b"POST /unread HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nZ\r\n")
    assert port.counted["defect"] == 0
    assert not [said for said in port.said if "defect" in said]
