"""Files that either exist whole or not at all: written beside their place, flushed to the disk, then renamed."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path

PARTIAL = ".partial"
"""Ending of everything that is still being written; safe to delete when its writer is gone."""
_REFUSALS = 50 if os.name == "nt" else 0
"""Times that a rename may be refused before that is an error."""
_PAUSE = 0.02


def partial_path(target: Path) -> Path:
    """Return the temporary neighbour under which `target` is written: the same disk, so that renaming is atomic."""
    return target.with_name(target.name + PARTIAL)


def write_bytes(target: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` as `target`, whole or not at all.

    Args:
        target: the file; its folder must exist.
        data: everything in it.
        durable: survive a power cut too, not only a killed process; waits for the disk.
    """
    temporary = partial_path(target)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(target.parent)


def commit_file(temporary: Path, target: Path) -> None:
    """Flush a finished `temporary` to the disk and give it its name."""
    sync_file(temporary)
    _replace(temporary, target)
    sync_folder(target.parent)


def _replace(temporary: Path, target: Path) -> None:
    """Rename over `target`; Windows refuses that while another process reads the file, which is soon over."""
    for _ in range(_REFUSALS):
        with suppress(PermissionError):
            temporary.replace(target)
            return
        threading.Event().wait(_PAUSE)
    temporary.replace(target)


def commit_folder(temporary: Path, target: Path) -> None:
    """Give a finished folder its name; one that had it before is replaced whole."""
    for path in sorted(temporary.iterdir()):
        sync_file(path)
    sync_folder(temporary)
    if target.exists():
        old = target.with_name(target.name + ".old" + PARTIAL)
        discard(old)
        target.rename(old)
        temporary.rename(target)
        discard(old)
    else:
        temporary.rename(target)
    sync_folder(target.parent)


def discard(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Wait until the file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the folder's names are on the disk, where the system can say so."""
    if os.name == "nt":  # a folder cannot be opened there; NTFS journals its names by itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
