"""What GetEndpoint said of endpoints, kept from run to run so that it need not be asked again: a file of the user's cache.

Believed for a day, and only while the endpoint was not updated since; never by a change that sets a limit, which asks anew. Of what
an earlier run kept, bought capacity is not believed: it forbids things, and may have run out. A file that is not ours alone, or
is not of our form, is no file. That it cannot be written fails nothing.
"""

import contextlib
import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from reconciler import writer
from reconciler.errors import ModelPolicyError

Json = dict[str, Any]
BELIEVED: Final = timedelta(hours=24)
MOST_BYTES: Final = 64 * 1024 * 1024
FORMAT: Final = 1
KEPT: Final = ("ScaleTierId", "ModelUnitId", "BatchOnly")  # nothing else of a reply is anybody's business


@dataclass(frozen=True, slots=True)
class _Kept:
    updated: str
    at: datetime
    reply: Json


def cache_file(place: tuple[str, ...]) -> Path | None:
    """Where the details of an account are kept; None where the user has no folder for it."""
    name = sha256("\n".join(place).encode()).hexdigest()[:32]
    folder = _user_cache()
    return None if folder is None else folder / "modelpolicy" / "ark" / f"{name}.json"


def _user_cache() -> Path | None:
    if said := os.environ.get("XDG_CACHE_HOME"):
        return Path(said) if Path(said).is_absolute() else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"


class Details:
    """The details of one account's endpoints. Safe to use from several threads at once."""

    def __init__(self, file: Path | None, clock: Callable[[], datetime]) -> None:
        self._file, self._clock = file, clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] | None = None
        self._changed = False

    def of(self, id_: str, updated: str) -> Json | None:
        """What is kept of an endpoint as it was last updated then; None where it has to be asked for."""
        with self._lock:
            kept = self._loaded().get(id_)
        young = kept is not None and timedelta() <= self._clock() - kept.at < BELIEVED
        return kept.reply if kept is not None and young and kept.updated == updated else None

    def keep(self, id_: str, reply: Json) -> None:
        """Keep what was just said of an endpoint."""
        kept = {key: reply.get(key) for key in KEPT}
        with self._lock:
            self._loaded()[id_] = _Kept(str(reply.get("UpdateTime")), self._clock(), kept)
            self._changed = True

    def save(self, ids: Collection[str]) -> None:
        """Keep those of `ids` alone, for later runs too, where anything is new."""
        with self._lock:
            kept = self._loaded()
            for id_ in [id_ for id_ in kept if id_ not in ids]:
                del kept[id_]
                self._changed = True
            if not self._changed or self._file is None:
                return
            self._changed = False
            text = _text(kept)
        with contextlib.suppress(ModelPolicyError, OSError):
            writer.make_folder(self._file.parent)
            writer.write(self._file, text, private=True)

    def _loaded(self) -> dict[str, _Kept]:
        if self._kept is None:
            self._kept = {} if self._file is None else _read(self._file)
        return self._kept


def _text(kept: Mapping[str, _Kept]) -> bytes:
    endpoints = {id_: [each.updated, each.at.isoformat(), each.reply] for id_, each in sorted(kept.items())}
    return json.dumps({"format": FORMAT, "endpoints": endpoints}, separators=(",", ":")).encode()


def _read(file: Path) -> dict[str, _Kept]:
    """What the file says, {} where it is not to be believed."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            ours = found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
            text = opened.read(MOST_BYTES) if ours and found.st_size < MOST_BYTES else b""
        said = json.loads(text)
        if said["format"] != FORMAT:
            return {}
        return {id_: kept for id_, each in said["endpoints"].items() if (kept := _entry(each)) is not None}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _entry(said: Any) -> _Kept | None:
    updated, at, reply = said
    moment = datetime.fromisoformat(at)
    if not isinstance(updated, str) or moment.tzinfo is None or set(reply) != set(KEPT):
        return None
    bought = bool(reply["ScaleTierId"]) or bool(reply["ModelUnitId"])
    return None if bought else _Kept(updated, moment.astimezone(UTC), dict(reply))
