"""Another content for a file that people edit: it comes into its place only while the file is still as it was read.

    read ──> new file beside it, dressed and synced ──> names exchanged ──> is what came out what was read?
                                                                              yes: taken away
                                                                              no:  exchanged back, Overtaken

An exchange shows afterwards what it took away, which a check followed by a rename cannot: whatever was saved between the two would
be lost. Where the system has no exchange, the check comes right before the rename. Owner, group, mode and attributes stay, or nothing is done.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import signal
import stat
import time
from pathlib import Path
from typing import Final

from reconciler.errors import NotWritable, Overtaken
from reconciler.writer.place import reason
from reconciler.writer.whole import beside, opened, sync

_EXCHANGE: Final = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_ATTEMPTS: Final = 20  # at putting back what somebody keeps saving over
_WRITERS_S: Final = 0.5
_STEP_S: Final = 0.005
_LEASE_SIGNAL: Final = signal.SIGURG  # ignored unless it is asked for, unlike the SIGIO that a lease sends by default


def replace(given: str | Path, expected: bytes, content: bytes) -> None:
    """Give the file another content if it still has the `expected` one; a link stays a link to it.

    Raises Overtaken where it was saved, replaced or removed since it was read;
    NotWritable where it cannot be replaced without changing what stays: its other names (hard links), its owner and group.
    """
    path = Path(given)
    try:
        real = path.resolve(strict=True)
        with opened(real.parent) as folder:
            _replace(str(given), folder, real.name, expected, content)
    except FileNotFoundError:
        raise Overtaken(f"{given} is gone since it was read") from None
    except (OSError, RuntimeError) as error:
        why = reason(error) if isinstance(error, OSError) else "its links lead in a circle"
        raise NotWritable(f"{given} was not touched: {why}") from error


def _replace(given: str, folder: int, name: str, expected: bytes, content: bytes) -> None:
    before = os.stat(name, dir_fd=folder, follow_symlinks=False)
    _may_be_replaced(given, folder, name, before)
    if not _is_still(folder, name, before, expected):
        raise _overtaken(given)
    with beside(folder, content, before, private=False) as new:
        _keep(given, folder, name, new, before)
        if _exchange(folder, new, name):
            was_read = False
            try:
                was_read = _is_still(folder, new, before, expected)
            finally:  # also where a signal ends us here: what came out may be all that is left of an edit
                if not was_read:
                    _put_back(folder, new, name)
            if not was_read:
                raise _overtaken(given)
            os.unlink(new, dir_fd=folder)
        elif _is_still(folder, name, before, expected):
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            raise _overtaken(given)
    sync(folder)


def _overtaken(given: str) -> Overtaken:
    return Overtaken(f"{given} was changed by somebody else meanwhile")


def _may_be_replaced(given: str, folder: int, name: str, found: os.stat_result) -> None:
    """A rename would part a file from its other names, and would get around a mode that forbids writing."""
    if not stat.S_ISREG(found.st_mode):
        raise NotWritable(f"{given} was not touched: it is not a regular file")
    if found.st_nlink > 1:
        raise NotWritable(
            f"{given} was not touched: it has {found.st_nlink} names (hard links), and replacing it would leave the others with "
            "the old content; make them links to one file, or copies"
        )
    if not os.access(name, os.W_OK, dir_fd=folder):
        raise NotWritable(f"{given} was not touched: it may not be written (mode {stat.S_IMODE(found.st_mode):04o})")


def _is_still(folder: int, name: str, before: os.stat_result, expected: bytes) -> bool:
    """Whether a name has the file that was read, with its content, owner and mode."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link by now
            return False
        raise
    with os.fdopen(descriptor, "rb") as file:
        _wait_for_writers(descriptor)
        return file.read(len(expected) + 1) == expected and _looks(os.fstat(descriptor)) == _looks(before)


def _looks(found: os.stat_result) -> tuple[int, ...]:
    return (
        found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_gid, found.st_nlink, found.st_size, found.st_mtime_ns,
    )  # fmt: skip


def _wait_for_writers(descriptor: int) -> None:
    """Wait a moment while another program has the file open to write, so that what it writes is seen. A read lease is given on
    what nobody writes; where leases are not known (NFS), or after a while, it is left at that."""
    until = time.monotonic() + _WRITERS_S
    while hasattr(fcntl, "F_SETLEASE") and time.monotonic() < until:
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, _LEASE_SIGNAL)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            time.sleep(_STEP_S)
        else:
            return


def _keep(given: str, folder: int, name: str, new: str, before: os.stat_result) -> None:
    """Give the new file the attributes of the old one, and see that it got its owner."""
    got = os.stat(new, dir_fd=folder, follow_symlinks=False)
    if (got.st_uid, got.st_gid) != (before.st_uid, before.st_gid):
        raise NotWritable(
            f"{given} was not touched: its owner (uid {before.st_uid}, gid {before.st_gid}) could not be kept; run this as that "
            "user"
        )
    if not hasattr(os, "listxattr"):
        return
    old_file, new_file = (os.open(each, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder) for each in (name, new))
    try:
        for attribute in os.listxattr(old_file):
            with contextlib.suppress(OSError):  # the system's own, which it gives by itself
                os.setxattr(new_file, attribute, os.getxattr(old_file, attribute))
        os.fsync(new_file)
    finally:
        os.close(old_file)
        os.close(new_file)


def _exchange(folder: int, one: str, other: str) -> bool:
    """Exchange two names of a folder at once; False where the system cannot."""
    system = ctypes.CDLL(None, use_errno=True)
    rename = getattr(system, "renameat2", None) or getattr(system, "renameatx_np", None)
    if rename is None:
        return False
    if rename(folder, os.fsencode(one), folder, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), other)


def _put_back(folder: int, ours: str, name: str) -> None:
    """Exchange the names back. What somebody saved under the name while ours had it is newer than what was taken out, so that
    stays; under the hidden name is left what is superseded, and that is taken away."""
    put = os.stat(name, dir_fd=folder, follow_symlinks=False).st_ino
    for _ in range(_ATTEMPTS):
        next_put = os.stat(ours, dir_fd=folder, follow_symlinks=False).st_ino
        _exchange(folder, ours, name)
        if os.stat(ours, dir_fd=folder, follow_symlinks=False).st_ino == put:
            os.unlink(ours, dir_fd=folder)
            return
        put = next_put
