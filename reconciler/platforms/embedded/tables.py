"""The tables of the embedded platform's file as they are now, and the steps to them from each earlier version. SQL only.

A use is kept by model, endpoint, hour and how it is billed (`status`, as Ark's meter names it); `output` is the part of its tokens
that the model wrote. `endpoint` is "" for a call by model that is older than the record of endpoints.
"""

from typing import Final

_USES: Final = (
    """CREATE TABLE uses (
    model TEXT NOT NULL, hour INTEGER NOT NULL, endpoint TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL, status TEXT NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (model, hour, endpoint, kind, status)) WITHOUT ROWID""",
    "CREATE INDEX uses_of_hour ON uses (hour)",
)

_BY_PROJECT: Final = "CREATE INDEX endpoints_by_project ON endpoints (project, created_at, id)"

SCHEMA: Final = (
    """CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1), identity TEXT NOT NULL, free_tokens_only INTEGER NOT NULL DEFAULT 0,
    auto_activation INTEGER NOT NULL DEFAULT 0, ever_activated INTEGER NOT NULL DEFAULT 0,
    verified INTEGER NOT NULL DEFAULT 1, free_tokens_only_ended INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE models (
    name TEXT PRIMARY KEY, display_name TEXT NOT NULL DEFAULT '', domain TEXT NOT NULL DEFAULT '',
    task_types TEXT NOT NULL DEFAULT '', versions TEXT NOT NULL DEFAULT '', deprecated INTEGER NOT NULL DEFAULT 0,
    invite_only INTEGER NOT NULL DEFAULT 0, billing TEXT NOT NULL DEFAULT 'PayByToken', rpm INTEGER, tpm INTEGER,
    prices TEXT NOT NULL DEFAULT '[]', docs_url TEXT NOT NULL DEFAULT '',
    activated INTEGER NOT NULL DEFAULT 0, sub_services TEXT NOT NULL DEFAULT '',
    free_total INTEGER, free_used INTEGER NOT NULL DEFAULT 0, free_shown INTEGER NOT NULL DEFAULT 0,
    free_shown_at INTEGER NOT NULL DEFAULT 0, free_out_at INTEGER, boundary_at INTEGER,
    limit_tokens INTEGER, limit_used INTEGER NOT NULL DEFAULT 0, limit_effective_at INTEGER, limit_set_at INTEGER,
    limit_reached_at INTEGER)""",
    """CREATE TABLE endpoints (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL REFERENCES models (name),
    model_version TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '', project TEXT NOT NULL DEFAULT 'default',
    tags TEXT NOT NULL DEFAULT '[]', status TEXT NOT NULL DEFAULT 'Running', rpm INTEGER, tpm INTEGER, scale_tpm INTEGER,
    model_units INTEGER, batch_only INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL)""",
    "CREATE INDEX endpoints_by_model ON endpoints (model)",
    "CREATE INDEX endpoints_by_name ON endpoints (name)",
    _BY_PROJECT,
    """CREATE TABLE use_by_minute (
    scope TEXT NOT NULL, name TEXT NOT NULL, minute INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
    PRIMARY KEY (scope, name, minute)) WITHOUT ROWID""",
    *_USES,
)

# The first version summed up an hour's use in columns and knew no endpoints. Requests went with the largest part.
_SPLIT: Final = (
    "INSERT INTO uses (model, hour, kind, status, requests, tokens) "
    "SELECT model, hour, kind, '{status}', CASE WHEN {first} THEN requests ELSE 0 END, {column} FROM use_by_hour "
    "WHERE {column} > 0 OR ({first} AND requests > 0)"
)
_PARTS: Final = (
    ("normal", "billed", "billed > 0"),
    ("free_for_free_quota", "free", "billed = 0 AND free > 0"),
    ("no_need_billing", "unbilled", "billed = 0 AND free = 0 AND unbilled > 0"),
    ("free_for_viptier", "covered", "billed = 0 AND free = 0 AND unbilled = 0"),
)
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        *_USES,
        *(_SPLIT.format(status=status, column=column, first=first) for status, column, first in _PARTS),
        # What a seed file said was used before the record began has no parts.
        """INSERT OR IGNORE INTO uses (model, hour, kind, status, requests, tokens)
        SELECT model, hour, kind, 'free_for_free_quota', requests, tokens FROM use_by_hour
        WHERE billed + free + unbilled + covered = 0 AND tokens > 0""",
        "DROP TABLE use_by_hour",
    ),
    ("ALTER TABLE account ADD COLUMN free_tokens_only_ended INTEGER NOT NULL DEFAULT 0",),
    (_BY_PROJECT,),
)
