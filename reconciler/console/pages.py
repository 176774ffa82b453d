"""Each page: what it shows of the desk, as HTML. Escapes every value; the one home of jinja2. Answers no request itself."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reconciler import __version__
from reconciler.console import comparing, listing, plot
from reconciler.console.desk import Desk, Past, Seen
from reconciler.console.messages import LANGUAGES
from reconciler.console.saying import Saying
from reconciler.errors import LedgerError
from reconciler.plan import kind_of
from reconciler.plan.prices import grouped
from reconciler.report.as_text import safe
from reconciler.report.as_text.words import revision
from reconciler.report.model_row import standing_of
from reconciler.report.review import TOTALS
from reconciler.state import UNOBSERVABLE, Limit, Rate

FIRST: Final = 5  # of what to look at first


class NotThere(Exception):
    """The address names an account, a model or a page that is not there."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(what)
        self.what, self.name = what, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, and what they ask for. `root` is where the console is mounted."""

    language: str = "en"
    theme: str = ""
    root: str = ""
    path: str = "/"
    account: str = ""
    given: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def to(self, page: str, account: str = "", /, **given: object) -> str:
        """The address of a page."""
        path = f"{self.root}/{page}{'/' if account else ''}{quote(account)}"
        return f"{path}?{urlencode(given)}" if given else path

    def here(self, **more: str) -> str:
        """The address of this page, with a choice."""
        return f"{self.path}?{urlencode({**self.given, **more})}"


def overview(desk: Desk, reader: Reader) -> str:
    """Every account; where there is one, it."""
    if len(desk.accounts) == 1:
        return models(desk, replace(reader, account=next(iter(desk.accounts))))
    return _render("accounts.html", desk, reader, seen=None, accounts=[each.account for each in desk.accounts.values()])


def models(desk: Desk, reader: Reader) -> str:
    """One account: how it adds up, what to look at first, and the table of its models."""
    seen = _seen(desk, reader)
    asked = listing.query(reader.given)
    return _render(
        "models.html", desk, reader, seen=seen, asked=asked, rows=listing.models(seen, asked), here="models",
        shown=listing.SHOWN, states=listing.STATES, filters=listing.filters(seen), first=FIRST,
    )  # fmt: skip


def model(desk: Desk, reader: Reader) -> str:
    """One model."""
    seen = _seen(desk, reader)
    name = reader.given.get("name", "")
    row = seen.account.rows.get(name)
    if row is None:
        raise NotThere("model", name)
    past, unread = _past(desk, seen)
    asked = listing.query(reader.given)
    addresses = {one.address for one in row.resources} | {one.address for one in row.changes}
    items = {name, *(one.id for one in row.endpoints)}
    return _render(
        "model.html", desk, reader, seen=seen, row=row, here="models", asked=asked, unread=unread,
        endpoints=listing.endpoints(row, asked), comparisons=comparing.compare(seen, row),
        paused=comparing.paused_of(seen.by_model.get(name, ())),
        drifts=desk.drifts(seen, row.resources, past),
        entries=[
            (run, entry) for run, entries in past.runs for entry in entries
            if entry.address in addresses or entry.target in items
        ],
        drawing=plot.of(row.model.hourly_use, seen.account.now),
    )  # fmt: skip


def plan(desk: Desk, reader: Reader) -> str:
    """The plan as a reviewable diff."""
    seen = _seen(desk, reader)
    told = seen.account.review
    changes = listing.page_of((*told.reverts, *told.others), listing.query(reader.given).page)
    return _render("plan.html", desk, reader, seen=seen, here="plan", changes=changes)


def findings(desk: Desk, reader: Reader) -> str:
    """What the rules say, and how the account and its constraints stand."""
    seen = _seen(desk, reader)
    found = listing.page_of(seen.account.findings, listing.query(reader.given).page)
    return _render("findings.html", desk, reader, seen=seen, here="findings", found=found)


def history(desk: Desk, reader: Reader) -> str:
    """The latest runs of the ledger."""
    seen = _seen(desk, reader)
    past, unread = _past(desk, seen)
    return _render("history.html", desk, reader, seen=seen, past=past, unread=unread, here="history")


def door(reader: Reader) -> str:
    """Where a token is asked for."""
    return _template("door.html", reader)


def looking(desk: Desk, reader: Reader) -> str:
    """That nobody looked at this account yet."""
    return _render("accounts.html", desk, reader, seen=None, accounts=[])


def missing(desk: Desk, reader: Reader, what: NotThere) -> str:
    """That there is no such thing."""
    return _render("missing.html", desk, reader, seen=desk.accounts.get(reader.account), missing=what)


def failed(desk: Desk, reader: Reader) -> str:
    """That a page could not be made; so this one is made of nothing that could fail it too."""
    return _render("failed.html", desk, reader, seen=None)


PAGES: Final[Mapping[str, Callable[[Desk, Reader], str]]] = {
    "/": overview,
    "/models/{account:path}": models,
    "/model/{account:path}": model,
    "/plan/{account:path}": plan,
    "/findings/{account:path}": findings,
    "/history/{account:path}": history,
}


def _seen(desk: Desk, reader: Reader) -> Seen:
    seen = desk.accounts.get(reader.account)
    if seen is None:
        raise NotThere("account", reader.account)
    return seen


def _past(desk: Desk, seen: Seen) -> tuple[Past, str]:
    """What the ledger remembers, or why it could not be read."""
    try:
        return desk.past(seen.account.name), ""
    except LedgerError as error:
        return Past(), str(error)


def _render(name: str, desk: Desk, reader: Reader, *, seen: Seen | None, **values: Any) -> str:
    account = seen.account if seen else None
    given = {"here": "", "names": list(desk.accounts), "wrong": seen.by_model if seen else {}, **values}
    return _template(name, reader, account=account, now=desk.clock(), **given)


def _template(name: str, reader: Reader, **values: Any) -> str:
    say = _sayings()[reader.language]
    return _environment().get_template(name).render(say=say, reader=reader, **values)


def warm() -> None:
    """Compile every template, so that the first reader does not wait for it."""
    for name in _environment().list_templates():
        _environment().get_template(name)


@cache
def _sayings() -> Mapping[str, Saying]:
    return {language: Saying(language) for language in LANGUAGES}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reconciler.console"), autoescape=True, undefined=StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals.update(
        asset=_asset, version=__version__, spark=plot.spark, kind_of=kind_of, TOTALS=TOTALS, revision=revision,
        standing_of=standing_of, grouped=grouped, UNSEEN=UNOBSERVABLE,
    )  # fmt: skip
    made.globals.update(timed=_timed, zoned=_zoned)
    made.filters.update(with_times=_with_times)
    made.tests.update(limit=lambda one: isinstance(one, Limit), rate=lambda one: isinstance(one, Rate))
    return made


def _shown(value: Any) -> Any:
    """Text with its invisible characters made visible, so that no name can hide or turn the words around it."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _zoned(say: Saying, when: datetime) -> Markup:
    """A moment in UTC, which the script puts into the reader's zone with UTC beside."""
    return Markup('<time datetime="{}" data-at>{}</time>').format(say.iso(when), say.moment(when))


def _timed(say: Saying, key: str, when: datetime) -> Markup:
    """The message of that key with a moment in it."""
    return Markup("{}").format(Markup(say.raw(key)).format(when=_zoned(say, when)))  # noqa: S704  # our own words


# As the report's own sentences have moments.
_MOMENT: Final = re.compile(r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:Z| UTC)\b")


def _with_times(text: str) -> Markup:
    """The text, escaped, with each moment in it as one that the script puts into the reader's zone."""
    parts, end = [], 0
    for found in _MOMENT.finditer(safe(text)):
        moment = f"{found[1]}T{found[2]}{found[3] or ':00'}Z"
        parts += [
            escape(safe(text)[end : found.start()]),
            Markup('<time datetime="{}" data-at>{}</time>').format(moment, found[0]),
        ]
        end = found.end()
    return Markup("").join([*parts, escape(safe(text)[end:])])


@cache
def _asset(name: str) -> str:
    """The asset's address below the root, with its digest, so that it can be kept for ever."""
    content = files("reconciler.console").joinpath("assets", name).read_bytes()
    return f"assets/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
