"""A workspace with a tracking job that meets faults, one that must not be held up by it, what the first comes to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Self

from pipeline.probe import scan
from queue_logic import JobQueue, JobState, Limits, LocalExecutor, QueueRunner
from tests import faults
from tracking_runner import create_session
from tracking_session_store import RAW, MotionChoice, TrackingSession, TrackingSessionStore

FORMATS = ("video", "csv", "json", "ae-keyframes", "nuke")


class TrackBench(NamedTuple):
    workspace: Path
    queue: JobQueue
    session: TrackingSession

    @classmethod
    def make(cls, workspace: Path, clip: Path, formats: tuple[str, ...] = FORMATS) -> Self:
        """Return a workspace whose queue has a tracking job, and one of a kind that nobody does."""
        session = create_session(TrackingSessionStore(workspace / "tracking_sessions"), clip)
        for frame, x, y in ((0, 30, 30), (0, 36, 38), (20, 80, 20), (40, 10, 50), (63, 60, 12)):
            session.add_point(frame, x, y)
        session.state.points[0].keys[50] = (41.0, 29.0)
        session.state.motions = [MotionChoice(id=1, kind="steady", name="steady")]
        session.state.formats = list(formats)
        session.save()
        queue = JobQueue(workspace)
        queue.add("tracking", session.state.id, {"force": True})
        queue.add("unheard of", "s")
        return cls(workspace, queue, session)

    def run(self, *, attempts: int = 2, hang_seconds: float = 60.0) -> None:
        """Run the queue until nothing waits, each job in a real process."""
        executor = LocalExecutor(self.workspace, {"tracking": faults.TARGET})
        limits = Limits(hang_seconds=hang_seconds, attempts=attempts)
        QueueRunner(self.queue, executor, limits=limits).run(lambda: False)

    def opened(self) -> TrackingSession:
        """Return the session as it is on the disk now."""
        return TrackingSessionStore(self.workspace / "tracking_sessions").open(self.session.state.id)

    def made(self) -> dict[str, bytes]:
        """Return the raw arrays and every result but the video by name, whatever the session's id."""
        session = self.opened()
        found = {name: session.raw_path(name).read_bytes() for name in RAW}
        for path in session.results_dir.rglob("*"):
            if path.is_file() and path.suffix != ".mp4":
                name = str(path.relative_to(session.results_dir)).replace(session.state.id, "ID")
                found[name] = path.read_bytes().replace(session.state.id.encode(), b"ID")
        return found

    def assert_whole(self, unharmed: dict[str, bytes]) -> None:
        """Check that the first job is done as if nothing had happened, and that the second one was not held up."""
        job, other = self.queue.jobs()
        assert job.state is JobState.DONE and job.error == "", job
        assert other.state is JobState.FAILED and "no work of the kind 'unheard of'" in other.error
        session = self.opened()
        made = self.made()
        assert made.keys() == unharmed.keys() and all(made[name] == unharmed[name] for name in made)
        assert set(session.state.delivered) == set(session.state.formats)
        left = {path.name for path in session.folder.glob("raw_*")} - {session.raw_path(name).name for name in RAW}
        assert not left and not [*self.workspace.rglob("*.partial"), *self.workspace.rglob("*.tmp")]
        if "video" in session.state.formats:
            assert scan(session.results_dir / session.state.delivered["video"].path).frames == 64
        assert JobQueue(self.workspace).jobs() == self.queue.jobs()
