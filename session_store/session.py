"""One session's folder and state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from json_store import JsonStore
from session_store.lock import held, missing
from session_store.state import MattingState, SessionObject

STATE_NAME = "state.json"
COLOURS = ("#e6492d", "#2d9ae6", "#4fc04f", "#e6b42d", "#a05ae6", "#2dd4c8", "#e65aa8", "#8c9a3c")


class MattingSession:
    """A session's folder with its state; `save` after each change."""

    def __init__(self, folder: Path, state: MattingState, store: JsonStore[MattingState] | None = None) -> None:
        self.folder = folder
        self.state = state
        self._store = store or JsonStore(folder / STATE_NAME, MattingState)

    @classmethod
    def load(cls, folder: Path) -> MattingSession:
        """Return the session in `folder`.

        Raises:
            SessionNotFoundError: there is none.
            StoreError: its state cannot be read.
        """
        store = JsonStore(folder / STATE_NAME, MattingState)
        return cls(folder, _read(store), store)

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
            SessionNotFoundError: the session was deleted since.
            StorageError: the disk is full, read-only or not writable.
        """
        if self._store.changed() and not self._store.exists() and not self.source.exists():
            raise missing(self.folder.name)  # a state that was only set aside as unreadable is written anew
        self._store.save(self.state)

    def add_object(self, name: str = "") -> SessionObject:
        """Add an object with the next free id and colour, and return it."""
        number = max((item.id for item in self.state.objects), default=0) + 1
        colour = COLOURS[(number - 1) % len(COLOURS)]
        self.state.objects.append(SessionObject(id=number, name=name or f"object {number}", colour=colour))
        return self.state.objects[-1]

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one process that works on the session while the block runs.

        What another process has saved since this object last read or wrote the state is read first, so that who
        waited sees what was done before; otherwise what was changed here and not saved yet stays.

        Raises:
            SessionBusyError: another process works on it.
            SessionNotFoundError: it was deleted since.
            StoreError: its state cannot be read any more.
        """
        with held(self.folder):
            if self._store.changed():
                self.state = _read(self._store)
            yield


def _read(store: JsonStore[MattingState]) -> MattingState:
    folder = store.path.parent
    try:
        state = store.load()
    except FileNotFoundError:
        raise missing(folder.name) from None
    state.id = folder.name  # a folder that the user has copied is a session of its own
    return state
