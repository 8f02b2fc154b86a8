"""Who works on a session: one process at a time, by a lock of the operating system that ends with its process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from errors import SessionBusyError, SessionNotFoundError, storage_errors

LOCK_NAME = ".lock"
WRITE_LOCK_NAME = ".state.lock"
"""Held for the milliseconds in which the state is read, merged and written."""
_PATIENCE = 0.2
"""Seconds to wait for a lock: somebody may just be looking whether it is held."""


@contextmanager
def held(folder: Path, name: str = LOCK_NAME, *, patience: float = _PATIENCE) -> Iterator[FileLock]:
    """Hold a lock of the session in `folder`.

    Raises:
        SessionNotFoundError: the folder is not there; none is made.
        SessionBusyError: another process holds the lock.
        StorageError: the lock cannot be taken because the disk is read-only or full.
    """
    if not folder.is_dir():
        raise missing(folder.name)
    lock = FileLock(folder / name)
    try:
        with storage_errors(folder):
            lock.acquire(timeout=patience, poll_interval=0.02)
    except Timeout:
        raise busy(folder.name) from None
    except FileNotFoundError:
        raise missing(folder.name) from None
    try:
        _refuse_ghost(folder, name, lock)
        yield lock
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Tell whether a process holds the lock file `path`; none is made.

    Raises:
        StorageError: it is not for this user to open.
    """
    if not path.exists():
        return False
    try:
        with storage_errors(path), FileLock(path).acquire(blocking=False):
            return False
    except Timeout:
        return True


def busy(session_id: str) -> SessionBusyError:
    """Return the error for a session that another process works on."""
    return SessionBusyError(
        f"session {session_id} is being worked on by another process; "
        "wait for it, cancel its job (run.py queue cancel) or stop that command"
    )


def missing(session_id: str) -> SessionNotFoundError:
    """Return the error for a session that is not there, or not any more."""
    return SessionNotFoundError(f"there is no session '{session_id}', or it was deleted; `list` shows the ids")


def _refuse_ghost(folder: Path, name: str, lock: FileLock) -> None:
    """Take back the folder that taking a lock makes anew when the session is deleted in that very moment."""
    with suppress(FileNotFoundError):
        if [path.name for path in folder.iterdir()] != [name]:
            return
        lock.release()
        (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody has put something into it
            folder.rmdir()
    raise missing(folder.name)
