"""What a run of a matting session did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matting_runner.marks import engines_used
from matting_runner.progress import Reporter
from session_store import MattingSession

DOUBT = 0.5
"""Confidence of a propagated mask below which the user is asked for a keyframe."""


@dataclass(frozen=True)
class RunResult:
    """What a run did."""

    session: MattingSession
    span: tuple[int, int]
    """Frames that the deliverables have, half-open."""
    seconds: dict[str, float]
    """By stage; 0 where there was nothing to do."""
    fps: dict[str, float]
    """Frames a second by stage, of those that did something."""
    stage_frames: dict[str, float]
    """Frames that were done in each stage."""
    outputs: dict[str, Path]
    """Deliverables by format."""
    engines: dict[str, str]
    """What made keyframes, masks and alpha: {job: engine with the parameters that were chosen}."""
    notices: list[str]
    """What engines did other than they were asked to."""
    keyframes_wanted: list[tuple[str, int]]
    """(object's name, frame) where its mask is least certain: a keyframe there helps most."""

    @property
    def frames(self) -> int:
        """Return how many frames the deliverables have."""
        return self.span[1] - self.span[0]

    def summary(self) -> dict[str, Any]:
        """Return it as plain values: what --json prints and the queue keeps."""
        return {
            "session_id": self.session.state.id,
            "session_dir": str(self.session.folder),
            "frames": self.frames,
            "seconds": self.seconds,
            "fps": self.fps,
            "stage_frames": self.stage_frames,
            "outputs": {name: str(path) for name, path in self.outputs.items()},
            "engines": self.engines,
            "notices": list(self.notices),
            "keyframes_wanted": [list(entry) for entry in self.keyframes_wanted],
        }


def result_of(session: MattingSession, span: tuple[int, int], formats: Sequence[str], reporter: Reporter) -> RunResult:
    """Return what a run of `session` over the frames `span` did, which `reporter` has followed."""
    seconds = {stage: round(value, 3) for stage, value in reporter.seconds.items()}
    return RunResult(
        session=session,
        span=span,
        seconds=seconds,
        fps={
            stage: round(count / reporter.seconds[stage], 2)
            for stage, count in reporter.frames.items()
            if count and reporter.seconds[stage] > 0
        },
        stage_frames=dict(reporter.frames),
        outputs={name: session.folder / made.path for name, made in session.state.delivered.items() if name in formats},
        engines=engines_used(session.state),
        notices=reporter.notices,
        keyframes_wanted=_keyframes_wanted(session, span),
    )


def _keyframes_wanted(session: MattingSession, span: tuple[int, int]) -> list[tuple[str, int]]:
    """Return the least certain frame of each object where that is below DOUBT."""
    wanted = []
    for item in session.state.objects:
        known = {i: value for i, value in item.confidence.items() if i in range(*span) and i not in item.keyframes}
        worst = min(known, key=lambda index: known[index], default=None)
        if worst is not None and known[worst] < DOUBT:
            wanted.append((item.name, worst))
    return wanted
