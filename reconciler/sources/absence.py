"""What others stand on does not go because its file was away for a moment: accounts and constraints are kept until they stayed away.

Without a constraint for the length of an editor's save, what it forbids would be written; without its account, a resource would be
another's. Items whose declarations are gone are the plan's to wait for. Pure but for the times that are passed in.
"""

import math
from dataclasses import replace
from itertools import chain

from reconciler.kinds.declared import IMPLIED, Declared


class Absences:
    """Since when documents that others stand on are away. `settle_s`: for how long they have to be."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[str, float] = {}
        self.due_at = math.inf  # when the first that is kept will have been away for long enough

    def filled(self, now: Declared, before: Declared | None, at: float, moving: frozenset[str]) -> Declared:
        """What is declared `now`, with the accounts and constraints of `before` that are not away for long enough `at` that time.

        While the set is incomplete none of them goes: it may only be unreadable. An account in a file that is `moving` stays
        declared beside being held, so that what is held is not another account's.
        """
        there = {each.address for each in now.resources}
        held = {(each.kind, each.name) for each in now.held}
        accounts = [each for each in before.accounts.values() if each is not IMPLIED] if before else []
        gone = [each for each in chain(accounts, before.constraints if before else ()) if each.address not in there]
        away = [each for each in gone if (each.kind, each.name) not in held]
        self._since = {each.address: self._since.get(each.address, at) for each in away}
        until = {address: since + self._settle_s for address, since in self._since.items()}
        kept = [each for each in away if not now.complete or at < until[each.address]]
        self.due_at = min((until[each.address] for each in kept), default=math.inf)
        kept += [each for each in accounts if each.address not in there and each.origin.file in moving]
        if not kept:
            return now
        return replace(now, resources=tuple(sorted((*now.resources, *kept), key=lambda each: each.origin)))
