"""A file of ours, written whole or not at all: beside its place under a hidden name, synced, renamed, and its folder synced.

What was there stays as it was until the rename, and keeps its mode and owner after it. A pipe or device takes the bytes as they come.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconciler.errors import NotWritable, WrongPlace
from reconciler.writer.place import Place, place, real_folder, reason, stream

PRIVATE: Final = 0o600
PUBLIC: Final = 0o666  # less the umask
HIDDEN: Final = ".modelpolicy-"  # a killed run may leave one; nothing that begins with a dot is read as a policy
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)  # of a file system without hard links


def write(given: str | Path, content: bytes, *, private: bool = False) -> None:
    """Write a file of ours, or into the pipe or device of that name; `private`: for its owner only, whatever it was before.

    Raises WrongPlace where the name may not be written to, NotWritable where it cannot be. A reader of a pipe that went away is no
    error.
    """
    fd = stream(str(given))
    if fd is not None:
        _pour(str(given), fd, content)
        return
    where = place(str(given))
    if not where.keeps:
        with _told(where.given):
            into = os.open(where.folder / where.name, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            _pour(where.given, into, content)
        finally:
            os.close(into)
        return
    with (
        _told(where.given),
        opened(where.folder) as folder,
        beside(folder, content, where.found, private=private) as new,
    ):
        os.rename(new, where.name, src_dir_fd=folder, dst_dir_fd=folder)
        sync(folder)


def create(given: str | Path, content: bytes, *, private: bool = False) -> bool:
    """Make a file that was not there, whole from the first moment that it is; False where something is there already.

    Raises WrongPlace and NotWritable as `write` does.
    """
    path = Path(given)
    where = Place(str(given), real_folder(path.parent, str(given)), path.name, None)
    with _told(where.given), opened(where.folder) as folder, beside(folder, content, None, private=private) as new:
        try:
            os.link(new, where.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _create_plainly(folder, where.name, content, PRIVATE if private else PUBLIC)
        sync(folder)
    return True


def check_folder(given: str | Path) -> None:
    """Raise WrongPlace where files in that folder may not be written: a link on the way to it leads out of its checkout."""
    path = Path(given)
    there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    real_folder(there, str(given))


def make_folder(given: str | Path) -> None:
    """Make a folder, and those above it, where they are not there. Raises WrongPlace as `check_folder` does, NotWritable where it
    cannot be made."""
    check_folder(given)
    with _told(str(given)):
        Path(given).mkdir(parents=True, exist_ok=True)
    check_folder(given)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The folder as a descriptor, so that what is done in it is done in that one, whatever its path leads to by then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def beside(folder: int, content: bytes, like: os.stat_result | None, *, private: bool) -> Iterator[str]:
    """The name of a new file in the folder with that content, synced, with the mode and owner of `like`. At the end it is gone,
    unless it was renamed or has become the name of another file."""
    name = HIDDEN + secrets.token_hex(8)
    wanted = PRIVATE if private or like is not None else PUBLIC
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, wanted, dir_fd=folder)
    ours = os.fstat(descriptor).st_ino
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if like is not None and not private:
                _dress(descriptor, like)
            os.fsync(descriptor)
        yield name
    finally:
        with contextlib.suppress(FileNotFoundError):
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino == ours:
                os.unlink(name, dir_fd=folder)


def sync(folder: int) -> None:
    """Make a rename durable; some file systems cannot sync a folder, and say so."""
    with contextlib.suppress(OSError):
        os.fsync(folder)


def _dress(descriptor: int, like: os.stat_result) -> None:
    """The owner and group where we may give them, and the mode; a group that cannot be kept gets what everybody has."""
    mode = stat.S_IMODE(like.st_mode)
    for owner, group in ((-1, like.st_gid), (like.st_uid, -1)):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, owner, group)
    if os.fstat(descriptor).st_gid != like.st_gid:
        mode = mode & ~0o070 | (mode & 0o007) << 3
    os.fchmod(descriptor, mode)


def _create_plainly(folder: int, name: str, content: bytes, mode: int) -> bool:
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    sync(folder)
    return True


def _pour(given: str, descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    with _told(given), contextlib.suppress(BrokenPipeError):
        while left:
            left = left[os.write(descriptor, left) :]


@contextlib.contextmanager
def _told(given: str) -> Iterator[None]:
    """What the system refuses, as a sentence about what the user named."""
    try:
        yield
    except FileNotFoundError:
        raise WrongPlace(f"{given} cannot be written: its folder is gone") from None
    except OSError as error:
        raise NotWritable(f"{given} cannot be written: {reason(error)}") from error
