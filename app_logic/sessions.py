"""The list of sessions as a page shows it: name, state, size; what can be read only, not what has to be decoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from errors import SplazMatteError
from session_store import MattingSession, SessionStore, folder_usage, is_finished


@dataclass(frozen=True)
class SessionRow:
    """One session of the list."""

    id: str
    name: str
    state: str
    """'new', 'annotated', 'masks', 'matted', 'delivered', 'failed' or 'unreadable'."""
    bytes: int
    created: datetime | None
    version: str
    """Changes when what the list shows of the session changes."""


class SessionList:
    """The rows of all sessions; sizes are only counted again where a session has changed."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
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
            session = self._store.open(session_id)
        except SplazMatteError:
            return SessionRow(session_id, session_id, "unreadable", folder_usage(folder).total, None, version)
        state = session.state
        size = folder_usage(folder, state).total
        return SessionRow(session_id, state.name, state_of(session), size, state.created, version)


def state_of(session: MattingSession) -> str:
    """Return how far a session is, in one word; see SessionRow.state."""
    state = session.state
    if state.last_run and state.last_run.status == "failed":
        return "failed"
    if is_finished(session) and state.delivered:
        return "delivered"
    if state.alpha.spans:
        return "matted"
    if any(item.propagated.spans for item in state.objects):
        return "masks"
    return "annotated" if any(item.keyframes or item.prompts for item in state.objects) else "new"


def _version(folder: Path) -> str:
    try:
        stat = (folder / "state.json").stat()
    except OSError:
        return "unreadable"
    return f"{stat.st_mtime_ns}-{stat.st_size}"
