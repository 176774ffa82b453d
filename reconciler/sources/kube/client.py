"""Requests to an API server. The official client finds the server, trusts it and keeps the token fresh; requests and watches
go through its connection pool as plain JSON. The only import of kubernetes. Retries nothing: callers have their own back-off.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, list_kube_config_contexts, load_incluster_config, load_kube_config

from reconciler.errors import ModelPolicyError
from reconciler.kinds import API_VERSION, Kind
from reconciler.kinds.common import Spec

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
Object = Mapping[str, Any]
MANAGER: Final = "modelpolicy"
DEFAULT: Final = "default"
PAGE: Final = 500
CONNECT_S: Final = 5.0
READ_S: Final = 30.0
WATCH_S: Final = 240  # a watch is asked anew after that long, wherever it got stuck
SILENCE_S: Final = 90.0  # a real server sends a bookmark a minute: who says nothing for longer is not heard any more


class KubeError(ModelPolicyError):
    """The API server did not do what was asked. `code` 0: it did not answer."""

    def __init__(self, message: str, *, code: int = 0, reason: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.retry_after_s = code, reason, retry_after_s

    @property
    def gone(self) -> bool:
        """Whether what was asked for is too old to be told: list again."""
        return self.code == 410

    @property
    def conflict(self) -> bool:
        return self.code == 409

    @property
    def missing(self) -> bool:
        return self.code == 404


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects of a kind and the version they were read at."""

    items: tuple[Object, ...]
    version: str


class Client:
    """One API server, and the namespace that is meant where none is said. Safe to call from several threads; `close` ends every
    connection."""

    def __init__(self, configuration: Configuration, read_s: float = READ_S, namespace: str = DEFAULT) -> None:
        self._read_s = read_s
        self.namespace = namespace
        configuration.connection_pool_maxsize = 32
        configuration.retries = False
        self._configuration = configuration
        self._pool: urllib3.PoolManager = ApiClient(configuration).rest_client.pool_manager
        self._host = configuration.host.rstrip("/")

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        """One request and its answer; raises `KubeError`."""
        with closing(self._send(method, path, body, query or {}, content, self._read_s)) as answer:
            try:
                data = answer.data
            except urllib3.exceptions.HTTPError as error:
                raise KubeError(f"the API server's answer broke off: {_said(error)}") from error
            if answer.status >= 300:
                raise _refused(answer, data)
            return _json(data)

    def watch(self, path: str, query: Mapping[str, str]) -> "Watch":
        """A watch, from the version in `query` on; raises `KubeError`."""
        asked = {**query, "watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_S)}
        answer = self._send("GET", path, None, asked, "", SILENCE_S)
        if answer.status >= 300:
            with closing(answer):
                raise _refused(answer, answer.data)
        return Watch(answer)

    def list(self, path: str, query: Mapping[str, str]) -> Listing:
        """All objects at `path`, in pages of one consistent read."""
        items: list[Object] = []
        token = ""
        while True:
            page = {"limit": str(PAGE), **query, **({"continue": token} if token else {})}
            answer = self.request("GET", path, query=page)
            items += answer.get("items") or ()
            token = answer["metadata"].get("continue") or ""
            if not token:
                return Listing(tuple(items), answer["metadata"]["resourceVersion"])

    def apply(self, path: str, body: Object, *, manager: str = MANAGER) -> dict[str, Any]:
        """Server-side apply of `body`, taking the fields from whoever has them."""
        query = {"fieldManager": manager, "force": "true"}
        return self.request("PATCH", path, body, query=query, content="application/apply-patch+yaml")

    def merge(self, path: str, patch: Object) -> dict[str, Any]:
        """A merge patch; with metadata.resourceVersion in it, only on that version."""
        return self.request(
            "PATCH", path, patch, content="application/merge-patch+json", query={"fieldManager": MANAGER}
        )

    def apart(self, read_s: float) -> "Client":
        """The same server over connections of its own, which wait no longer than that for an answer."""
        return Client(self._configuration, read_s, self.namespace)

    def close(self) -> None:
        """Let go of the connections that nobody uses."""
        self._pool.clear()

    def _send(
        self, method: str, path: str, body: object, query: Mapping[str, str], content: str, read_s: float
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": "modelpolicy"}
        token = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        if token:
            headers["Authorization"] = token
        if body is not None:
            headers["Content-Type"] = content
        url = f"{self._host}{path}{'?' + urlencode(query) if query else ''}"
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        try:
            return self._pool.request(
                method, url, body=data, headers=headers, preload_content=False, retries=False, redirect=False,
                timeout=urllib3.Timeout(connect=CONNECT_S, read=read_s),
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise KubeError(f"the API server does not answer: {_said(error)}") from error


class Watch:
    """A watch under way: iterate once, from one thread; any thread may `end` it."""

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[Object]:
        """The events until the server ends the watch; raises `KubeError`, also for an ERROR event."""
        try:
            for line in _lines(self._answer):
                event = _json(line)
                if event.get("type") == "ERROR":
                    raise _of_status(event.get("object", {}))
                yield event
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise KubeError(f"the watch broke off: {_said(error)}") from error
        finally:
            self._answer.close()

    def end(self) -> None:
        """Whoever waits for the next event waits no longer."""
        with suppress(OSError, ValueError, AttributeError):  # it may be over already
            self._answer.shutdown()


def connect(kubeconfig: str | None = None, context: str | None = None) -> Client:
    """The server that a kubeconfig names or, inside a pod, its own. Raises `KubeError` where there is neither."""
    configuration = Configuration()
    try:
        if kubeconfig is None and context is None:
            with suppress(ConfigException):
                load_incluster_config(client_configuration=configuration)
                return Client(configuration, namespace=_of_pod())
        load_kube_config(config_file=kubeconfig, context=context, client_configuration=configuration)
        return Client(configuration, namespace=_of_context(kubeconfig, context))
    except (ConfigException, OSError) as error:
        raise KubeError(f"there is no cluster to talk to: {error}") from error


def _of_pod() -> str:
    with suppress(OSError):
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip() or DEFAULT
    return DEFAULT


def _of_context(kubeconfig: str | None, context: str | None) -> str:
    known, active = list_kube_config_contexts(kubeconfig)
    used = next((each for each in known if each["name"] == context), active)
    return str(used["context"].get("namespace") or DEFAULT)


def at(host: str, *, token: str = "", ca_file: str | None = None) -> Client:
    """The server at an address; without `ca_file` an https one is trusted by the system's authorities."""
    configuration = Configuration()
    configuration.host = host
    configuration.ssl_ca_cert = ca_file
    if token:
        configuration.api_key = {"authorization": f"Bearer {token}"}
    return Client(configuration)


def path_of(kind: Kind[Spec], namespace: str | None, name: str = "", *, status: bool = False) -> str:
    """Where the objects of one of our kinds are, one of them, or its status."""
    return path(f"/apis/{API_VERSION}", kind.plural, namespace, name) + ("/status" if status else "")


def path(api: str, plural: str, namespace: str | None, name: str = "") -> str:
    """Where the objects of any kind are: `api` is "/api/v1" or "/apis/GROUP/VERSION"."""
    space = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{api}{space}/{plural}" + (f"/{quote(name, safe='')}" if name else "")


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of a stream, each as soon as it is there."""
    rest = b""
    while chunk := answer.read1(65536):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(None, whole)


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise KubeError("the API server answered with something that is no JSON") from error
    if not isinstance(value, dict):
        raise KubeError("the API server answered with something that is no object")
    return value


def _refused(answer: urllib3.BaseHTTPResponse, data: bytes) -> KubeError:
    wait = answer.headers.get("Retry-After", "")
    try:
        error = _of_status(json.loads(data))
    except ValueError:
        error = KubeError(f"the API server answered {answer.status}")
    error.code = answer.status
    error.retry_after_s = float(wait) if wait.isdigit() else None
    return error


def _of_status(said: Object) -> KubeError:
    message = str(said.get("message") or f"the API server answered {said.get('code')}")
    return KubeError(message, code=int(said.get("code") or 0), reason=str(said.get("reason") or ""))


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
