"""The types of flags that several verbs have."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler import ledger_address
from reconciler.errors import NoLedgerAddress

if TYPE_CHECKING:
    from reconciler.notify import Hook

LOOPBACK: Final = "127.0.0.1"
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SPANS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO: Final = re.compile(r"([0-9]{1,5})([smhdw])")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_LONGEST_S: Final = 86_400.0
_HOST_NAME: Final = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT, or :PORT for loopback; port 0 takes a free one; a host of IPv6 stands in brackets."""

    name = "[HOST]:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, colon, port = str(value).rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            self.fail(f"{value!r} is not HOST:PORT, as in {LOOPBACK}:8900 (port 0: any free one)", param, ctx)
        return host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port)


class HostName(click.ParamType[str]):
    """A name that a client may call a port by, in lower case; *.NAME is every name below NAME."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value).lower().removesuffix(".")
        if not _HOST_NAME.fullmatch(name):
            self.fail(
                f"{value!r} is no host name, as in console.example.com or *.example.com (no port, no scheme)",
                param,
                ctx,
            )
        return name


class Duration(click.ParamType[float]):
    """Seconds, from 1 s (or `least_s`) to a day: 90, 90s, 5m or 1h."""

    name = "DURATION"

    def __init__(self, least_s: int = 1) -> None:
        self.least_s = least_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        written = str(value)
        unit = _UNITS.get(written[-1:])
        number = written[:-1] if unit else written
        if (
            not number.isascii()
            or not number.isdigit()
            or not self.least_s <= int(number) * (unit or 1.0) <= _LONGEST_S
        ):
            self.fail(f"{written!r} is no duration from {self.least_s}s to 24h, such as 90s, 5m or 1h", param, ctx)
        return int(number) * (unit or 1.0)


class Since(click.ParamType["datetime | timedelta"]):
    """A moment: how long ago, or a date or time, in UTC where it names no zone."""

    name = "AGO|DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        if isinstance(value, datetime | timedelta):
            return value
        written = str(value).strip()
        if ago := _AGO.fullmatch(written):
            return timedelta(seconds=int(ago[1]) * _SPANS[ago[2]])
        try:
            moment = datetime.fromisoformat(written if _DATE.fullmatch(written) else "")
        except ValueError:
            self.fail(f"{written!r} is neither how long ago (90m, 36h, 7d, 2w) nor a date such as 2026-11-30 or "
                      "2026-11-30T08:00:00+08:00", param, ctx)  # fmt: skip
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class LedgerAddress(click.ParamType[str]):
    """The path of an SQLite file or a `postgresql://` URL, which may hold a secret and is never repeated."""

    name = "FILE|URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return ledger_address.checked(str(value))
        except NoLedgerAddress as error:
            self.fail(str(error), param, ctx)


class DatabaseFile(click.ParamType[str]):
    """The path of an SQLite file; what was meant as the URL of a server is none, and never repeated."""

    name = "PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        path = str(value).strip()
        if not path:
            self.fail("it is empty (a variable or secret that is not set?)", param, ctx)
        if _SCHEME.match(path) or "://" in path:
            self.fail("it looks like a URL, and this is an SQLite file: give its path (./ before it if its name has a colon)",
                      param, ctx)  # fmt: skip
        return path


class Webhook(click.ParamType["Hook"]):
    """[SHAPE+]URL of a webhook, which is a secret and never repeated."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Hook":
        from reconciler.notify import Hook, hook  # an HTTP client that few runs need

        if isinstance(value, Hook):
            return value
        try:
            return hook(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
