"""A real webhook on loopback, which notes what is posted and answers as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T0/B0/very-secret"


class Webhook(ThreadingHTTPServer):
    """A server that notes every post, and answers as told: (status, headers, body) each once, then 200 ok."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posts: list[tuple[str, dict[str, Any], float]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.silent = threading.Event()
        self.as_bytes = False  # what is posted is no JSON

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/{SECRET}"

    def wait_for(self, count: int) -> None:
        until(lambda: len(self.posts) >= count)


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        body = {} if self.server.as_bytes else json.loads(sent)
        self.server.posts.append((self.path, body, time.monotonic()))
        if self.server.silent.is_set():
            time.sleep(0.3)
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (200, {}, b"ok")
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing on the tests' stderr."""


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@contextmanager
def serving() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
