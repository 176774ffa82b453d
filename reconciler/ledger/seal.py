"""A ledger that is not to be used: moved away, not yet arrived, or a backup. Every version of this program refuses it.

Its schema version is one that no version knows, and a trigger on each table refuses what an open session of an earlier version
would still write. A backup may be read.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.ledger.database import Session

VERSION: Final = 1_000_000  # of the schema, instead of any that there is
MOVED: Final = "moved"
ARRIVING: Final = "arriving"
BACKUP: Final = "backup"
_FACT: Final = "sealed"


@dataclass(frozen=True, slots=True)
class Seal:
    """Why a ledger is sealed, the place of the other one, the id of the move, and when."""

    why: str
    other: str
    move: str
    at: str

    @property
    def sentence(self) -> str:
        """What to say to who would use it."""
        match self.why:
            case "moved":
                return f"was moved to {self.other} at {self.at}: use that one (--ledger or MODELPOLICY_LEDGER)"
            case "arriving":
                return f"is the end of a move from {self.other} that was interrupted: run the same `modelpolicy ledger move` again"
        return (
            f"is a backup of {self.other} made at {self.at}, which may be read but not used: "
            "`modelpolicy ledger restore` makes a ledger of it"
        )


def of(session: "Session") -> Seal | None:
    """The seal of a ledger whose schema version is VERSION; None where it is not sealed."""
    if not session.has_table("modelpolicy_schema") or not session.has_table("modelpolicy_facts"):
        return None
    sealed = session.rows("SELECT 1 FROM modelpolicy_schema WHERE version = ?", VERSION)
    body = session.rows("SELECT body FROM modelpolicy_facts WHERE name = ?", _FACT)
    return Seal(**json.loads(body[0][0])) if sealed and body else None


def put(session: "Session", seal: Seal, tables: tuple[str, ...]) -> None:
    """Seal the ledger within the transaction."""
    session.run("INSERT INTO modelpolicy_schema (version) VALUES (?)", VERSION)
    session.run("INSERT INTO modelpolicy_facts (name, body) VALUES (?, ?)", _FACT, json.dumps(asdict(seal)))
    session.freeze(tables, seal.sentence)


def take_off(session: "Session", tables: tuple[str, ...]) -> None:
    """The opposite."""
    session.thaw(tables)
    session.run("DELETE FROM modelpolicy_schema WHERE version = ?", VERSION)
    session.run("DELETE FROM modelpolicy_facts WHERE name = ?", _FACT)
