"""The folder of all sessions: create, open, list, delete."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from atomic import sync_folder
from errors import SessionBusyError, SessionNotFoundError, storage_errors
from json_store import JsonStore
from session_store.session import MattingSession
from session_store.state import MattingState

ID_PATTERN = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")

_LEFTOVER_SECONDS = 24 * 3600


class SessionStore:
    """The folder of all matting sessions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, video: Path, name: str = "") -> MattingSession:
        """Copy `video` into a new session; a copy that fails leaves nothing behind.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        self._sweep()
        session_id = _new_id()
        hidden = self.root / f".new-{session_id}"
        suffix = video.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", video.suffix) else ".video"
        state = MattingState(
            id=session_id,
            name=name or video.stem,
            source=f"source{suffix}",
            original_name=video.name,
            created=datetime.now(UTC),
        )
        with storage_errors(self.root):
            try:
                hidden.mkdir(parents=True)
                shutil.copyfile(video, hidden / state.source)
                MattingSession(hidden, state).save()
                hidden.rename(self.root / session_id)
            except BaseException:
                shutil.rmtree(hidden, ignore_errors=True)
                raise
            sync_folder(self.root)
        return MattingSession(self.root / session_id, state)

    def open(self, session_id: str) -> MattingSession:
        """Return the session of that id.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            StoreError: its state cannot be read.
        """
        if not ID_PATTERN.fullmatch(session_id):
            raise SessionNotFoundError(f"'{session_id[:80]}' is not a session id; `list` shows the ids")
        folder = self.root / session_id
        try:
            state = JsonStore(folder / "state.json", MattingState).load()
        except (FileNotFoundError, NotADirectoryError):
            raise SessionNotFoundError(f"there is no session '{session_id}'; `list` shows the ids") from None
        return MattingSession(folder, state)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, oldest first."""
        if self.root.is_dir():
            yield from sorted(path.name for path in self.root.iterdir() if ID_PATTERN.fullmatch(path.name))

    def _sweep(self) -> None:
        """Remove what a killed copy or delete left behind a day ago or earlier."""
        for path in [*self.root.glob(".new-*"), *self.root.glob(".deleted-*")]:
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    def is_busy(self, session_id: str) -> bool:
        """Tell whether a process is working on that session."""
        try:
            self.open(session_id).lock().release()
        except SessionBusyError:
            return True
        return False

    def delete(self, session_id: str) -> None:
        """Remove a session and everything in it.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
        """
        folder = self.root / session_id
        if not ID_PATTERN.fullmatch(session_id) or not folder.is_dir():
            raise SessionNotFoundError(f"there is no session '{session_id[:80]}'; `list` shows the ids")
        doomed = self.root / f".deleted-{session_id}"
        with storage_errors(folder):
            folder.rename(doomed)
            shutil.rmtree(doomed)


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
