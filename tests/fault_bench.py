"""A workspace with a job that meets faults, one that must not be held up by it, and what the first has to come to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple, Self

import pytest

from pipeline.probe import scan
from queue_logic import JobQueue, JobState, Limits, LocalExecutor, QueueRunner
from session_store import MattingSession, SessionStore
from tests import faults
from tests.clip_sessions import pixels, prompted_session

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the fault is made with Linux's means")


class Bench(NamedTuple):
    workspace: Path
    queue: JobQueue
    session: MattingSession

    @classmethod
    def make(cls, workspace: Path, clip: Path, formats: tuple[str, ...] = ("alpha", "foreground")) -> Self:
        """Return a workspace whose queue has a matting job, and one of a kind that nobody does."""
        session = prompted_session(workspace / "sessions", clip, formats)
        queue = JobQueue(workspace)
        queue.add("matting", session.state.id, {"force": True})
        queue.add("unheard of", "s")
        return cls(workspace, queue, session)

    def run(self, *, attempts: int = 2, hang_seconds: float = 60.0) -> None:
        """Run the queue until nothing waits, each job in a real process."""
        executor = LocalExecutor(self.workspace, {"matting": faults.TARGET})
        limits = Limits(hang_seconds=hang_seconds, attempts=attempts)
        QueueRunner(self.queue, executor, limits=limits).run(lambda: False)

    def opened(self) -> MattingSession:
        """Return the session as it is on the disk now."""
        return SessionStore(self.workspace / "sessions").open(self.session.state.id)

    def assert_whole(self, unharmed: dict[str, bytes]) -> None:
        """Check that the first job is done as if nothing had happened, and that the second one was not held up."""
        job, other = self.queue.jobs()
        assert job.state is JobState.DONE and job.error == "", job
        assert other.state is JobState.FAILED and "no work of the kind 'unheard of'" in other.error
        session = self.opened()
        assert pixels(session) == unharmed
        assert not [*session.folder.rglob("*.partial"), *session.folder.rglob("*.tmp")]
        assert set(session.state.delivered) == set(session.state.formats)
        for name in {"alpha", "foreground"} & set(session.state.formats):
            assert scan(session.folder / f"{name}.mp4").frames == 64
        assert JobQueue(self.workspace).jobs() == self.queue.jobs()
