"""The folder of all sessions of a kind: create, open, list, delete."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from filelock import FileLock

from atomic import PARTIAL, sync_file, sync_folder
from errors import ParameterError, SessionBusyError, SessionNotFoundError, StorageError, storage_errors
from session_base.lock import LOCK_NAME, busy, held, is_held, missing
from session_base.session import StoredSession

LONGEST_NAME = 200
ID_PATTERN = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")

_HIDDEN = (".new-*", ".deleted-*")
"""Folders that are on the way in or out; each has a lock file of its name beside it while its process lives."""


SessionKind = TypeVar("SessionKind", bound=StoredSession[Any])


class SessionFolders(Generic[SessionKind]):
    """The folder of all sessions of a kind.

    Args:
        root: the folder.
    """

    kind: ClassVar[Any]
    """The class of its sessions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, video: Path, name: str = "", *, original_name: str = "", move: bool = False) -> SessionKind:
        """Copy `video` (or `move` it) into a new session; what fails leaves nothing behind.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        session_id, given = new_id(), Path(original_name or video.name)
        suffix = given.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", given.suffix) else ".video"
        source = f"source{suffix}"
        state = self.kind.model(
            id=session_id,
            name=name or given.stem,
            source=source,
            original_name=given.name,
            created=datetime.now(UTC),
        )
        with self.incoming(session_id) as hidden:
            hidden.mkdir()
            if move:
                video.replace(hidden / source)
            else:
                shutil.copyfile(video, hidden / source)
            sync_file(hidden / source)
            self.kind(hidden, state).save()
        return self.open(session_id)

    def duplicate(self, session_id: str) -> SessionKind:
        """Return a new session that has everything of that one.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            SessionBusyError: a process works on it.
            StorageError: the disk is full, read-only or not writable; nothing is left behind.
        """
        original = self.open(session_id)
        copy_id = new_id()
        with held(original.folder), self.incoming(copy_id) as hidden:
            shutil.copytree(original.folder, hidden, ignore=shutil.ignore_patterns(".*", f"*{PARTIAL}"))
            copy = self.kind.load(hidden)
            copy.state.name = f"{original.state.name} copy"
            copy.state.created = datetime.now(UTC)
            copy.save()
        return self.open(copy_id)

    def rename(self, session_id: str, name: str) -> None:
        """Give a session another name; its files keep theirs.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            ParameterError: a name that is empty, too long or has control characters.
        """
        session = self.open(session_id)
        session.state.name = checked_name(name)
        session.save()

    def open(self, session_id: str) -> SessionKind:
        """Return the session of that id.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            StoreError: its state cannot be read.
        """
        session: SessionKind = self.kind.load(self.folder(session_id))
        return session

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

    def delete(self, session_id: str, first: Callable[[Path], object] | None = None) -> None:
        """Remove a session and everything in it, whatever state it is in.

        Args:
            session_id: of the session.
            first: called with its folder, under its lock, before it goes; what that raises keeps it whole.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            SessionBusyError: another process works on it; it stays whole.
            StorageError: the disk is read-only or not writable.
        """
        folder = self.folder(session_id)
        with held(folder) as lock, storage_errors(folder), self._claim(f".deleted-{session_id}") as doomed:
            if first is not None:
                first(folder)
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
    def incoming(self, session_id: str) -> Iterator[Path]:
        """Give a folder to be filled, which becomes a session's when the block is done and is gone when it fails.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self.sweep()
            with self._claim(f".new-{session_id}") as hidden:
                yield hidden
                hidden.rename(self.root / session_id)
            sync_folder(self.root)

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


def checked_name(name: str) -> str:
    """Return the name of a session or an object without blanks around it.

    Raises:
        ParameterError: it is empty, too long or has control characters.
    """
    stripped = name.strip()
    if not 1 <= len(stripped) <= LONGEST_NAME or not stripped.isprintable():
        raise ParameterError(f"a name has 1 to {LONGEST_NAME} characters, in one line")
    return stripped


def safe_name(name: str) -> str:
    """Return what a client calls its file as one line of text, without folders; it is never a path of ours."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if dot and len(suffix) <= 8:
        return f"{stem[: LONGEST_NAME - 9] or 'video'}.{suffix}"
    return kept[:LONGEST_NAME] or "video"


def new_id() -> str:
    """Return an id that no session has."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
