"""Whether files rest: one that is being written is not yet what its author means, however well it reads.

A file rests once it has not changed for `REST_S`; that is waited for, `MOST_S` at most. What still does not rest then is held: the
documents that it had count as there and unreadable, so that nothing is written or taken back because of half a file.
"""

import time
from dataclasses import replace
from typing import Final

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds.declared import Declared, Held
from reconciler.sources.survey import Entry, Fingerprint, entry

REST_S: Final = 0.1
MOST_S: Final = 2.0
_STEP_S: Final = 0.01


class Resting:
    """Which files do not rest, over the loads of one source. Belongs to one thread at a time."""

    def __init__(self) -> None:
        self.restless: frozenset[str] = (
            frozenset()
        )  # what was waited for in vain: it is not waited for again until it rests
        self._since: dict[
            Entry, float
        ] = {}  # when files were first seen to look as they do, where their own clock is ahead

    def wait(self, before: Fingerprint, after: Fingerprint, until: float) -> frozenset[str]:
        """Wait until all files rest, `until` that monotonic time at most, and remember which do not. The paths of those that rest
        and look otherwise than `before` they were read: they have to be read again. `after`: as they looked then."""
        known, looks = ({each[0]: each for each in found} for found in (before, after))
        young = {path for path, look in looks.items() if not self._rests(look)}
        awaited = young - self.restless
        while awaited and time.monotonic() < until:
            time.sleep(_STEP_S)
            looks |= {path: entry(path) for path in awaited}
            awaited = {path for path in awaited if not self._rests(looks[path])}
        looks |= {path: entry(path) for path in young}
        self.restless = frozenset(path for path in young if not self._rests(looks[path]))
        self._since = {look: since for look, since in self._since.items() if look[0] in self.restless}
        differs = {path for path in known.keys() | looks.keys() if known.get(path) != looks.get(path)}
        return frozenset(differs - self.restless)

    def still(self, found: Fingerprint) -> bool:
        """Whether all that did not rest before does not rest now either."""
        return all(not self._rests(each) for each in found if each[0] in self.restless)

    def _rests(self, look: Entry) -> bool:
        _, inode, _, changed_ns = look
        if not inode:
            return True  # gone, or not to be looked at: no writing ends that
        age_s = (time.time_ns() - changed_ns) / 1e9
        if age_s >= 0:
            return age_s >= REST_S
        now = time.monotonic()
        return now - self._since.setdefault(look, now) >= REST_S


def without(found: Fingerprint, paths: frozenset[str]) -> Fingerprint:
    """What was found but for these paths."""
    return frozenset(each for each in found if each[0] not in paths) if paths else found


def held(declared: Declared, moving: frozenset[str], before: Declared | None) -> tuple[Declared, tuple[Finding, ...]]:
    """What is declared without the files that are `moving`, with what they hold: every document that they had `before`, and one
    that could be any. And what is told of each."""
    if not moving:
        return declared, ()
    known = {Held.of(each) for each in (before.resources if before else ()) if each.origin.file in moving}
    known |= {each for each in (before.held if before else ()) if each.location.file in moving}
    known |= {Held(Location(name)) for name in moving}
    everything = sorted({*declared.held, *known}, key=lambda each: (each.location, each.kind, each.name))
    return replace(declared, held=tuple(everything)), tuple(map(_found, sorted(moving)))


def _found(name: str) -> Finding:
    message = f"{name} is being written: it has not rested for {REST_S:g} s, so its documents are held until it does"
    return Finding("being-written", Severity.ERROR, message, "", Location(name))
