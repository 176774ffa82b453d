"""Verifies Volcengine V4 signatures (HMAC-SHA256) as the client sent them, over the headers it says it signed.

Pure: the request's values, the keys and the real time come in. No secret ever leaves, in no message.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote

from reconciler.platforms.embedded.wire import SERVICE, WireError

ALGORITHM: Final = "HMAC-SHA256"
MAX_SKEW: Final = timedelta(minutes=15)
_AUTHORIZATION: Final = re.compile(
    r"HMAC-SHA256 Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]*),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_X_DATE: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")


# What is read of a request beside the signed headers.
_USED: Final = frozenset({"authorization", "host", "x-content-sha256", "x-date", "x-security-token"})


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent: `headers` by lower-case name, `query` as it stood in the request line, `repeated` names of headers."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """What the credential was narrowed to."""

    access_key: str
    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/request"


def verify(request: Request, access_key: str, secret_key: str, now: datetime) -> Scope:
    """The scope of a request that holder of `secret_key` signed; raises WireError with the gateway's code otherwise."""
    authorization = request.headers.get("authorization", "")
    if not authorization:
        raise WireError("MissingRequestInfo", "The request carries no Authorization header.")
    parsed = _AUTHORIZATION.fullmatch(authorization.strip())
    if parsed is None:
        raise WireError(
            "InvalidAuthorization", "The Authorization header is not of the form of HMAC-SHA256 signatures."
        )
    if twice := request.repeated & (_USED | set(parsed["headers"].split(";"))):
        raise WireError("InvalidAuthorization", f"The header {min(twice)} of the signature stands twice.")
    moment = _moment(request.headers, now)
    scope = _scope(parsed["credential"], moment)
    if request.headers.get("x-security-token"):
        raise WireError("InvalidSecretToken", "This platform issues no session tokens.")
    if not hmac.compare_digest(scope.access_key.encode(), access_key.encode()):
        raise WireError("InvalidAccessKey", "The access key is not known here.")
    expected = signature(request, parsed["headers"], scope, secret_key)
    claimed = request.headers.get("x-content-sha256")
    hashed = hashlib.sha256(request.body).hexdigest()
    if (claimed is not None and claimed != hashed) or not hmac.compare_digest(expected, parsed["signature"]):
        raise WireError("SignatureDoesNotMatch", "The signature does not match what was sent.")
    return scope


def signature(request: Request, signed_headers: str, scope: Scope, secret_key: str) -> str:
    """The hex signature over `signed_headers` ("a;b;c"), which may be any list (A1)."""
    lines = "".join(f"{name}:{_signed_value(name, request.headers)}\n" for name in signed_headers.split(";"))
    canonical = "\n".join(
        (
            request.method,
            "/",
            canonical_query(request.query),
            lines,
            signed_headers,
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    to_sign = "\n".join(
        (ALGORITHM, request.headers["x-date"], str(scope), hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = secret_key.encode()
    for part in (scope.date, scope.region, scope.service, "request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def parameters(query: str) -> list[tuple[str, str]]:
    """The names and values of a query in its order. What is signed and what is carried out are both read by this."""
    return parse_qsl(query, keep_blank_values=True)


def canonical_query(query: str) -> str:
    """The query as it is signed: names sorted, and the values of one name in the order in which they were sent (volcengine.com/docs/6358/166389)."""
    pairs = [(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parameters(query)]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs, key=lambda pair: pair[0]))


def _moment(headers: Mapping[str, str], now: datetime) -> str:
    said = headers.get("x-date", "")
    if not said:
        raise WireError("MissingRequestInfo", "The request carries no X-Date header.")
    if not _X_DATE.fullmatch(said):
        raise WireError("InvalidTimestamp", "X-Date is not of the form YYYYMMDDTHHMMSSZ.")
    try:
        sent = datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as exc:
        raise WireError("InvalidTimestamp", "X-Date is no date.") from exc
    if abs(now - sent) > MAX_SKEW:
        raise WireError(
            "InvalidTimestamp",
            f"X-Date {said} is more than {MAX_SKEW.seconds // 60} minutes off this server's {now:%Y%m%dT%H%M%SZ}.",
        )
    return said


def _scope(credential: str, x_date: str) -> Scope:
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "request" or not all(parts):
        raise WireError("InvalidCredential", "Credential is not of the form KEY/DATE/REGION/SERVICE/request.")
    scope = Scope(*parts[:4])
    if scope.date != x_date[:8]:
        raise WireError("InvalidCredential", f"The credential's date {scope.date} is not that of X-Date {x_date}.")
    if scope.service != SERVICE:
        raise WireError("ServiceNotFound", f"The service {scope.service} is not served here, only {SERVICE}.")
    return scope


def _signed_value(name: str, headers: Mapping[str, str]) -> str:
    value = headers.get(name, "").strip()
    if name == "host":
        host, colon, port = value.rpartition(":")
        if colon and port in ("80", "443"):
            return host
    return value
