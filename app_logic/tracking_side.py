"""Tracking sessions as the app has them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app_logic.side import Side
from tracking_session_store import TrackingSession, TrackingSessionStore, folder_usage, is_finished

if TYPE_CHECKING:
    from app_logic.track_editor import TrackEditor
    from app_logic.track_pictures import TrackPictures
    from app_logic.track_work import TrackWork
    from results import Result


class TrackingSide(Side["TrackEditor"]):
    """The tracking sessions; heavy modules load with the first page."""

    kind = "tracking"
    keeps_results = True
    store: TrackingSessionStore

    @cached_property
    def work(self) -> TrackWork:
        """Return what starts and stops long work."""
        from app_logic.track_work import TrackWork

        return TrackWork(self._around.queue, self.store, self._around.wait, self._others)

    @cached_property
    def pictures(self) -> TrackPictures:
        """Return what makes the pictures, and the tracks, that browsers ask for."""
        from app_logic.track_pictures import TrackPictures

        return TrackPictures(self.editor)

    def create(self, video: Path, name: str) -> TrackingSession:
        """Make a session of a video, which is moved; `name` is its user's."""
        from tracking_runner import create_session

        return create_session(self.store, video, original_name=name, move=True)

    def state_of(self, session: TrackingSession) -> str:
        """Return how far a session is, in one word of pages.sessions_panel.STATES."""
        state = session.state
        if state.last_run and state.last_run.status == "failed":
            return "failed"
        if is_finished(session) and state.delivered:
            return "delivered"
        if state.tracked:
            return "tracked"
        return "annotated" if state.points else "new"

    def size_of(self, folder: Path, session: TrackingSession | None) -> int:
        """Return the bytes of a session on the disk; None for one that cannot be read."""
        return folder_usage(folder, session.state if session else None).total

    def results(self, session: TrackingSession, names: Iterable[str]) -> list[Result]:
        """Return deliverables of a session by their formats' names; see results.tracking."""
        from results.tracking import results

        return results(session, names)

    def _edit(self, session: TrackingSession) -> TrackEditor:
        from app_logic.track_editor import TrackEditor

        return TrackEditor(self._around.workspace, session, self._around.call)
