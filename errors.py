"""Every error that SplazMatte raises on purpose, in one tree.

::

    SplazMatteError                 exit code 1: something went wrong
    ├── InputError                  3: what the user gave cannot be used
    │   ├── MediaError              not a video, unreadable, empty, encrypted
    │   ├── MaskError               a mask image that is missing, unreadable or of another size
    │   ├── PromptError             points, boxes or keyframes that make no sense for this clip
    │   ├── ParameterError          unknown or out-of-range parameter, engine, format or setting
    │   ├── ProjectError            a project file that is damaged, or does not fit here
    │   └── TooLargeError           a file over the limit that is set
    ├── SessionError                4: a session that cannot be opened
    │   ├── SessionNotFoundError    no such session, or an id that is not one
    │   ├── StoreError              a JSON file that is unreadable or of a newer version
    │   └── SessionBusyError        another process is working on it
    ├── QueueError                  4: something that the queue cannot do
    │   ├── JobNotFoundError        no such job
    │   ├── JobStateError           not while the job is in that state
    │   └── QueueBusyError          another process runs the queue
    ├── EngineError                 5: an engine that is missing something, or failed
    │   ├── EngineUnavailableError  packages, weights or sources are not installed
    │   └── EngineFailedError       it ran and gave no usable result
    ├── StorageError                6: the disk is full, read-only or not writable
    │   └── UploadError             the cloud store: wrong key, no such bucket, full, or out of reach
    ├── ResourceError               7: the work does not fit this machine: memory or disk
    ├── NoticeError                 1: a notice about a job could not be sent
    └── Cancelled                   130: the user stopped it; what was committed is kept

Each message is one line that says what is wrong and, where there is something to do, what to do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SplazMatteError(Exception):
    """The root: an error whose message is meant for the user."""

    exit_code = 1


class InputError(SplazMatteError):
    """What the user gave cannot be used."""

    exit_code = 3


class MediaError(InputError):
    """A file that is not a video, or one that cannot be decoded."""


class MaskError(InputError):
    """A mask image that is missing, unreadable or of another size."""


class PromptError(InputError):
    """Points, boxes or keyframes that make no sense for this clip."""


class ParameterError(InputError):
    """An unknown or out-of-range parameter, engine, format or setting."""


class ProjectError(InputError):
    """A project file that is damaged, or does not fit here."""


class TooLargeError(InputError):
    """A file over the limit that is set."""


class SessionError(SplazMatteError):
    """A session that cannot be opened."""

    exit_code = 4


class SessionNotFoundError(SessionError):
    """No such session, or an id that is not one."""


class StoreError(SessionError):
    """A JSON file that is unreadable or was written by a newer version."""


class SessionBusyError(SessionError):
    """Another process is working on the session."""


class QueueError(SplazMatteError):
    """Something that the queue cannot do."""

    exit_code = 4


class JobNotFoundError(QueueError):
    """There is no such job in the queue."""


class JobStateError(QueueError):
    """Not possible while the job is in that state."""


class QueueBusyError(QueueError):
    """Another process runs the queue."""


class EngineError(SplazMatteError):
    """An engine that is missing something, or failed."""

    exit_code = 5


class EngineUnavailableError(EngineError):
    """Packages, weights or sources that the engine needs are not installed."""


class EngineFailedError(EngineError):
    """The engine ran and gave no usable result."""


class StorageError(SplazMatteError):
    """The disk is full, read-only or not writable."""

    exit_code = 6


class UploadError(StorageError):
    """The cloud store does not take something: wrong key, no such bucket, full, or out of reach."""


class ResourceError(SplazMatteError):
    """The work does not fit this machine: memory or disk."""

    exit_code = 7


class NoticeError(SplazMatteError):
    """A notice about a job could not be sent."""


class Cancelled(SplazMatteError):  # noqa: N818 - not an error of anybody's: the user stopped it
    """The user stopped the work; what was committed is kept."""

    exit_code = 130


_FULL_ERRNOS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
}
_PLACE_ERRNOS = {
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission to write there",
    errno.EPERM: "no permission to write there",
    errno.EFBIG: "the file is too large for this disk",
    errno.ENOENT: "its folder cannot be made",
    errno.ELOOP: "links in it go in a circle",
    errno.ENAMETOOLONG: "the name is too long",
}


@contextmanager
def storage_errors(path: Path, setting: str = "SPLAZMATTE_WORKSPACE") -> Iterator[None]:
    """Turn the operating system's 'no space', 'read-only', 'not a folder', … while writing `path` into a StorageError.

    A file that is not there is no such error, unless it is `path` itself or a folder above it.

    Args:
        path: what is being written.
        setting: that moves it to another disk.
    """
    try:
        yield
    except OSError as error:
        if message := _storage_message(error, path, setting):
            raise StorageError(message) from error
        raise


def _storage_message(error: OSError, path: Path, setting: str) -> str:
    """Return what to say of an error of the disk or the place; empty where it is none."""
    code = error.errno or 0
    if reason := _FULL_ERRNOS.get(code):
        return f"cannot write {path}: {reason}; free space or set {setting}"
    if code in (errno.ENOTDIR, errno.EEXIST) and (obstacle := _no_folder(path)):
        return f"{obstacle} is in the way of a folder; remove it or set {setting}"
    if code == errno.ENOENT and str(error.filename) not in map(str, (path, *path.parents)):
        return ""
    reason = _PLACE_ERRNOS.get(code)
    return f"cannot write {path}: {reason}; set {setting} to another place" if reason else ""


def _no_folder(path: Path) -> Path | None:
    """Return the file that lies where `path` or a folder above it should be; None where there is none."""
    there = next((place for place in (path, *path.parents) if os.path.lexists(place)), None)
    return there if there is not None and not there.is_dir() else None
