"""What is known of each finding's id, for outputs that carry their own documentation. Pure; the texts are `explain`'s own."""

from dataclasses import dataclass
from typing import Final

from reconciler import rules
from reconciler.finding import Severity
from reconciler.kinds.common import uncited
from reconciler.load import CHECKS

# The project's own reference pages, docs/reference, by the name that its API group has.
DOCUMENTATION: Final = "https://modelpolicy.dev/reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One id: `short` is a sentence, `paragraphs` all that `explain` says; `facts` are the platform's facts it stands on.

    `severity` is None where it depends on the finding. `url` is the page and place where the same is written.
    """

    id: str
    short: str
    paragraphs: tuple[str, ...]
    severity: Severity | None
    facts: tuple[str, ...] = ()
    phrase: str = ""
    url: str


def entry(id_: str) -> Entry:
    """What is known of the id; for one that nobody registered, that much."""
    rule = rules.registry().get(id_)
    if rule is not None:
        paragraphs = _paragraphs(uncited(rule.doc))
        return Entry(
            id=id_, short=paragraphs[0] if paragraphs else id_, paragraphs=paragraphs, severity=rule.severity,
            facts=tuple(fact for fact in rule.source if fact[:1] in "SDA" and fact[1:].isdigit()), phrase=rule.phrase,
            url=f"{DOCUMENTATION}/rules#{id_}",
        )  # fmt: skip
    if id_ in CHECKS:
        text = " ".join(CHECKS[id_].split())
        first, _, _ = text.partition(". ")
        return Entry(
            id=id_,
            short=first if first.endswith(".") else f"{first}.",
            paragraphs=(text,),
            severity=None,
            url=f"{DOCUMENTATION}/checks#{id_}",
        )
    text = f"{id_.replace('-', ' ').capitalize()}: the message of the finding says what is wrong."
    return Entry(id=id_, short=text, paragraphs=(text,), severity=None, url=f"{DOCUMENTATION}/checks")


def _paragraphs(doc: str) -> tuple[str, ...]:
    """A rule's docstring: what is wrong, "Why: ..." and "What to do: ...", each as one line."""
    found: list[str] = []
    for line in doc.splitlines():
        if not line.strip():
            found.append("")
        elif not found or not found[-1] or line.startswith(("Why:", "What to do:")):
            found.append(line.strip())
        else:
            found[-1] += f" {line.strip()}"
    return tuple(filter(None, found))
