"""Matting sessions as the app has them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app_logic.side import Side
from session_store import MattingSession, SessionStore, folder_usage, is_finished

if TYPE_CHECKING:
    from app_logic.editor import SessionEditor
    from app_logic.pictures import Pictures
    from app_logic.work import Work
    from results import Result


class MattingSide(Side["SessionEditor"]):
    """The matting sessions; heavy modules load with the first page."""

    kind = "matting"
    store: SessionStore

    @cached_property
    def work(self) -> Work:
        """Return what starts and stops long work."""
        from app_logic.work import Work

        return Work(self._around.queue, self.store, self._around.wait, self._others)

    @cached_property
    def pictures(self) -> Pictures:
        """Return what makes the pictures that browsers ask for."""
        from app_logic.pictures import Pictures

        return Pictures(self.editor)

    def create(self, video: Path, name: str) -> MattingSession:
        """Make a session of a video, which is moved; `name` is its user's."""
        from matting_runner import create_session

        return create_session(self.store, video, original_name=name, move=True)

    def state_of(self, session: MattingSession) -> str:
        """Return how far a session is, in one word of pages.sessions_panel.STATES."""
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

    def size_of(self, folder: Path, session: MattingSession | None) -> int:
        """Return the bytes of a session on the disk; None for one that cannot be read."""
        return folder_usage(folder, session.state if session else None).total

    def results(self, session: MattingSession, names: Iterable[str]) -> list[Result]:
        """Return deliverables of a session by their formats' names; see results.matting."""
        from results.matting import results

        return results(session, names)

    def _edit(self, session: MattingSession) -> SessionEditor:
        from app_logic.editor import SessionEditor

        return SessionEditor(self._around.workspace, session, self._around.call)
