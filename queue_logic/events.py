"""What happens to jobs, for whoever observes the queue's runner: logs, notices, metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from queue_logic.job import Job, JobState

Event = Literal["started", "resumed", "crashed", "done", "failed", "cancelled", "interrupted"]
"""What happens to a job; `resumed` is a start after one that was interrupted or crashed, which is tried again."""
Observer = Callable[[Job, Event], None]
"""Told of a job, as it is afterwards, and of what has happened to it; in the runner's thread, so it must not wait."""
ENDS: dict[JobState, Event] = {
    JobState.PENDING: "crashed",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.INTERRUPTED: "interrupted",
}
"""What has happened to a job whose attempt left it in that state."""
