r"""What is written down becomes what is declared: bytes in, resources and findings out. Pure: no I/O, no clock.

    bytes --text--> chunks --quick--> values --documents--> Resource
                       \--exact--> tree --documents--> Resource | Held | Finding      where there is any doubt

Whatever the bytes are, `load` returns: the user's mistakes are findings, all of them at once, each with file, line and
column. The same texts give the same result in whatever order they come.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.finding import Finding, Location, Severity, in_order
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared, Held
from reconciler.load import beside, exact, foreign, quick, text, tree
from reconciler.load.checks import CHECKS
from reconciler.load.documents import Judged, good, judge
from reconciler.load.frame import frame
from reconciler.load.positions import Positions
from reconciler.reasons import Reason

__all__ = ["CHECKS", "Loaded", "Memory", "SourceText", "frame", "is_beside", "load"]

_NOTES_A_FILE = 3  # foreign documents in a file that are noted one by one
_NOTED_FILES = 10  # files with such documents that are noted one by one


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file as it was read: `name` as the user gave it (POSIX), "<stdin>" for standard input; `asked` False: met in a folder, so that
    it may be something else than policies."""

    name: str
    content: bytes
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the texts declare, and everything that is wrong or notable about them."""

    declared: Declared
    findings: tuple[Finding, ...]


class Memory:
    """What each file said at the last load, by its name and the digest of its bytes; a loop keeps one, so that loading again
    reads only what has changed. Belongs to one thread."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], tuple[Judged, ...]] = {}


def load(texts: Iterable[SourceText], *, complete: bool = True, memory: Memory | None = None) -> Loaded:
    """Every resource and every finding of the texts. `complete` False: something could not be read at all."""
    ordered = sorted(texts, key=lambda source: (source.name, source.content))
    sources = tuple((source.name, hashlib.sha256(source.content).hexdigest()) for source in ordered)
    known = memory.files if memory is not None else {}
    files = {key: known.get(key) or tuple(_file(source)) for key, source in zip(sources, ordered, strict=True)}
    if memory is not None:
        memory.files = files
    judged = [one for key in sources for one in files[key]]
    resources, twins, doubled = _unique([one.resource for one in judged if one.resource is not None])
    findings = [finding for one in judged for finding in one.findings] + twins + _notes(judged)
    held = [one.held for one in judged if one.held is not None] + doubled
    return Loaded(
        Declared(
            resources=tuple(resources),
            held=tuple(sorted(held, key=lambda one: (one.location, one.kind, one.name))),
            complete=complete,
            sources=sources,
        ),
        in_order(findings),
    )


def is_beside(source: SourceText) -> bool:
    """Whether a file that was met in a folder is plainly something else than policies."""
    return not source.asked and _beside(source, text.decode(source.content)) is not None


def _file(source: SourceText) -> Iterator[Judged]:
    """What each document of a file became."""
    decoded = text.decode(source.content)
    other = None if source.asked else _beside(source, decoded)
    if other is not None:
        yield from other
        return
    if isinstance(decoded, tree.Problem):
        yield from judge(tree.Document(problems=[decoded]), source.name)
        return
    is_json = source.name.endswith(".json")
    is_tame = not is_json and quick.tame(decoded)
    for line, chunk in ((1, decoded),) if is_json else text.chunks(decoded):
        if len(chunk) > text.MAX_CHUNK:
            message = f"the document has {len(chunk):,} characters; at most {text.MAX_CHUNK:,} are read"
            problem = tree.Problem("too-large", message, "split it", line, 1)
            yield from judge(tree.Document(problems=[problem], line=line), source.name)
            continue
        at_once = None if is_json else _good(quick.read(chunk, is_tame=is_tame), Location(source.name, line), chunk)
        if at_once is not None:
            yield at_once
            continue
        for document in exact.documents(chunk, line, is_json=is_json):
            yield from judge(document, source.name)


def _beside(source: SourceText, decoded: str | tree.Problem) -> tuple[Judged, ...] | None:
    """What the documents of a file are that was met in a folder and is plainly not ours; None for any other."""
    if isinstance(decoded, tree.Problem):
        return beside.undecoded(source.content, decoded, source.name)
    return None if foreign.mentions_us(decoded) else beside.judged(decoded, source.name)


def _good(read: quick.Read | None, place: Location, chunk: str) -> Judged | None:
    """What an ordinary document without a mistake became, by the shortest way; None: it has to be looked at closely."""
    if read is None:
        return None
    values, start = read
    origin = Location(place.file, place.line + start, 1)
    resource = good(values, origin, Positions(chunk, place.line))
    if resource is not None:
        return Judged(resource=resource, location=origin)
    kind = None if "items" in values else foreign.kind_of(values, place.file)
    return None if kind is None else Judged(foreign=kind, location=origin)


def _unique(resources: list[Resource[Any]]) -> tuple[list[Resource[Any]], list[Finding], list[Held]]:
    """The resources that no other shares kind and name with; a finding and a held entry for each of the others."""
    by_address: dict[str, list[Resource[Any]]] = defaultdict(list)
    for resource in resources:
        by_address[resource.address].append(resource)
    findings: list[Finding] = []
    held: list[Held] = []
    for address, twins in by_address.items():
        for resource in twins if len(twins) > 1 else ():
            others = ", ".join(str(other.origin) for other in twins if other is not resource)
            message = f"{address} is declared more than once, also at {others}; none of them is carried out"
            location = resource.at("metadata", "name")
            findings.append(
                Finding("duplicate-resource", Severity.ERROR, message, "rename or remove all but one", location, address, Reason.CONFLICTED)
            )  # fmt: skip
            held.append(Held.of(resource))
    return [resource for resource in resources if len(by_address[resource.address]) == 1], findings, held


def _notes(judged: Iterable[Judged]) -> list[Finding]:
    """One note for each foreign document, one a file or one for all where there are many; the same for files passed over."""
    strange = [(one.location, one.foreign) for one in judged if one.foreign is not None and one.location is not None]
    passed = [(one.location, one.passed) for one in judged if one.passed and one.location is not None]
    by_file: dict[str, list[tuple[Location, str]]] = defaultdict(list)
    for place, kind in strange:
        by_file[place.file].append((place, kind))
    notes: list[Finding] = []
    if len(by_file) > _NOTED_FILES:
        notes.append(_note(strange[0][0], f"{_many(strange)} in {len(by_file):,} files are left alone"))
    else:
        for each in by_file.values():
            if len(each) > _NOTES_A_FILE:
                notes.append(_note(each[0][0], f"{_many(each)} are left alone"))
            else:
                notes += [_note(place, f"{_called(kind)} is left alone") for place, kind in each]
    if len(passed) > _NOTED_FILES:
        named = ", ".join(place.file for place, _ in passed[:3])
        said = f"{len(passed):,} files that are no policies were passed over: {named} and {len(passed) - 3:,} more"
        return [*notes, _note(passed[0][0], said, "passed-over")]
    return notes + [
        _note(place, f"{place.file} is no policy and was passed over: {why}", "passed-over") for place, why in passed
    ]


def _many(strange: list[tuple[Location, str]]) -> str:
    kinds = sorted({kind[:80] or "without a kind" for _, kind in strange})
    named = ", ".join(kinds[:5]) + (", ..." if len(kinds) > 5 else "")
    return f"{len(strange):,} documents of other kinds ({named})"


def _called(kind: str) -> str:
    return f"a document of another kind ({kind[:80]})" if kind else "a document without apiVersion and kind"


def _note(place: Location, message: str, rule: str = "foreign-document") -> Finding:
    return Finding(rule, Severity.INFO, message, "", place)
