"""Long work on a matting session: how far to go, and what it will take."""

from __future__ import annotations

from app_logic.jobs import SessionWork
from errors import PromptError
from queue_logic import Job, Needs
from session_store import MattingState


class Work(SessionWork):
    """What the buttons of the matting page start and stop."""

    kind = "matting"
    stages = ("frames", "propagate", "matte", "deliver")

    def propagate(self, session_id: str) -> Job:
        """Have the masks made that are missing or stale."""
        return self._run(session_id, "propagate")

    def matte(self, session_id: str) -> Job:
        """Have the masks and the alpha made that are missing or stale."""
        return self._run(session_id, "matte")

    def _check(self, state: MattingState) -> None:
        if not any(item.keyframes or item.prompts for item in state.objects):
            raise PromptError("there is nothing to matte yet: click on an object first")

    def _foresee(self, session_id: str, until: str, refuse: bool) -> Needs:
        from matting_runner import Stage, foresee

        return foresee(self._store.open(session_id), until=Stage(until), refuse=refuse)
