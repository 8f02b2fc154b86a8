"""Long work on sessions of a kind: what to put into the queue, what runs, what ends with a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from errors import ResourceError, SessionBusyError, SplazMatteError
from integrations.cloud_settings import required_settings
from queue_logic import Job, JobQueue, JobState, Needs
from session_base import SessionFolders

UPLOAD = "upload"
"""The kind of jobs that upload a session of any kind."""
_PATIENCE = 12.0
"""Seconds that deleting a session waits for its job to end; a cancel takes at most about 5."""


def notices(job: Job) -> list[str]:
    """Return what engines of a job did other than they were asked to."""
    told = job.result.get("notices")
    return [str(line) for line in told] if isinstance(told, list) else []


def _uploads_first() -> Callable[[Path], object]:
    """Return what deletes the uploads of a session that is about to go."""
    from results.uploaded import delete_before_session

    return delete_before_session


def _engines(job: Job) -> list[str]:
    """Return which engines made what the job gave, one for each stage."""
    made = job.result.get("engines")
    return list(dict.fromkeys(str(name) for name in made.values())) if isinstance(made, dict) else []


class SessionWork(ABC):
    """What the buttons of a page start and stop, whatever kind of session it shows.

    Args:
        queue: the jobs.
        store: the sessions of this kind.
        wait: called between two looks at something that ends soon, with the seconds to wait.
        others: stores of other kinds, whose jobs are in the queue as well.
    """

    kind: ClassVar[str]
    stages: ClassVar[tuple[str, ...]]
    """How far a job of the page goes; each does what is missing or stale before it too."""

    def __init__(
        self,
        queue: JobQueue,
        store: SessionFolders[Any],
        wait: Callable[[float], object],
        others: Mapping[str, SessionFolders[Any]] | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._wait = wait
        self._stores = {**(others or {}), self.kind: store}

    def extract(self, session_id: str) -> Job:
        """Have the frames extracted, before whatever else waits."""
        job = self._run(session_id, self.stages[0])
        if job.state.is_waiting:
            self._queue.move_top(job.id)
        return job

    def deliver(self, session_id: str) -> Job:
        """Have everything made that is missing or stale, up to the chosen formats."""
        return self._run(session_id, self.stages[-1])

    def upload(self, session_id: str) -> Job:
        """Have everything uploaded that is delivered.

        Raises:
            ParameterError: the settings of the cloud store make no sense.
        """
        required_settings()
        self._store.folder(session_id)
        return self._queue.add(UPLOAD, session_id)

    def stop(self, session_id: str) -> None:
        """Stop the session's jobs, those that wait and the one that runs; what is done is kept."""
        for job in self._queue.jobs():
            if job.session_id == session_id and not job.state.is_finished:
                self._queue.cancel(job.id)

    def active(self, session_id: str) -> Job | None:
        """Return the session's job that runs, or the next one that waits."""
        jobs = [job for job in self._queue.jobs() if job.session_id == session_id and not job.state.is_finished]
        return min(jobs, key=lambda job: job.state.is_waiting, default=None)

    def delete(self, session_id: str, *, uploads: bool = False) -> None:
        """Delete a session with its jobs; one that runs is cancelled first.

        Args:
            session_id: of the session.
            uploads: delete what it has in the cloud before it.

        Raises:
            SessionNotFoundError: there is none of that id.
            SessionBusyError: what works on it did not end in time; it stays whole.
            UploadError: its uploads could not be deleted; likewise, though its jobs are gone from the queue.
        """
        first = _uploads_first() if uploads else None
        self._store.folder(session_id)
        self._queue.remove_session(session_id)
        left = _PATIENCE
        while True:
            try:
                self._store.delete(session_id, first)
                break
            except SessionBusyError:
                if left <= 0:
                    raise
            self._wait(0.1)
            left -= 0.1
        self._queue.remove_session(session_id)

    def estimate(self, session_id: str, until: str) -> Needs:
        """Return what a run of the session up to that stage will take."""
        return self._foresee(session_id, until, False)

    def refusal(self, session_id: str, until: str) -> str:
        """Return why such a run does not fit this machine, with what would; empty where it fits."""
        try:
            self._foresee(session_id, until, True)
        except ResourceError as error:
            return str(error)
        return ""

    @abstractmethod
    def _foresee(self, session_id: str, until: str, refuse: bool) -> Needs:
        """Return what a run will take; raises ResourceError where it does not fit and `refuse` is set."""

    @abstractmethod
    def _check(self, state: Any) -> None:
        """Raise PromptError where a session's state says nothing yet of what is to be worked on."""

    def listing(self) -> list[dict[str, Any]]:
        """Return every job as plain values, in the order in which they are run."""
        return [self._row(job) for job in self._queue.jobs()]

    def _row(self, job: Job) -> dict[str, Any]:
        name = job.session_id
        for store in self._stores.values():
            with suppress(SplazMatteError):
                name = str(store.open(job.session_id).state.name)
        return {
            "id": job.id,
            "session_id": job.session_id,
            "name": name,
            "kind": job.kind,
            "until": UPLOAD if job.kind == UPLOAD else str(job.parameters.get("until", "deliver")),
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
        if until != self.stages[0]:
            self._check(self._store.open(session_id).state)
        for job in self._queue.jobs():
            reach = str(job.parameters.get("until", "deliver"))
            less = reach in self.stages and self.stages.index(reach) < self.stages.index(until)
            if job.session_id == session_id and job.state.is_waiting and job.kind == self.kind and less:
                self._queue.remove(job.id)
        return self._queue.add(self.kind, session_id, {"until": until})
