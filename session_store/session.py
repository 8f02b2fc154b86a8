"""One session's folder and state."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from errors import SessionBusyError, storage_errors
from json_store import JsonStore
from session_store.state import MattingState, SessionObject

COLOURS = ("#e6492d", "#2d9ae6", "#4fc04f", "#e6b42d", "#a05ae6", "#2dd4c8", "#e65aa8", "#8c9a3c")


class MattingSession:
    """A session's folder with its state; `save` after each change."""

    def __init__(self, folder: Path, state: MattingState) -> None:
        self.folder = folder
        self.state = state
        self._store = JsonStore(folder / "state.json", MattingState)

    @property
    def source(self) -> Path:
        """Return the video that was copied in."""
        return self.folder / self.state.source

    @property
    def frames_dir(self) -> Path:
        """Return the folder of the frames' JPEGs."""
        return self.folder / "frames"

    @property
    def alpha_dir(self) -> Path:
        """Return the folder of the lossless alpha."""
        return self.folder / "alpha"

    def masks_dir(self, object_id: int, kind: Literal["keyframes", "propagated", "drafts"]) -> Path:
        """Return the folder of an object's masks of that kind."""
        return self.folder / "masks" / str(object_id) / kind

    def save(self) -> None:
        """Write the state.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        self._store.save(self.state)

    def add_object(self, name: str = "") -> SessionObject:
        """Add an object with the next free id and colour, and return it."""
        number = max((item.id for item in self.state.objects), default=0) + 1
        colour = COLOURS[(number - 1) % len(COLOURS)]
        self.state.objects.append(SessionObject(id=number, name=name or f"object {number}", colour=colour))
        return self.state.objects[-1]

    def lock(self) -> FileLock:
        """Return the lock that one process at a time holds while it works on the session; use it with `with`.

        Raises:
            SessionBusyError: another process holds it.
        """
        lock = FileLock(self.folder / ".lock")
        with storage_errors(self.folder):
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise SessionBusyError(f"session {self.state.id} is being worked on by another process") from None
        return lock
