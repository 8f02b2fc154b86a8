"""Long work on a session: what to put into the queue, what runs, what it will take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from errors import ResourceError, SessionBusyError, SplazMatteError
from queue_logic import Job, JobQueue, JobState, Needs
from session_base import SessionFolders
from session_store import SessionStore

STAGES = ("frames", "propagate", "matte", "deliver")
"""How far a job of the page goes; each does what is missing or stale before it too."""
_PATIENCE = 12.0
"""Seconds that deleting a session waits for its job to end; a cancel takes at most about 5."""


def notices(job: Job) -> list[str]:
    """Return what engines of a job did other than they were asked to."""
    told = job.result.get("notices")
    return [str(line) for line in told] if isinstance(told, list) else []


def _engines(job: Job) -> list[str]:
    """Return which engines made what the job gave, one for each stage."""
    made = job.result.get("engines")
    return list(dict.fromkeys(str(name) for name in made.values())) if isinstance(made, dict) else []


class Work:
    """What the buttons of the page start and stop.

    Args:
        queue: the jobs.
        store: the sessions.
        wait: called between two looks at something that ends soon, with the seconds to wait.
        tracking: the tracking sessions, whose jobs are in the same queue.
    """

    def __init__(
        self,
        queue: JobQueue,
        store: SessionStore,
        wait: Callable[[float], object],
        tracking: SessionFolders[Any] | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._stores: dict[str, SessionFolders[Any]] = {
            "matting": store,
            **({"tracking": tracking} if tracking else {}),
        }
        self._wait = wait

    def extract(self, session_id: str) -> Job:
        """Have the frames extracted, before whatever else waits."""
        job = self._run(session_id, "frames")
        if job.state.is_waiting:
            self._queue.move_top(job.id)
        return job

    def propagate(self, session_id: str) -> Job:
        """Have the masks made that are missing or stale."""
        return self._run(session_id, "propagate")

    def matte(self, session_id: str) -> Job:
        """Have the masks and the alpha made that are missing or stale."""
        return self._run(session_id, "matte")

    def deliver(self, session_id: str) -> Job:
        """Have everything made that is missing or stale, up to the chosen formats."""
        return self._run(session_id, "deliver")

    def stop(self, session_id: str) -> None:
        """Stop the session's jobs, those that wait and the one that runs; what is done is kept."""
        for job in self._queue.jobs():
            if job.session_id == session_id and not job.state.is_finished:
                self._queue.cancel(job.id)

    def active(self, session_id: str) -> Job | None:
        """Return the session's job that runs, or the next one that waits."""
        jobs = [job for job in self._queue.jobs() if job.session_id == session_id and not job.state.is_finished]
        return min(jobs, key=lambda job: job.state.is_waiting, default=None)

    def delete(self, session_id: str) -> None:
        """Delete a session with its jobs; one that runs is cancelled first.

        Raises:
            SessionNotFoundError: there is none of that id.
            SessionBusyError: what works on it did not end in time; it stays whole.
        """
        self._store.folder(session_id)
        self._queue.remove_session(session_id)
        left = _PATIENCE
        while True:
            try:
                self._store.delete(session_id)
                break
            except SessionBusyError:
                if left <= 0:
                    raise
            self._wait(0.1)
            left -= 0.1
        self._queue.remove_session(session_id)

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

    def listing(self) -> list[dict[str, Any]]:
        """Return every job as plain values, in the order in which they are run."""
        return [self._row(job) for job in self._queue.jobs()]

    def _row(self, job: Job) -> dict[str, Any]:
        try:
            name = self._stores[job.kind].open(job.session_id).state.name
        except (KeyError, SplazMatteError):
            name = job.session_id
        return {
            "id": job.id,
            "session_id": job.session_id,
            "name": name,
            "kind": job.kind,
            "until": str(job.parameters.get("until", "deliver")),
            "state": job.state.value,
            "fraction": 1.0 if job.state is JobState.DONE else job.progress.fraction,
            "stage": job.progress.stage,
            "fps": job.progress.fps,
            "seconds_left": job.progress.seconds_left,
            "error": job.error,
            "notices": notices(job),
            "engines": _engines(job),
            "can_cancel": not job.state.is_finished and not job.cancel_requested,
            "can_retry": job.state in (JobState.FAILED, JobState.CANCELLED),
            "can_remove": job.state is not JobState.RUNNING,
        }

    def _run(self, session_id: str, until: str) -> Job:
        """Put a job into the queue; what waits for the same session and goes less far is part of it."""
        self._store.folder(session_id)
        for job in self._queue.jobs():
            reach = str(job.parameters.get("until", "deliver"))
            less = reach in STAGES and STAGES.index(reach) < STAGES.index(until)
            if job.session_id == session_id and job.state.is_waiting and job.kind == "matting" and less:
                self._queue.remove(job.id)
        return self._queue.add("matting", session_id, {"until": until})
