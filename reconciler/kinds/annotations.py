"""The annotations that people may set on a resource, by our own prefix: the one list of them. No logic here.

What a key of this prefix says that is not in the list, nobody hears.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from reconciler.kinds import API_GROUP

PREFIX: Final = f"{API_GROUP}/"
PAUSED: Final = f"{PREFIX}paused"
PROTECT: Final = f"{PREFIX}protect"
TICKET: Final = f"{PREFIX}ticket"
ATTESTED: Final = f"{PREFIX}attested"
ALLOW: Final = f"{PREFIX}allow"
REQUESTED: Final = f"{PREFIX}requested-at"
SECRET_VERSION: Final = f"{PREFIX}secret-version"  # set by the operator on what it loads, never by people


@dataclass(frozen=True, slots=True)
class Annotation:
    """One of them. `switch`: only "true" counts, and "false" says the same as nothing; `instead` is what files use in place of an
    annotation that counts in a cluster only, "" for one that counts in both."""

    switch: bool = False
    instead: str = ""


ANNOTATIONS: Final[Mapping[str, Annotation]] = MappingProxyType(
    {
        ALLOW: Annotation(instead="say --allow GUARD --reason TEXT"),
        ATTESTED: Annotation(instead="run modelpolicy attest"),
        PAUSED: Annotation(switch=True),
        PROTECT: Annotation(switch=True),
        REQUESTED: Annotation(instead="run the verb again"),
        SECRET_VERSION: Annotation(),
        TICKET: Annotation(),
    }
)
