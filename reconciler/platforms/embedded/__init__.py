"""The embedded platform: a faithful small Ark in one SQLite file; the default, the rehearsal and the test double.

    platform.py   the Platform that everything else of modelpolicy sees
    server.py     the same over HTTP with Ark's wire protocol
    engine.py     the front door of both: one method, one durable transaction
    control.py    what may be changed, and the rules            metering.py  what a call (calls.py) meets; charging.py: what it costs
    sweep.py      rows become a Snapshot                        refusals.py  every code it refuses with
    seed.py       what a seed file may say                      catalog.py   the models it ships with (catalog.yaml)
    store.py      the only place that knows SQLite; tables.py   faults.py    trouble to order, for rehearsals
    actions.py    Ark's published actions; usage.py: its meter  private.py   those that an account names

It knows nothing of declarations, plans or rules of ours: it enforces the platform's.
"""

from pathlib import Path

from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms import Connection, Platform


def connect(spec: PlatformAccountSpec, connection: Connection) -> Platform:
    """Open the database that the account names. Raises `errors.Permanent` where the file is not one of ours."""
    from reconciler.platforms.embedded.engine import open_engine  # SQLite loads when first needed
    from reconciler.platforms.embedded.platform import EmbeddedPlatform

    return EmbeddedPlatform(open_engine(spec.embedded.path, connection.clock, create=connection.create))


def is_there(spec: PlatformAccountSpec) -> bool:
    """Whether the file is there: somebody seeded, served or opened the platform."""
    return Path(spec.embedded.path).exists()
