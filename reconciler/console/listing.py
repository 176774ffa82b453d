"""Which models a page of the table shows: searched, filtered, sorted, paged. Pure; a bad query is the default one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from reconciler.console.desk import Seen
from reconciler.report.model_row import Row, Tone
from reconciler.report.status_words import STANDINGS
from reconciler.state import UNOBSERVABLE, ActivationState, Endpoint

PAGE: Final = 50
TEAM: Final = "team"  # the label that says whose a declaration is
_LONGEST: Final = 200
_MOST: Final = 200  # of labels to choose from; more are found by searching
_TEXTS: Final = ("q", "show", "state", "problem", "team", "label", "sort")
T = TypeVar("T")

SHOWN: Final[Mapping[str, Callable[[Row], bool]]] = {
    "use": lambda row: row.in_use,
    "attention": lambda row: row.standing.tone in (Tone.BAD, Tone.CARE) or row.soon,
    "changes": lambda row: bool(row.changes),
    "unmanaged": lambda row: row.in_use and not row.resources,
    "all": lambda row: True,  # noqa: ARG005  # the shape of a filter
}
STATES: Final = tuple(state.value for state in ActivationState)
_TONES: Final = (Tone.BAD, Tone.CARE, Tone.WAITS, Tone.GOOD, Tone.QUIET)


def _price(row: Row) -> float | None:
    """The price of a million input tokens, as far as it is known."""
    for price in row.model.prices:
        if price.item == "InferencePrompt" and price.amount is not None:
            try:
                return float(price.amount)
            except ValueError:
                return None
    return None


# What each column is sorted by; None comes last whichever way it is sorted.
SORTS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "name": lambda row: row.name.casefold(),
    "policy": lambda row: (_TONES.index(row.standing.tone), row.standing.word),
    "state": lambda row: None if row.model.state is UNOBSERVABLE else row.model.state.value,
    "free": lambda row: row.free.share if row.free else None,
    "limit": lambda row: row.limit.share if row.limit else None,
    "use": lambda row: row.hourly or None,
    "rate": lambda row: max((pool.share for half in ("rpm", "tpm") if (pool := row.pool(half))), default=None),
    "price": _price,
}


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for, always in range."""

    q: str = ""
    show: str = "use"
    state: str = ""
    problem: str = ""
    team: str = ""
    label: str = ""
    sort: str = "name"
    down: bool = False
    page: int = 1

    @property
    def text(self) -> str:
        """As the end of an address: what is default is left out."""
        default = Query()
        parts = {key: getattr(self, key) for key in _TEXTS if getattr(self, key) != getattr(default, key)}
        parts |= {"down": "1"} if self.down else {}
        parts |= {"page": str(self.page)} if self.page > 1 else {}
        return f"?{urlencode(parts)}" if parts else "?"

    @property
    def narrows(self) -> bool:
        """Whether it leaves models out beyond what is shown by default."""
        return replace(self, sort="name", down=False, page=1) != Query()

    def sorted_by(self, column: str) -> "Query":
        """The same by that column; the other way round where it is so already."""
        return replace(self, sort=column, down=column == self.sort and not self.down, page=1)

    def showing(self, show: str) -> "Query":
        return replace(self, show=show, page=1)

    def on_page(self, page: int) -> "Query":
        return replace(self, page=page)


@dataclass(frozen=True, slots=True)
class Filters:
    """What there is to narrow by: problems with how many there are of each, teams, and other labels as KEY=VALUE."""

    problems: tuple[tuple[str, int], ...]
    teams: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of many."""

    items: Sequence[T]
    total: int
    page: int
    pages: int

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE + 1 if self.total else 0

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1 if self.total else 0


def query(given: Mapping[str, str]) -> Query:
    """The query of an address; what is not known is as if it were not there."""
    page = given.get("page", "")
    return Query(
        q=given.get("q", "").strip()[:_LONGEST],
        show=given["show"] if given.get("show") in SHOWN else "use",
        state=given["state"] if given.get("state") in STATES else "",
        problem=given["problem"] if given.get("problem") in STANDINGS else "",
        team=given.get("team", "")[:_LONGEST],
        label=given.get("label", "")[:_LONGEST],
        sort=given["sort"] if given.get("sort") in SORTS else "name",
        down=given.get("down") == "1",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


def models(seen: Seen, asked: Query) -> Slice[Row]:
    """The rows of one page of the table."""
    words = asked.q.casefold().split()
    keeps = SHOWN[asked.show]
    wrong = {one.model for one in seen.problems if one.word == asked.problem}
    labels = [label for label in ((TEAM, asked.team) if asked.team else None, _label(asked.label)) if label]
    found = [
        row
        for name, row in seen.account.rows.items()
        if keeps(row)
        and (not asked.state or (row.model.state is not UNOBSERVABLE and row.model.state.value == asked.state))
        and (not asked.problem or name in wrong)
        and all(label in row.labels for label in labels)
        and (not words or _matches(row, words))
    ]
    value = SORTS[asked.sort]
    known = [row for row in found if value(row) is not None]
    known.sort(key=value, reverse=asked.down)
    return page_of([*known, *(row for row in found if value(row) is None)], asked.page)


def endpoints(row: Row, asked: Query) -> Slice[Endpoint]:
    """One page of a model's endpoints, by name; the search is in name and id."""
    words = asked.q.casefold().split()
    found = [one for one in row.endpoints if all(word in f"{one.name} {one.id}".casefold() for word in words)]
    return page_of(sorted(found, key=lambda one: (one.override is None, one.name, one.id)), asked.page)


def page_of(items: Sequence[T], page: int) -> Slice[T]:
    """That page, or the nearest there is."""
    pages = max(1, -(-len(items) // PAGE))
    page = min(max(1, page), pages)
    return Slice(items[(page - 1) * PAGE : page * PAGE], len(items), page, pages)


def filters(seen: Seen) -> Filters:
    """What the table can be narrowed by: only what would leave something."""
    words = Counter(one.word for one in seen.problems)
    labels = seen.account.labels
    return Filters(
        problems=tuple(words.most_common()),
        teams=labels.get(TEAM, ()),
        labels=tuple(f"{key}={value}" for key, values in labels.items() if key != TEAM for value in values)[:_MOST],
    )


def _label(text: str) -> tuple[str, str] | None:
    key, equals, value = text.partition("=")
    return (key, value) if equals else None


def _matches(row: Row, words: Sequence[str]) -> bool:
    """Whether every word is in the model's names, its kind of model, or one of its endpoints, declarations or labels."""
    about = f"{row.name} {row.model.display_name} {row.model.domain}".casefold()
    rest = [word for word in words if word not in about]
    if not rest:
        return True
    more = [f"{one.name} {one.id}".casefold() for one in row.endpoints]
    more += [f"{one.address} {one.origin}".casefold() for one in row.resources]
    more += [f"{key}={value}".casefold() for key, value in row.labels]
    return all(any(word in text for text in more) for word in rest)
