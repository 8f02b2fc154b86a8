"""The list of jobs: one truth for every tab, every command and the process that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from errors import JobStateError, ParameterError
from queue_logic.file import QueueFile
from queue_logic.job import Job, JobProgress, JobState, Needs, QueueState, now


class JobQueue:
    """The jobs of a workspace; any process may read and edit them, also while another one runs them.

    Each edit reads queue.json, if another process has written it since, changes it and writes it whole, under a lock
    that is held for just that long. Who may *run* jobs is another matter: see QueueLock.

    Args:
        workspace: the folder of queue.json.
        clock: seconds, monotonic; tests bring their own.

    Raises:
        StoreError: queue.json was written by a newer version.
    """

    def __init__(self, workspace: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.workspace = workspace
        self._file = QueueFile(workspace, clock)
        self._file.read()

    @property
    def notice(self) -> str:
        """Return what a user should know about how the file was read; empty if nothing."""
        return self._file.notice

    @property
    def revision(self) -> int:
        """Return a number that grows with every change that this object has seen or made."""
        return self._file.revision

    @property
    def stopped(self) -> bool:
        """Tell whether no further job is started."""
        return self._file.read().stopped

    def jobs(self) -> list[Job]:
        """Return all jobs in the order in which they are run."""
        return list(self._file.read().jobs)

    def get(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            JobNotFoundError: there is none of that id.
        """
        return self._file.read().find(job_id)

    def add(
        self,
        kind: str,
        session_id: str,
        parameters: Mapping[str, JsonValue] | None = None,
        needs: Needs | None = None,
    ) -> Job:
        """Put a job at the end, or return the one that waits or runs already with the very same order.

        Args:
            kind: what knows how to do it.
            session_id: whose work it is.
            parameters: for who does it.
            needs: what it is estimated to need, where that is known already.

        Raises:
            ParameterError: parameters that JSON cannot hold.
            StorageError: the disk is full, read-only or not writable.
        """
        with self._file.edit() as state:
            job = _new_job(str(state.next_id), kind, session_id, parameters or {}, needs)
            for known in state.jobs:
                same = (known.kind, known.session_id, known.parameters) == (kind, session_id, job.parameters)
                if same and not known.state.is_finished and not known.cancel_requested:
                    return known
            state.next_id += 1
            state.jobs.append(job)
            return job

    def remove(self, job_id: str) -> Job:
        """Take a job off the list; what its session has stays.

        Raises:
            JobNotFoundError: there is none of that id.
            JobStateError: it is running.
        """
        with self._file.edit() as state:
            job = _not_running(state, job_id)
            state.jobs.remove(job)
            return job

    def remove_session(self, session_id: str) -> list[Job]:
        """Take every job of a session that is about to be deleted off the list; running ones are cancelled."""
        with self._file.edit() as state:
            jobs = [job for job in state.jobs if job.session_id == session_id]
            for job in jobs:
                if job.state is JobState.RUNNING:
                    state.change(job, cancel_requested=True)
                else:
                    state.jobs.remove(job)
            return jobs

    def move_top(self, job_id: str) -> None:
        """Let a job be the next one."""
        with self._file.edit() as state:
            state.jobs.insert(0, _take(state, job_id))

    def move_bottom(self, job_id: str) -> None:
        """Let a job be the last one."""
        with self._file.edit() as state:
            state.jobs.append(_take(state, job_id))

    def move_before(self, job_id: str, other_id: str) -> None:
        """Put a job right before another one."""
        with self._file.edit() as state:
            other = state.find(other_id)
            if job_id != other_id:
                job = _take(state, job_id)
                state.jobs.insert(state.jobs.index(other), job)

    def retry(self, job_id: str) -> None:
        """Let a job that failed, was cancelled or was interrupted go on from what it has.

        Raises:
            JobStateError: it waits, runs or is done.
        """
        with self._file.edit() as state:
            job = state.find(job_id)
            if job.state not in (JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED):
                raise JobStateError(
                    f"job {job_id} is {job.state}; only a failed, cancelled or interrupted one is retried"
                )
            state.change(job, **_ANEW)

    def reset(self, job_id: str) -> None:
        """Make a job as if it had just been added; what its session has stays.

        Raises:
            JobStateError: it is running.
        """
        with self._file.edit() as state:
            job = _not_running(state, job_id)
            state.change(job, **_ANEW, progress=JobProgress(), started=None, seconds=0.0, needs=None, result={})

    def cancel(self, job_id: str) -> None:
        """Stop a job: one that waits at once, one that runs within seconds.

        Raises:
            JobStateError: it is finished.
        """
        with self._file.edit() as state:
            job = state.find(job_id)
            if job.state.is_finished:
                raise JobStateError(f"job {job_id} is {job.state} already")
            job = state.change(job, cancel_requested=True)
            if job.state.is_waiting:
                state.change(job, state=JobState.CANCELLED, ended=now())

    def stop(self) -> None:
        """Start no further job; those that run go on."""
        with self._file.edit() as state:
            state.stopped = True

    def start(self) -> None:
        """Start jobs again."""
        with self._file.edit() as state:
            state.stopped = False

    def clear(self, *, everything: bool = False) -> list[Job]:
        """Take finished jobs off the list, or everything that does not run; return them."""
        with self._file.edit() as state:
            gone = [
                job for job in state.jobs if job.state.is_finished or (everything and job.state is not JobState.RUNNING)
            ]
            state.jobs = [job for job in state.jobs if job not in gone]
            return gone

    def update(self, job_id: str, *, save: bool = True, **changes: Any) -> None:
        """Record what the process that runs the queue knows of a job; see QueueFile.update."""
        self._file.update(job_id, changes, save=save)

    def flush(self, *, at_once: bool = True) -> None:
        """Save what is not saved yet, if the disk allows it; see QueueFile.flush."""
        self._file.flush(at_once=at_once)


_ANEW: dict[str, Any] = {
    "state": JobState.PENDING,
    "cancel_requested": False,
    "error": "",
    "ended": None,
    "attempts": 0,
    "worker": None,
}
"""What a job is when it waits for its first attempt, again."""


def _new_job(job_id: str, kind: str, session_id: str, parameters: Mapping[str, JsonValue], needs: Needs | None) -> Job:
    try:
        return Job(id=job_id, kind=kind, session_id=session_id, parameters=dict(parameters), needs=needs, created=now())
    except ValidationError as error:
        raise ParameterError(f"a job's parameters must be plain values: {error.errors()[0]['msg']}") from None


def _not_running(state: QueueState, job_id: str) -> Job:
    job = state.find(job_id)
    if job.state is JobState.RUNNING:
        raise JobStateError(f"job {job_id} is running; cancel it first: run.py queue cancel {job_id}")
    return job


def _take(state: QueueState, job_id: str) -> Job:
    job = state.find(job_id)
    state.jobs.remove(job)
    return job
