"""The small server over HTTP: paths, lists in pages, watches, and the trouble that a test may order."""

import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import yaml
from kube.small.store import Key, Object, Refused, Store
from kube.small.verbs import Resource, Verbs

_PATH: Final = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?P<status>/status)?$"
)
BOOKMARK_S: Final = 0.2


@dataclass
class Fault:
    """Trouble for the next `times` requests of that method whose path, with ?list or ?watch behind it, contains `path`.

    `code`: answered with it; `drop`: the connection ends without an answer; `deaf`: a watch that says nothing, ever.
    """

    method: str = "GET"
    path: str = ""
    code: int = 0
    retry_after_s: int | None = None
    drop: bool = False
    deaf: bool = False
    slow_s: float = 0.0
    times: int = 1


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str

    @property
    def watches(self) -> bool:
        return self.query.get("watch") in ("1", "true")


@dataclass
class SmallServer:
    """The server: start it, order trouble, read what it was asked, stop it."""

    store: Store = field(default_factory=Store)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verbs = Verbs(self.store)
        self.pages: dict[str, tuple[int, list[Object]]] = {}
        self.tokens = itertools.count(1)
        self.generation = 0
        for name in ("default", "kube-system"):
            self.verbs.create(self.verbs.resources["namespaces"], "", {"metadata": {"name": name}})
        self._serve(0)

    def _serve(self, port: int) -> None:
        handler = type("Handler", (_Handler,), {"small": self})
        self._http = _Listener(("127.0.0.1", port), handler)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), name="small-server", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Every open connection ends, as when the process dies."""
        self.generation += 1
        self._http.shutdown()
        self._http.end()
        with self.store.changed:
            self.store.changed.notify_all()

    def restart(self, down_s: float = 0.0) -> None:
        """Gone for a while, and back at the same address with what was stored."""
        self.close()
        time.sleep(down_s)
        self._serve(self.port)

    def expire_pages(self) -> None:
        """What was begun to be listed cannot be continued."""
        self.pages.clear()

    def fault(self, request: Request) -> Fault | None:
        where = request.path + ("?watch" if request.watches else "?list" if "limit" in request.query else "")
        for fault in self.faults:
            if fault.times > 0 and fault.method == request.method and fault.path in where:
                fault.times -= 1
                return fault
        return None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        self.open: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, address: Any) -> None:
        self.open.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        self.server_close()
        for each in list(self.open):
            self.shutdown_request(each)

    def handle_error(self, request: Any, address: Any) -> None:
        """A connection that ended under us is what faults are for."""


class _Handler(BaseHTTPRequestHandler):
    small: SmallServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *said: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # named by http.server

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        asked = Request(self.command, parts.path, dict(parse_qsl(parts.query)), self.rfile.read(length),
                        self.headers.get("Content-Type", ""))  # fmt: skip
        self.small.requests.append(asked)
        fault = self.small.fault(asked)
        if fault is not None and fault.slow_s:
            time.sleep(fault.slow_s)
        if fault is not None and fault.drop:
            self.close_connection = True
            return
        try:
            if fault is not None and fault.code:
                raise Refused(fault.code, "Ordered", "trouble was ordered", fault.retry_after_s)
            if asked.path in ("/readyz", "/livez", "/version"):
                self._answer(200, {"gitVersion": "v1.33.0"})
                return
            resource, key, status = self._where(asked)
            if asked.watches:
                self._watch(resource, key, asked, deaf=fault is not None and fault.deaf)
            else:
                self._answer(*self._verb(resource, key, asked, status))
        except Refused as refused:
            wait = {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s is not None else {}
            self._answer(refused.code, refused.status, wait)

    def _where(self, asked: Request) -> tuple[Resource, Key, bool]:
        found = _PATH.match(asked.path)
        name = found and (found["plural"] if found["core"] else f"{found['plural']}.{found['group']}")
        resource = self.small.verbs.resources.get(name or "")
        if found is None or resource is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return resource, (resource.name, found["namespace"] or "", found["name"] or ""), bool(found["status"])

    def _answer(self, code: int, body: Object, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(code)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(text)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    def _verb(self, resource: Resource, key: Key, asked: Request, status: bool) -> tuple[int, Object]:
        verbs = self.small.verbs
        body = yaml.load(asked.body, yaml.CSafeLoader) if asked.body.strip() else {}  # a safe loader
        match asked.method:
            case "GET":
                return 200, verbs.get(key) if key[2] else self._list(resource, key[1], asked)
            case "POST":
                return 201, verbs.create(resource, key[1], body)
            case "PUT":
                return 200, verbs.update(resource, key, body, status)
            case "DELETE":
                return 200, verbs.delete(resource, key, (body or {}).get("preconditions") or {})
        if "apply-patch" in asked.content_type:
            return 200, verbs.apply(resource, key, body, asked.query, status)
        if "merge-patch" not in asked.content_type:
            raise Refused(415, "UnsupportedMediaType", f"{asked.content_type} is not served here")
        return 200, verbs.patch(resource, key, lambda before: _merged(before, body), status)

    def _list(self, resource: Resource, namespace: str, asked: Request) -> Object:
        store, limit, token = self.small.store, int(asked.query.get("limit") or 0), asked.query.get("continue")
        with store.changed:
            if token is not None:
                if token not in self.small.pages:
                    raise Refused(410, "Expired", "The provided continue parameter is too old")
                version, items = self.small.pages.pop(token)
            else:
                version = store.version
                items = [each for each in store.all(resource.name, namespace) if _selected(each, asked)]
        meta: Object = {"resourceVersion": str(version)}
        if limit and len(items) > limit:
            meta["continue"], meta["remainingItemCount"] = str(next(self.small.tokens)), len(items) - limit
            self.small.pages[meta["continue"]] = (version, items[limit:])
            items = items[:limit]
        return {"kind": f"{resource.kind}List", "apiVersion": resource.version, "metadata": meta, "items": items}

    # Watches.

    def _watch(self, resource: Resource, key: Key, asked: Request, *, deaf: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for event in self._events(resource, key, asked, deaf):
            text = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _events(self, resource: Resource, key: Key, asked: Request, deaf: bool) -> Iterator[Object]:
        store, small = self.small.store, self.small
        until = time.monotonic() + float(asked.query.get("timeoutSeconds") or 60)
        here, told_s = small.generation, time.monotonic()
        version = int(asked.query.get("resourceVersion") or 0)
        if not version:
            version = store.version
            yield from ({"type": "ADDED", "object": each} for each in store.all(resource.name, key[1]))
        while time.monotonic() < until and small.generation == here:
            fresh: list[Object] = []
            with store.changed:
                if store.version == version or deaf:
                    store.changed.wait(min(BOOKMARK_S, max(0.0, until - time.monotonic())))
                if deaf or small.generation != here:
                    continue
                try:
                    for event in store.since(version):
                        version = event.version
                        if event.resource == resource.name and _concerns(event.object, key[1], asked):
                            fresh.append({"type": event.type, "object": event.object})
                except Refused as refused:
                    yield {"type": "ERROR", "object": refused.status}
                    return
                version = max(version, store.version)
            yield from fresh
            if asked.query.get("allowWatchBookmarks") == "true" and time.monotonic() - told_s > BOOKMARK_S:
                told_s = time.monotonic()
                meta = {"resourceVersion": str(version), "creationTimestamp": None}
                bare = {"kind": resource.kind, "apiVersion": resource.version, "metadata": meta}
                yield {"type": "BOOKMARK", "object": bare}


def _merged(before: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(before) if isinstance(before, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _concerns(thing: Object, namespace: str, asked: Request) -> bool:
    return namespace in ("", thing["metadata"].get("namespace")) and _selected(thing, asked)


def _selected(thing: Object, asked: Request) -> bool:
    """By labels and fields, with = only."""
    labels = thing["metadata"].get("labels") or {}
    for pair in filter(None, asked.query.get("labelSelector", "").split(",")):
        name, _, wanted = pair.partition("=")
        if labels.get(name) != wanted.removeprefix("="):
            return False
    for pair in filter(None, asked.query.get("fieldSelector", "").split(",")):
        path, _, wanted = pair.partition("=")
        value: Any = thing
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if value != wanted.removeprefix("="):
            return False
    return True
