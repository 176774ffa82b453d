"""Whoever reaches the port, connections, bytes and seconds are bounded, the port goes on answering, and the log stays short."""

import contextlib
import os
import resource
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from serving.conftest import SMALL, Port, all_of, serving_ports, status, until

from reconciler.serving.limits import for_descriptors, of_process

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def drip(it: socket.socket, text: bytes, every_s: float = 0.02) -> float:
    """Send byte by byte until the other end has had enough; for how long it took that."""
    began = time.monotonic()
    it.settimeout(every_s)
    for at in range(len(text)):
        try:
            it.sendall(text[at : at + 1])
            if it.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize(
    "sent",
    [HEAD + b"A: " + b"a" * 3000, HEAD.replace(b"GET", b"POST") + b"Content-Length: 900\r\n\r\n" + b"x" * 900],
)
def test_a_head_or_a_body_that_comes_byte_by_byte_is_cut_at_its_deadline(serve, sent: bytes) -> None:
    port: Port = serve()
    with port.connect() as it:
        head = sent.partition(b"\r\n\r\n")
        it.sendall(head[0] + head[1] if head[1] else b"G")
        took = drip(it, head[2] or sent[1:])
    assert 0.3 < took < 5.0
    assert port.counted["late"] == 1
    assert not port.reached
    assert port.said == []


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"\r\n"])
def test_a_connection_that_says_nothing_more_is_closed(serve, sent: bytes) -> None:
    port: Port = serve()
    with port.connect() as it:
        it.sendall(sent)
        began = time.monotonic()
        all_of(it)
        assert 0.2 < time.monotonic() - began < 5.0


def test_a_body_after_the_answer_is_read_no_longer_than_a_body_may_take(serve) -> None:
    port: Port = serve()
    with port.connect() as it:
        it.sendall(b"POST /unread HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert until(lambda: port.reached)
        took = drip(it, b"1\r\nx\r\n" * 1000)
    assert took < 5.0


def test_an_endless_body_is_cut_though_it_comes_fast(serve) -> None:
    port: Port = serve(replace(SMALL, body_s=60.0))
    with port.connect() as it:
        it.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):  # it ends with a reset
            for _ in range(1000):
                it.sendall(b"64\r\n" + b"x" * 100 + b"\r\n")
                time.sleep(0.001)
        assert all_of(it) == b""
    assert port.counted["too-large"] == 1
    assert not port.reached


def test_a_client_that_does_not_read_its_answer_is_cut(serve) -> None:
    port: Port = serve()
    with port.connect() as it:
        it.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert until(lambda: port.counted["late"])
        assert len(all_of(it)) < 50_000_000


def test_a_client_that_reads_slowly_and_steadily_gets_all_of_its_answer(serve) -> None:
    port: Port = serve()
    with port.connect() as it:
        it.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        came, began = 0, time.monotonic()
        while part := it.recv(1_000_000):
            came += len(part)
            time.sleep(0.03)
    assert came > 50_000_000
    assert time.monotonic() - began > SMALL.answer_s
    assert not port.counted


def test_of_many_answers_that_nobody_reads_no_more_is_kept_than_is_bounded(serve) -> None:
    port: Port = serve(replace(SMALL, answer_s=60.0, requests=8, held_bytes=60_000_000))
    for number in range(4):
        port.connect().sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert until(lambda number=number: len(port.reached) == number + 1)
    assert until(lambda: port.counted["crowded"] == 3)
    assert port.get() == 200


def test_bodies_that_are_not_whole_take_no_place_of_an_answer(serve) -> None:
    port: Port = serve(replace(SMALL, body_s=60.0))
    for _ in range(5):
        port.connect().sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
    assert [port.get() for _ in range(5)] == [200] * 5
    assert not port.said


def test_few_threads_work_for_clients(serve) -> None:
    port: Port = serve()
    assert port.ask(b"GET /threads HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").endswith(b"\r\n\r\n2")


def test_more_clients_than_are_kept_close_the_one_that_waited_longest_and_a_request_is_always_answered(serve) -> None:
    port: Port = serve(replace(SMALL, head_s=60.0))
    waiting = [port.connect() for _ in range(8)]
    assert until(lambda: port.get() == 200)
    assert until(lambda: port.counted["crowded"] >= 1)
    waiting[0].settimeout(5)
    assert all_of(waiting[0]) == b""
    waiting[-1].sendall(HEAD + b"\r\n")
    assert status(waiting[-1].recv(1000)) == 200, "the newest is still there"
    for _ in range(100):
        port.connect()
    assert port.get() == 200
    assert [said.split(":")[0] for said in port.said] == ["too many clients"]


def test_one_address_with_many_connections_closes_none_of_another_s(serve) -> None:
    port: Port = serve(replace(SMALL, head_s=60.0))
    other = port.connect("127.0.0.2")
    for _ in range(60):
        port.connect()
        time.sleep(0.002)
    assert until(lambda: port.counted["crowded"] > 20)
    other.sendall(HEAD + b"\r\n")
    assert status(other.recv(1000)) == 200


def test_more_requests_than_are_answered_at_a_time_get_503_and_the_probes_their_answer(serve) -> None:
    port: Port = serve(always=frozenset({"/livez"}))
    held = [port.connect() for _ in range(2)]
    for each in held:
        each.sendall(b"GET /held HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert until(lambda: len(port.reached) == 2)
    assert port.get() == 503
    assert port.get("/livez") == 200
    port.hold.set()
    assert [status(all_of(each)) for each in held] == [200, 200]
    assert port.get() == 200
    assert [said.split(":")[0] for said in port.said] == ["too many requests at a time"]


def test_who_does_not_read_gives_up_the_place_of_an_answer(serve) -> None:
    port: Port = serve(replace(SMALL, answer_s=60.0))
    held = [port.connect() for _ in range(2)]
    for each in held:
        each.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert until(lambda: len(port.reached) == 2)
    assert until(lambda: port.get() == 200), "each 503 closed one of them"


def test_a_defect_is_answered_500_and_told_once_in_a_while(serve, capfd: pytest.CaptureFixture[str]) -> None:
    port: Port = serve()
    assert [port.get("/broken") for _ in range(20)] == [500] * 20
    assert port.said == ["a request met a defect and was answered 500: RuntimeError"]
    assert capfd.readouterr().err.count("Traceback") <= 1
    assert port.counted["defect"] == 20


def test_when_the_port_closes_nobody_is_waited_for_but_who_is_being_answered() -> None:
    with serving_ports() as start:
        port = start(replace(SMALL, head_s=60.0, answer_s=60.0))
        idle = [port.connect() for _ in range(4)]
        idle[0].sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert until(lambda: port.reached)
        began = time.monotonic()
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("descriptors", [32, 64, 256, 1024, 1_048_576])
def test_half_of_the_descriptors_are_left_to_others(descriptors: int) -> None:
    limits = for_descriptors(descriptors)
    assert limits.burst <= descriptors // 2
    assert 0 < limits.batch < limits.connections < limits.burst
    assert 3 * limits.batch <= limits.connections, "a new one is read before it would be closed for newer ones"


def test_the_limits_are_those_of_this_process() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
        assert of_process().connections == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_without_a_descriptor_left_gives_some_back_and_goes_on(serve) -> None:
    port: Port = serve(replace(SMALL, head_s=60.0))
    for _ in range(6):
        port.connect()
    assert port.get() == 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as late, Path(os.devnull).open() as last, contextlib.ExitStack() as taken:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 8, hard))
            with contextlib.suppress(OSError):
                while True:
                    taken.enter_context(Path(os.devnull).open())
            late.settimeout(10)
            late.connect(("127.0.0.1", port.number))
            late.sendall(HEAD + b"Connection: close\r\n\r\n")
            assert status(all_of(late)) == 200
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert port.said == ["no file descriptor is left for a client: raise the limit (ulimit -n)"]
