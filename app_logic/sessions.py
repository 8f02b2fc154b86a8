"""The list of sessions as a page shows it: name, state, size; what can be read only, not what has to be decoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from errors import SplazMatteError
from session_base import SessionFolders, StoredSession


@dataclass(frozen=True)
class SessionRow:
    """One session of the list."""

    id: str
    name: str
    state: str
    """A key of pages.sessions_panel.STATES."""
    bytes: int
    created: datetime | None
    version: str
    """Changes when what the list shows of the session changes."""


class About(Protocol):
    """What a list asks of a kind of session."""

    def state_of(self, session: Any) -> str:
        """Return how far a session is, in one word; see SessionRow.state."""

    def size_of(self, folder: Path, session: Any) -> int:
        """Return the bytes of a session on the disk; None for one that cannot be read."""


class SessionList:
    """The rows of all sessions of a kind; sizes are only counted again where a session has changed.

    Args:
        store: the sessions.
        about: knows their kind.
    """

    def __init__(self, store: SessionFolders[Any], about: About) -> None:
        self._store = store
        self._about = about
        self._known: dict[str, tuple[str, SessionRow]] = {}

    def rows(self) -> list[SessionRow]:
        """Return all sessions, the newest first."""
        rows = {session_id: self._row(session_id) for session_id in self._store.ids()}
        self._known = {key: value for key, value in self._known.items() if key in rows}
        return sorted(rows.values(), key=lambda row: row.id, reverse=True)

    def _row(self, session_id: str) -> SessionRow:
        folder = self._store.root / session_id
        version = _version(folder)
        known = self._known.get(session_id)
        if known is None or known[0] != version:
            known = version, self._read(session_id, folder, version)
            self._known[session_id] = known
        return known[1]

    def _read(self, session_id: str, folder: Path, version: str) -> SessionRow:
        try:
            session: StoredSession[Any] = self._store.open(session_id)
        except SplazMatteError:
            return SessionRow(session_id, session_id, "unreadable", self._about.size_of(folder, None), None, version)
        state, size = session.state, self._about.size_of(folder, session)
        return SessionRow(session_id, state.name, self._about.state_of(session), size, state.created, version)


def _version(folder: Path) -> str:
    try:
        stat = (folder / "state.json").stat()
    except OSError:
        return "unreadable"
    return f"{stat.st_mtime_ns}-{stat.st_size}"
