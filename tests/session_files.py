"""Sessions made of files that nobody looks into, and queues made by hand, for tests that run no engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from queue_logic import Job, JobProgress, JobState
from queue_logic.job import QueueState
from session_store import Delivered, MattingSession, RunRecord, SessionStore

Make = Callable[[str], MattingSession]
"""Makes a finished session of a video of that name."""


def finished_session(store: SessionStore, video: Path) -> MattingSession:
    """Return a finished session of two frames: 300 bytes of frames, a keyframe of 10, a mask of 20, alpha of 40."""
    video.write_bytes(bytes(1000))
    session = store.create(video)
    item = session.add_object("dog")
    for path, size in {
        session.frames_dir / "000000.jpg": 300,
        session.masks_dir(item.id, "keyframes") / "000000.png": 10,
        session.masks_dir(item.id, "propagated") / "000001.png": 20,
        session.alpha_dir / "000000-000001.mkv": 40,
        session.folder / "alpha.mp4": 50,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    (session.folder / "meta.json").write_text('{"frames": 2}')
    state = session.state
    state.formats, state.delivered = ["alpha"], {"alpha": Delivered(path="alpha.mp4", mark="x")}
    state.extracted, state.last_run = 2, RunRecord(status="done")
    state.alpha.mark(0, 2, "x")
    item.propagated.mark(1, 2, "x")
    session.save()
    return session


def add_jobs(
    workspace: Path, session: MattingSession, *states: JobState, fraction: float = 0.0, kind: str = "matting"
) -> None:
    """Write a queue that has one job of `session` for each of `states`."""
    jobs = [
        Job(
            id=str(number),
            kind=kind,
            session_id=session.state.id,
            state=state,
            created=datetime.now(UTC),
            progress=JobProgress(fraction=fraction),
        )
        for number, state in enumerate(states)
    ]
    data = QueueState(jobs=jobs, next_id=len(jobs)).model_dump(mode="json")
    (workspace / "queue.json").write_text(json.dumps({"version": 1, **data}))
