"""Long work on a matting session: how far to go, and what it will take."""

from __future__ import annotations

from app_logic.jobs import SessionWork
from errors import ResourceError
from queue_logic import Job, Needs


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

    def estimate(self, session_id: str, until: str) -> Needs:
        """Return what a run of the session up to that stage will take."""
        from matting_runner import Stage, foresee

        return foresee(self._store.open(session_id), until=Stage(until), refuse=False)

    def refusal(self, session_id: str, until: str) -> str:
        """Return why such a run does not fit this machine, with what would; empty where it fits."""
        from matting_runner import Stage, foresee

        try:
            foresee(self._store.open(session_id), until=Stage(until))
        except ResourceError as error:
            return str(error)
        return ""
