"""A post has one deadline, whatever the webhook does to keep it open."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from webhooks import SECRET, until

from reconciler import notify, posting
from reconciler.notify import Notifier, hook
from reconciler.report.notices import Event, Notice

NOTICE = Notice(event=Event.PAUSED, account="default", address="InferenceLimit/m", target="m", message="paused")
HEAD = b"HTTP/1.1 200 OK\r\n"

Act = Callable[[socket.socket], None]


def drip(text: bytes) -> Act:
    """Answers byte by byte, each sooner than any timeout of one read."""

    def act(it: socket.socket) -> None:
        it.recv(65536)
        for at in range(len(text)):
            it.sendall(text[at : at + 1])
            time.sleep(0.05)

    return act


def forever(text: bytes, *, first: bytes = b"") -> Act:
    """Answers the same again and again."""

    def act(it: socket.socket) -> None:
        it.recv(65536)
        it.sendall(first)
        while True:
            it.sendall(text)
            time.sleep(0.005)

    return act


HOSTILE = {
    "silence": lambda it: time.sleep(20),
    "a status line byte by byte": drip(b"HTTP/1.1 200 " + b"O" * 2000),
    "a head byte by byte": drip(HEAD + b"A: " + b"a" * 2000),
    "a body byte by byte": drip(HEAD + b"Content-Length: 2000\r\n\r\n" + b"a" * 2000),
    "chunks byte by byte": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 2000),
    "one 100 Continue after the other": forever(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers without end": forever(b"A: a\r\n", first=HEAD),
    "a reason to try later, byte by byte": drip(b"HTTP/1.1 503 " + b"no" * 1000),
}


@contextmanager
def listening(act: Act) -> Iterator[int]:
    """A port whose every client is treated as `act` says."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one(client: socket.socket) -> None:
            with client:
                try:
                    act(client)
                except OSError:
                    return

        def run() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(client,), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)


def delivered(url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], float]:
    """What is said of one post and how long it took."""
    monkeypatch.setattr(notify, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(notify, "TRIES", 1)
    said: list[str] = []
    made = Notifier([hook(url)], said.append, gap_s=0.0)
    began = time.monotonic()
    made.put([NOTICE])
    until(lambda: bool(said))
    took = time.monotonic() - began
    made.close()
    return said, took


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_post_that_is_kept_open_is_given_up_at_its_deadline(
    what: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(HOSTILE[what]) as port:
        said, took = delivered(f"{scheme}://127.0.0.1:{port}/services/{SECRET}", monkeypatch)
    assert took < 3.0
    assert len(said) == 1
    assert said[0].startswith("1 notices were not delivered to 127.0.0.1: ")
    if scheme == "http":
        assert said[0].endswith(": it did not answer in time")
    assert SECRET not in said[0]


def test_a_handshake_byte_by_byte_is_given_up_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(drip(b"\x16\x03\x03\x3f\xff" + bytes(2000))) as port:
        said, took = delivered(f"https://127.0.0.1:{port}/{SECRET}", monkeypatch)
    assert took < 3.0
    assert said == ["1 notices were not delivered to 127.0.0.1: it did not answer in time"]


def test_a_name_look_up_that_hangs_is_given_up_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20) and [])
    try:
        said, took = delivered(f"https://hooks.example.com/{SECRET}", monkeypatch)
    finally:
        over.set()
    assert took < 3.0
    assert said == ["1 notices were not delivered to hooks.example.com: it did not answer in time"]


def test_a_webhook_that_does_not_read_what_is_sent_is_given_up_at_the_deadline() -> None:
    with listening(lambda it: time.sleep(20)) as port:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            posting.post(f"http://127.0.0.1:{port}/", b"x" * 50_000_000, {}, within_s=0.5, most=10)
    assert time.monotonic() - began < 3.0


def test_an_address_that_is_silent_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a host has an address of IPv6 and the network none."""
    with contextlib.ExitStack() as full, listening(drip(HEAD + b"Content-Length: 2\r\n\r\nok")) as port:
        silent = full.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = full.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003  # as the standard library has it
            waiting.connect_ex(silent.getsockname())
        kinds = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        found = [(*kinds, silent.getsockname()), (*kinds, ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert posting.post("http://hooks.example.com/x", b"{}", {}, within_s=6.0, most=10).body == b"ok"


def test_no_more_of_an_answer_is_read_than_asked_for() -> None:
    endless = forever(b"a" * 1000, first=HEAD + b"\r\n")
    with listening(endless) as port:
        answer = posting.post(f"http://127.0.0.1:{port}/", b"x", {}, within_s=5.0, most=4096)
    assert (answer.status, len(answer.body)) == (200, 4096)


def test_a_stop_is_not_held_up_and_what_was_lost_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "LAST_S", 0.3)
    said: list[str] = []
    with listening(HOSTILE["a head byte by byte"]) as port:
        made = Notifier([hook(f"http://127.0.0.1:{port}/{SECRET}")], said.append, gap_s=0.0)
        made.put([NOTICE, NOTICE])
        time.sleep(0.1)
        made.put([NOTICE])
        began = time.monotonic()
        made.close()
    assert time.monotonic() - began < 2.0
    assert said == ["3 notices were not delivered to 127.0.0.1 before the end"]


@pytest.fixture
def proxy() -> Iterator[tuple[int, list[bytes]]]:
    heard: list[bytes] = []

    def act(it: socket.socket) -> None:
        heard.append(it.recv(65536))
        it.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with listening(act) as port:
        yield port, heard


def test_a_proxy_of_the_environment_is_used(proxy: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, heard = proxy
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    answer = posting.post("http://hooks.example.com/x", b"{}", {}, within_s=5.0, most=10)
    assert answer.body == b"ok"
    assert heard[0].startswith(b"POST http://hooks.example.com/x HTTP/1.1\r\n")


def test_a_post_over_tls_is_read_to_its_end_and_its_certificate_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "key.pem")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl makes the certificate")
    subprocess.run(["openssl", *words.split(), "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(f"{file}.crt", file)

    def act(it: socket.socket) -> None:
        with server.wrap_socket(it, server_side=True) as secure:
            came = b""
            while not came.endswith(b"x" * 100_000):
                came += secure.recv(65536)
            secure.sendall(HEAD + b"Content-Length: 200000\r\n\r\n" + b"a" * 200_000)

    with listening(act) as port:
        url = f"https://127.0.0.1:{port}/{SECRET}"
        with pytest.raises(ssl.SSLCertVerificationError):
            posting.post(url, b"{}", {}, within_s=5.0, most=300_000)
        trusting = ssl.create_default_context(cafile=f"{file}.crt")
        trusting.sslsocket_class = posting._context().sslsocket_class
        monkeypatch.setattr(posting, "_context", lambda: trusting)
        assert len(posting.post(url, b"x" * 100_000, {}, within_s=5.0, most=300_000).body) == 200_000
