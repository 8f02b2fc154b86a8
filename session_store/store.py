"""The folder of all sessions: create, open, list, delete."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from atomic import sync_file, sync_folder
from errors import SessionBusyError, SessionNotFoundError, StorageError, storage_errors
from session_store.lock import LOCK_NAME, busy, held, is_held, missing
from session_store.session import MattingSession
from session_store.state import MattingState

ID_PATTERN = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")

_HIDDEN = (".new-*", ".deleted-*")
"""Folders that are on the way in or out; each has a lock file of its name beside it while its process lives."""


class SessionStore:
    """The folder of all matting sessions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, video: Path, name: str = "") -> MattingSession:
        """Copy `video` into a new session; a copy that fails leaves nothing behind.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        session_id = _new_id()
        suffix = video.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", video.suffix) else ".video"
        state = MattingState(
            id=session_id,
            name=name or video.stem,
            source=f"source{suffix}",
            original_name=video.name,
            created=datetime.now(UTC),
        )
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self.sweep()
            with self._claim(f".new-{session_id}") as hidden:
                hidden.mkdir()
                shutil.copyfile(video, hidden / state.source)
                sync_file(hidden / state.source)
                MattingSession(hidden, state).save()
                hidden.rename(self.root / session_id)
            sync_folder(self.root)
        return self.open(session_id)

    def open(self, session_id: str) -> MattingSession:
        """Return the session of that id.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            StoreError: its state cannot be read.
        """
        return MattingSession.load(self.folder(session_id))

    def folder(self, session_id: str) -> Path:
        """Return the folder of a session, whatever state it is in.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
        """
        if not ID_PATTERN.fullmatch(session_id):
            raise SessionNotFoundError(f"'{session_id[:80]}' is not a session id; `list` shows the ids")
        folder = self.root / session_id
        if not folder.is_dir():
            raise missing(session_id)
        return folder

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, oldest first."""
        if self.root.is_dir():
            yield from sorted(
                path.name for path in self.root.iterdir() if ID_PATTERN.fullmatch(path.name) and path.is_dir()
            )

    def is_busy(self, session_id: str) -> bool:
        """Tell whether a process is working on that session.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            StorageError: its lock is not for this user to open.
        """
        folder = self.folder(session_id)
        if not (folder / LOCK_NAME).exists():
            return False
        try:
            with held(folder, patience=0):
                return False
        except SessionBusyError:
            return True

    def delete(self, session_id: str) -> None:
        """Remove a session and everything in it, whatever state it is in.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            SessionBusyError: another process works on it; it stays whole.
            StorageError: the disk is read-only or not writable.
        """
        folder = self.folder(session_id)
        with held(folder) as lock, storage_errors(folder), self._claim(f".deleted-{session_id}") as doomed:
            if os.name == "nt":  # no folder with an open file in it can be renamed there: ours, or that of who is next
                lock.release()
            try:
                folder.rename(doomed)
            except PermissionError:
                if os.name == "nt":
                    raise busy(session_id) from None
                raise
            sync_folder(self.root)
            shutil.rmtree(doomed)

    def leftovers(self) -> list[Path]:
        """Return the folders that a killed copy or delete has left; no process works on them."""
        found = {path.name.removesuffix(".lock") for pattern in _HIDDEN for path in self.root.glob(pattern)}
        return [self.root / name for name in sorted(found) if not is_held(self.root / f"{name}.lock")]

    def sweep(self) -> None:
        """Remove the leftovers, as far as that is possible now."""
        with suppress(StorageError):
            for path in self.leftovers():
                with suppress(OSError), self._claim(path.name):  # an OSError: another process was quicker
                    pass

    @contextmanager
    def _claim(self, name: str) -> Iterator[Path]:
        """Give a hidden neighbour of the sessions that nobody else sweeps away, and that is gone after the block."""
        lock_file = self.root / f"{name}.lock"
        lock = FileLock(lock_file)
        lock.acquire(blocking=False)
        try:
            yield self.root / name
        finally:
            shutil.rmtree(self.root / name, ignore_errors=True)
            lock.release()
            with suppress(OSError):
                lock_file.unlink()


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
