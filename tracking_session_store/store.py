"""The folder of all tracking sessions."""

from __future__ import annotations

from session_base import SessionFolders
from tracking_session_store.session import TrackingSession


class TrackingSessionStore(SessionFolders[TrackingSession]):
    """The folder of all tracking sessions; see session_base.SessionFolders."""

    kind = TrackingSession

    def duplicate(self, session_id: str) -> TrackingSession:
        """Return a new session that has everything of that one but its results, which are files of that one's name.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            SessionBusyError: a process works on it.
            StorageError: the disk is full, read-only or not writable; nothing is left behind.
        """
        copy = super().duplicate(session_id)
        copy.state.delivered = {}
        copy.save()
        return copy
