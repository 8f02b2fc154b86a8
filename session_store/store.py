"""The folder of all matting sessions."""

from __future__ import annotations

from session_base import SessionFolders
from session_store.session import MattingSession


class SessionStore(SessionFolders[MattingSession]):
    """The folder of all matting sessions; see session_base.SessionFolders."""

    kind = MattingSession
