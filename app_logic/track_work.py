"""Long work on a tracking session: how far to go."""

from __future__ import annotations

from app_logic.jobs import SessionWork
from errors import PromptError
from queue_logic import Job, Needs
from tracking_session_store import TrackingState


class TrackWork(SessionWork):
    """What the buttons of the tracking page start and stop."""

    kind = "tracking"
    stages = ("frames", "track", "deliver")

    def track(self, session_id: str) -> Job:
        """Have the points tracked that are new or have changed; all others keep their tracks."""
        return self._run(session_id, "track")

    def _check(self, state: TrackingState) -> None:
        if not (state.points or state.carry):
            raise PromptError("there is no point to track yet: click on the picture first")

    def _foresee(self, session_id: str, until: str, refuse: bool) -> Needs:
        from tracking_runner import foresee

        return foresee(self._store.open(session_id), until=until, refuse=refuse)
