"""The folder of all tracking sessions."""

from __future__ import annotations

from session_base import SessionFolders
from tracking_session_store.session import TrackingSession


class TrackingSessionStore(SessionFolders[TrackingSession]):
    """The folder of all tracking sessions; see session_base.SessionFolders."""

    kind = TrackingSession
