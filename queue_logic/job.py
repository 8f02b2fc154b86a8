"""A job and what may be said about it: plain pydantic models."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from errors import JobNotFoundError
from queue_logic.process import ProcessRecord


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """A user stopped it: not a failure."""
    INTERRUPTED = "interrupted"
    """What ran it ended first; it goes on from its last committed chunk when the queue starts."""

    @property
    def is_waiting(self) -> bool:
        """Tell whether the queue will start such a job by itself."""
        return self in (JobState.PENDING, JobState.INTERRUPTED)

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing more happens to such a job by itself."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobProgress(BaseModel):
    """How far a job is at one moment; the same facts as the runners report."""

    stage: str = ""
    done: float = 0.0
    """Of `total` steps of this stage."""
    total: float = 0.0
    unit: str = "frames"
    """What the steps are: 'frames' or 'bytes'."""
    fps: float = 0.0
    """Steps a second, 0 before the first."""
    fraction: float = 0.0
    """Of the whole job, 0 .. 1."""
    seconds_left: float | None = None
    """Of the whole job; None while there is nothing to tell it from."""


class Needs(BaseModel):
    """What a job was estimated to need before it began."""

    memory_bytes: int
    """Peak of the worker process."""
    disk_bytes: int
    """That it will add to the workspace."""
    seconds: float


class Order(BaseModel):
    """All that a worker is told, beside the shared workspace."""

    job_id: str
    kind: str
    session_id: str
    parameters: dict[str, JsonValue] = {}


class Job(BaseModel):
    """One job of the queue as it is at one moment; a change makes another one."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    session_id: str
    parameters: dict[str, JsonValue] = {}
    state: JobState = JobState.PENDING
    cancel_requested: bool = False
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    seconds: float = 0.0
    """That its last attempt ran, by a clock that nobody sets."""
    attempts: int = 0
    """Times that it was started since it was added, retried or reset."""
    error: str = ""
    device: str = ""
    worker: ProcessRecord | None = None
    """What runs it, so that the next owner can end it if it outlives its own."""
    needs: Needs | None = None
    progress: JobProgress = JobProgress()
    result: dict[str, JsonValue] = {}

    @property
    def order(self) -> Order:
        """Return what a worker is told."""
        return Order(job_id=self.id, kind=self.kind, session_id=self.session_id, parameters=self.parameters)


class QueueState(BaseModel):
    """What queue.json holds."""

    jobs: list[Job] = []
    """In the order in which they are run."""
    stopped: bool = False
    """No job is started while it is."""
    next_id: int = 1

    def find(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            JobNotFoundError: there is none of that id.
        """
        for job in self.jobs:
            if job.id == job_id:
                return job
        raise JobNotFoundError(f"there is no job '{job_id[:20]}'; run.py queue list shows them")

    def change(self, job: Job, **fields: Any) -> Job:
        """Put `job` with other values of `fields` in its place, and return it."""
        changed = job.model_copy(update=fields)
        self.jobs[self.jobs.index(job)] = changed
        return changed


def now() -> datetime:
    """Return the time that is shown to people; nothing is decided by it."""
    return datetime.now(UTC)
