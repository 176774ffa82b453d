"""A canary for each credential, and a gateway that repeats what it was sent."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import proxy
from proxy import Proxy
from served import PRIVATE, Rig, serve

ACCESS, SECRET, API = "AKLTcanaryAccess0123456789", "canarySecret/0123456789+abcdef==", "canary-api-key-0123456789"
TOKEN, PASSWORD = "canarySessionToken0123456789", "canaryPassword0123456789"
CONSOLE = "canary-console-token-0123456789"
CANARIES = (ACCESS, SECRET, API, TOKEN, PASSWORD, CONSOLE)


def served(home: Path) -> Iterator[Rig]:
    """A served platform whose keys are the canaries."""
    for made in serve(home / "served.db"):
        object.__setattr__(made.served, "keys", replace(made.keys, access_key=ACCESS, secret_key=SECRET, api_key=API))
        yield made


def echo(*sent: str) -> bytes:
    """The answer of a gateway that refuses the keys and repeats what it was sent."""
    said = f"Authorization: HMAC-SHA256 Credential={ACCESS}/x, you sent {' and '.join(sent)}"
    error = {"ResponseMetadata": {"RequestId": "x", "Error": {"Code": "SignatureDoesNotMatch", "Message": said}}}
    body = json.dumps(error).encode()
    return b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)


def absent(where: str, text: str, *more: str) -> None:
    """No canary, nor any of `more`, is in the text."""
    for canary in (*CANARIES, *more):
        at = text.find(canary)
        assert at < 0, f"{canary} in {where}: {text[max(0, at - 200) : at + 200]}"


@contextmanager
def gateway(rig: Rig) -> Iterator[Proxy]:
    """To the platform, by a gateway that refuses every key and repeats it until it is told otherwise."""
    kept, proxy._SAYS["html"] = proxy._SAYS["html"], echo(SECRET)
    try:
        with proxy.before(rig.url) as way:
            way.order(*["html"] * 1000)
            yield way
    finally:
        proxy._SAYS["html"] = kept


def account(way: Proxy, **ark: object) -> dict[str, object]:
    return {"platform": "ark", "allowActivation": True, "ark": {"endpoint": way.url, "actions": PRIVATE, **ark}}


def scraped(log: str) -> str:
    """What a process that says in its log where it listens answers on each of its paths."""
    url = re.search(r"http://[0-9.]+:[0-9]+", log)
    assert url, log
    paths = ("/metrics", "/livez", "/", "/models/default", "/findings/default", "/history/default")
    answers = [httpx.get(url[0] + each, timeout=5, trust_env=False) for each in paths]
    return "".join(each.text + str(each.headers) for each in answers)
