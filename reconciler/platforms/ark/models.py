"""What an account of Ark knows of models: several lists, each with a part of it, laid together and kept from look to look.

Whole lists are asked for, also for one model: they are short, and their filters by name are not published.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from reconciler.errors import Permanent, Transient, Unsupported
from reconciler.kinds.platform_account import Ark
from reconciler.platforms.ark import actions, mapping, pages
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.paging import Page
from reconciler.platforms.ark.parallel import Parallel
from reconciler.reasons import Reason
from reconciler.state import Limit, Model, Seen

_NAME: Final = "FoundationModelName"
_ALSO_RETIRING: Final = {"Filter": {"IncludeDeprecatedModels": True}}
# The lists, by the part of `mapping.Replies` that each is.
_LISTS: Final[Mapping[str, Page]] = {
    "activations": Page("ListModelActivations", _NAME, {"WithPrice": True, "WithFreeUsage": True, **_ALSO_RETIRING}),
    "charges": Page("ListModelChargeItems", _NAME, {}),
    "rates": Page("ListModelRateLimit", _NAME, {"FoundationModelNames": []}),
    "catalogue": Page("ListFoundationModels", "Name", {}),
}
_NAMING: Final = ("activations", "charges", "catalogue")  # those that name models
ACTIVATIONS: Final = Page("ListModelActivations", _NAME, _ALSO_RETIRING)
LIMITS: Final = "limits"


class Models:
    """The models of one account. Safe to call from several threads at once."""

    def __init__(self, client: Client, settings: Ark) -> None:
        self._client = client
        self._settings = settings
        self._pages = pages.console(settings.endpoint, settings.region)
        self._keeping = threading.Lock()
        self._replies: mapping.Replies | None = None  # what was last said of them
        self._named_again: mapping.Replies | None = None  # what a second look at their lists since then said

    def every(self, beside: Parallel) -> tuple[dict[str, Model], str]:
        """Every model, asked anew, and why there may be more."""
        found = self._asked(_LISTS, beside)
        replies = replace(found, limits=self._limits(found.names))
        with self._keeping:
            self._replies, self._named_again = replies, None
        return {name: mapping.model(name, replies) for name in replies.names}, replies.flaw

    def one(self, name: str, parts: Sequence[str], beside: Parallel) -> dict[str, Model]:
        """The model alone, {} where there is none: `parts` asked anew, the others as they were last seen. Raises Transient where
        the lists do not name it and do not prove it absent either."""
        if self._replies is None:
            self.every(beside)
        asked = self._asked((part for part in parts if part != LIMITS), beside)
        found = {part: getattr(asked, part) for part in parts if part != LIMITS}
        if LIMITS in parts:
            found[LIMITS] = self._limits((name,))
        with self._keeping:
            known = self._replies
            assert known is not None  # a sweep was made above
            for part, flaw in asked.flaws.items():
                if found[part] is not None and name in (getattr(known, part) or {}) and name not in found[part]:
                    raise _not_known(name, flaw)
            # Only this model's part is kept: another's may be older than what its own read has seen meanwhile.
            laid: dict[str, Any] = {part: _laid(getattr(known, part), new, name) for part, new in found.items()}
            self._replies = replies = replace(known, **laid)
        if name in replies.names:
            return {name: mapping.model(name, replies)}
        self._check_absent(name, beside)
        return {}

    def known(self, name: str, beside: Parallel) -> dict[str, Model]:
        """The model as it was last seen; {} where no list names it."""
        if self._replies is None:
            self.every(beside)
        replies = self._replies
        return {name: mapping.model(name, replies)} if replies is not None and name in replies.names else {}

    def _check_absent(self, model: str, beside: Parallel) -> None:
        """Return where a second look at the whole lists does not name the model either; raises Transient where they name it, or
        do not prove anything. One second look serves until the next sweep."""
        with self._keeping:
            again = self._named_again
        if again is None:
            again = self._asked(_NAMING, beside)
            with self._keeping:
                self._named_again = None if again.flaw else again
        if again.flaw or model in again.names:
            raise _not_known(model, again.flaw or "one list named it and another did not")

    def _asked(self, parts: Iterable[str], beside: Parallel) -> mapping.Replies:
        """What these lists say now."""
        answers = [(part, beside.start(self._part, part, beside)) for part in parts]
        found: dict[str, Any] = {part: answer.result()[0] for part, answer in answers}
        flaws = {part: flaw for part, answer in answers if (flaw := answer.result()[1])}
        return mapping.Replies(**found, flaws=flaws)

    def _part(self, part: str, beside: Parallel) -> tuple[Mapping[str, Any] | None, str]:
        """One list, by name, and why it may not be all; None where this deployment has no such action or this key may not use it."""
        page = _LISTS[part]
        try:
            if part == "rates":  # it is not paged, and proves nothing absent
                return mapping.by_name(mapping.objects(self._client.read(page.action, page.request), "Items")), ""
            listed = self._client.listed(page, beside)
        except Unsupported:
            return None, ""
        except Permanent as refusal:
            if refusal.reason is Reason.PERMISSION_DENIED:
                return None, str(refusal)
            raise
        return listed.items, listed.flaw

    def _limits(self, names: tuple[str, ...]) -> Mapping[str, Seen[Limit]] | None:
        action = self._settings.actions.read_limit
        if action is None:
            return None
        values = {"models": list(names), "project": self._settings.project}
        result = self._client.read(action.action, actions.filled(action.request, values))
        return mapping.limits(result, action.response, names)


def _not_known(model: str, why: str) -> Transient:
    return Transient(f"whether there is a model {model} is not known: {why}")


def _laid(kept: Mapping[str, Any] | None, found: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """What is kept of a list, with what was found of one model in its place."""
    if found is None:
        return None
    others = {known: item for known, item in (kept or {}).items() if known != name}
    return {**others, name: found[name]} if name in found else others
