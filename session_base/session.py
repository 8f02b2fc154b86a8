"""One session's folder and state, whatever kind of session it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Generic, Self

from errors import SessionError, StoreError
from json_store import JsonStore, Migration
from session_base.disk import set_aside
from session_base.lock import WRITE_LOCK_NAME, held, missing
from session_base.merge import State, merge

STATE_NAME = "state.json"
_PATIENCE = 10.0
"""Seconds to wait while another process writes the state; it takes milliseconds."""


class StoredSession(Generic[State]):
    """A session's folder with its state; `save` after each change.

    Several processes may have the same session: one works on it (`lock`), others let the user go on deciding.
    Kinds of session say what their state is, how older ones become today's, and where their source lies.
    """

    model: ClassVar[type]
    migrations: ClassVar[dict[int, Migration]] = {}

    def __init__(self, folder: Path, state: State, store: JsonStore[State] | None = None) -> None:
        self.folder = folder
        self.state = state
        self._store = store or self._stored(folder)
        self._base = self._there = state.model_copy(deep=True)
        """What `state` was when it was last read or saved, and what was on the disk then: with others' changes."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the session in `folder`.

        Raises:
            SessionNotFoundError: there is none.
            StoreError: its state cannot be read.
        """
        store = cls._stored(folder)
        return cls(folder, _read(store), store)

    @property
    def source(self) -> Path:
        """Return the video that was copied in."""
        return self.folder / self.state.source

    @property
    def frames_dir(self) -> Path:
        """Return the folder of the frames' JPEGs."""
        return self.folder / "frames"

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

    def _newest(self) -> State:
        """Return what is on the disk, as far as it can be read."""
        if self._store.changed() and self._store.exists():
            with suppress(
                StoreError
            ):  # unreadable (then it is set aside), or newer, which the store refuses to replace
                return self._store.load()
        return self._there

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

    @classmethod
    def _stored(cls, folder: Path) -> JsonStore[State]:
        return JsonStore(folder / STATE_NAME, cls.model, cls.migrations)


def _read(store: JsonStore[State]) -> State:
    folder = store.path.parent
    try:
        state = store.load()
    except FileNotFoundError:
        raise _without_state(store, folder) from None
    state.id = folder.name  # a folder that the user has copied is a session of its own
    return state


def _without_state(store: JsonStore[State], folder: Path) -> SessionError:
    """Return the error for a folder without a state: its session was deleted, or its state was found unreadable."""
    if not folder.is_dir() or all(path.name.startswith(".") for path in folder.iterdir()):
        return missing(folder.name)
    kept = [path for path in set_aside(folder) if path.name.startswith(store.path.name)]
    if not kept:
        return StoreError(f"{store.path} is gone")
    newest = max(kept, key=lambda path: path.stat().st_mtime_ns)
    try:
        store.decode(newest.read_bytes())
    except StoreError as error:  # the words of whoever found it first
        return StoreError(f"{error}; it is kept as {newest.name}")
    return StoreError(f"{store.path} is gone; what was there is kept as {newest.name}")
