"""One session's folder and state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from errors import StoreError
from json_store import JsonStore, Migration
from session_store.lock import WRITE_LOCK_NAME, held, missing
from session_store.merge import merge
from session_store.state import MattingState, SessionObject

STATE_NAME = "state.json"
_PATIENCE = 10.0
"""Seconds to wait while another process writes the state; it takes milliseconds."""
MIGRATIONS: dict[int, Migration] = {1: lambda data: data}
"""Version 2 has new fields, each with a default; an older SplazMatte would drop them, and so refuses it."""
COLOURS = ("#e6492d", "#2d9ae6", "#4fc04f", "#e6b42d", "#a05ae6", "#2dd4c8", "#e65aa8", "#8c9a3c")


class MattingSession:
    """A session's folder with its state; `save` after each change.

    Several processes may have the same session: one works on it (`lock`), others let the user go on deciding.
    """

    def __init__(self, folder: Path, state: MattingState, store: JsonStore[MattingState] | None = None) -> None:
        self.folder = folder
        self.state = state
        self._store = store or JsonStore(folder / STATE_NAME, MattingState, MIGRATIONS)
        self._base = self._there = state.model_copy(deep=True)
        """What `state` was when it was last read or saved, and what was on the disk then: with others' changes."""

    @classmethod
    def load(cls, folder: Path) -> MattingSession:
        """Return the session in `folder`.

        Raises:
            SessionNotFoundError: there is none.
            StoreError: its state cannot be read.
        """
        store = JsonStore(folder / STATE_NAME, MattingState, MIGRATIONS)
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

    def masks_dir(self, object_id: int, kind: Literal["keyframes", "propagated", "drafts", "bases", "past"]) -> Path:
        """Return the folder of an object's masks of that kind."""
        return self.folder / "masks" / str(object_id) / kind

    def save(self) -> None:
        """Write what was changed here, over what others have saved meanwhile; `state` stays as it is.

        Raises:
            SessionNotFoundError: the session was deleted since.
            StorageError: the disk is full, read-only or not writable.
        """
        with held(self.folder, WRITE_LOCK_NAME, patience=_PATIENCE):
            if self._store.changed() and not self._store.exists() and not self.source.exists():
                raise missing(self.folder.name)  # a state that was only set aside as unreadable is written anew
            theirs = self._newest()
            merged = self.state if theirs is self._base else merge(self._base, self.state, theirs)
            self._store.save(merged)
            self._there = merged.model_copy(deep=True)
        self._base = self._there if merged is self.state else self.state.model_copy(deep=True)

    def refresh(self) -> None:
        """Take up what others have saved; what was changed here and is not saved yet stays.

        Raises:
            SessionNotFoundError: it was deleted since.
            StoreError: its state cannot be read any more.
        """
        theirs = _read(self._store) if self._store.changed() else self._there
        if theirs is not self._base:
            self.state = merge(self._base, self.state, theirs)
            self._base = self._there = theirs.model_copy(deep=True)

    def _newest(self) -> MattingState:
        """Return what is on the disk, as far as it can be read."""
        if self._store.changed() and self._store.exists():
            with suppress(
                StoreError
            ):  # unreadable (then it is set aside), or newer, which the store refuses to replace
                return self._store.load()
        return self._there

    def add_object(self, name: str = "") -> SessionObject:
        """Add an object with the next free id and colour, and return it."""
        folders = (self.folder / "masks").glob("[0-9]*")  # a deleted object's masks may be wanted back
        used = [*(item.id for item in self.state.objects), *(int(path.name) for path in folders if path.name.isdigit())]
        number = max(used, default=0) + 1
        colour = COLOURS[(number - 1) % len(COLOURS)]
        self.state.objects.append(SessionObject(id=number, name=name or f"object {number}", colour=colour))
        return self.state.objects[-1]

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one process that works on the session while the block runs.

        What others have saved is taken up first, so that who waited sees what was done before.

        Raises:
            SessionBusyError: another process works on it.
            SessionNotFoundError: it was deleted since.
            StoreError: its state cannot be read any more.
        """
        with held(self.folder):
            self.refresh()
            yield


def _read(store: JsonStore[MattingState]) -> MattingState:
    folder = store.path.parent
    try:
        state = store.load()
    except FileNotFoundError:
        raise missing(folder.name) from None
    state.id = folder.name  # a folder that the user has copied is a session of its own
    return state
