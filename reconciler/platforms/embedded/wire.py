"""Ark's control-plane wire: the envelope, its error codes with their numbers, request checks and paging.

Pure: values in, JSON values out. Codes are A4 and A5; where those name a family only (`InvalidParameter.X`, `ResourceNotFound.X`) the last
word is the parameter or the resource. HTTP statuses are this server's own where none is published.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SERVICE: Final = "ark"
VERSION: Final = "2024-01-01"
MAX_BODY: Final = 1_000_000
MAX_PAGE: Final = 100
_MAX_DEPTH_TEXT: Final = "is nested too deeply"

# code -> (CodeN, HTTP status)
GATEWAY: Final[Mapping[str, tuple[int, int]]] = {
    "MissingParameter": (100002, 400),
    "MissingRequestInfo": (100004, 400),
    "InvalidTimestamp": (100006, 400),
    "ServiceNotFound": (100007, 404),
    "InvalidActionOrVersion": (100008, 404),
    "InvalidAccessKey": (100009, 401),
    "SignatureDoesNotMatch": (100010, 401),
    "AccessDenied": (100013, 403),
    "InternalError": (100014, 500),
    "InternalServiceTimeout": (100016, 504),
    "FlowLimitExceeded": (100018, 429),
    "ServiceUnavailableTemp": (100019, 503),
    "InternalServiceError": (100023, 502),
    "InvalidAuthorization": (100024, 401),
    "InvalidCredential": (100025, 401),
    "InvalidSecretToken": (100026, 401),
}


class WireError(Exception):
    """The request is answered with Ark's error `code` and HTTP `status` (the gateway's own where it is None)."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status if status is not None else GATEWAY.get(code, (0, 400))[1]


@dataclass(frozen=True, slots=True)
class Call:
    """One control-plane call as the envelope repeats it."""

    request_id: str
    action: str = ""
    version: str = VERSION
    region: str = ""

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "RequestId": self.request_id,
            "Action": self.action,
            "Version": self.version,
            "Service": SERVICE,
            "Region": self.region,
        }


def answered(call: Call, result: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope of a success."""
    return {"ResponseMetadata": call.metadata, "Result": dict(result)}


def refused(call: Call, error: WireError) -> dict[str, Any]:
    """The envelope of a failure; CodeN only where the gateway has a number for the code."""
    said: dict[str, Any] = {"Code": error.code, "Message": error.message}
    if error.code in GATEWAY:
        said["CodeN"] = GATEWAY[error.code][0]
    return {"ResponseMetadata": {**call.metadata, "Error": said}}


def body_of(raw: bytes) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty one."""
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        # RecursionError: a body of brackets only; its text would say nothing to the caller.
        said = _MAX_DEPTH_TEXT if isinstance(exc, RecursionError) else f"is not valid JSON: {exc}"
        raise WireError("InvalidParameter", f"The request body {said}.", 400) from exc
    if not isinstance(body, dict):
        raise WireError("InvalidParameter", "The request body is not a JSON object.", 400)
    if b"\\u" in raw:
        _encodable(body)
    return body


def _encodable(body: dict[str, Any]) -> None:
    """JSON can write half of a character, which neither a database nor an answer can hold."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as exc:
        raise WireError("InvalidParameter", "The request body has half of a surrogate pair in it.", 400) from exc


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _invalid(field: str, wanted: str) -> WireError:
    return WireError(f"InvalidParameter.{field}", f"The parameter {field} must be {wanted}.", 400)


def text(body: Mapping[str, Any], field: str, *, required: bool = False, most: int = 1024) -> str:
    """A string parameter; "" where it is absent and not required."""
    value = body.get(field)
    if value is None or value == "":
        if required:
            raise WireError("MissingParameter", f"The required parameter {field} is missing.")
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise _invalid(field, f"a string of at most {most} characters")
    return value


def integer(body: Mapping[str, Any], field: str, *, least: int, most: int) -> int | None:
    """An integer parameter within its bounds; None where it is absent."""
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _invalid(field, f"an integer from {least} to {most}")
    return value


def flag(body: Mapping[str, Any], field: str) -> bool:
    """A boolean parameter; False where it is absent."""
    value = body.get(field)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _invalid(field, "true or false")
    return value


def mapping(body: Mapping[str, Any], field: str) -> dict[str, Any]:
    """An object parameter; {} where it is absent."""
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(field, "an object")
    return value


def texts(body: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """A list of strings; () where it is absent."""
    value = body.get(field)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 1000 or not all(isinstance(item, str) for item in value):
        raise _invalid(field, "a list of at most 1000 strings")
    return tuple(value)


def one_of(body: Mapping[str, Any], field: str, allowed: Sequence[str]) -> str:
    """A string out of `allowed`; the first of them where it is absent."""
    value = text(body, field) or allowed[0]
    if value not in allowed:
        raise _invalid(field, "one of " + ", ".join(allowed))
    return value


def page(items: Sequence[dict[str, Any]], body: Mapping[str, Any], *, size: int = 10) -> dict[str, Any]:
    """One page of `items`."""
    number, size = paging(body, size)
    first = (number - 1) * size
    return {
        "TotalCount": len(items),
        "PageNumber": number,
        "PageSize": size,
        "Items": list(items[first : first + size]),
    }


def paging(body: Mapping[str, Any], size: int = 10) -> tuple[int, int]:
    """PageNumber, from 1, and PageSize, 1 to 100; `size` where it is absent."""
    number = integer(body, "PageNumber", least=1, most=2**31 - 1) or 1
    return number, integer(body, "PageSize", least=1, most=MAX_PAGE) or size
