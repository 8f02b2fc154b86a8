"""What a run will take, before it begins: memory, disk and time, by stage; and whether that fits this machine.

Only what is missing or stale counts, as the stages themselves count it; nothing is changed by looking.
"""

from __future__ import annotations

from dataclasses import dataclass

from matting_runner.estimate.disk import disk_added, disk_peak
from matting_runner.estimate.duration import reference_seconds, seconds_here, speed_keys
from matting_runner.estimate.memory import stage_memory
from matting_runner.estimate.work import survey
from matting_runner.progress import Stage
from matting_runner.speeds import Speeds
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from session_store import MattingSession

__all__ = ["Estimate", "StageEstimate", "estimate_run", "speeds_of"]


@dataclass(frozen=True)
class StageEstimate:
    """What one stage will take."""

    frames: int
    """To do, 0 if there is nothing."""
    seconds: float
    memory_bytes: int
    """Peak of the whole process while it runs."""
    disk_bytes: int
    """That it adds and leaves."""
    reference: float
    """Seconds on the reference machine."""
    speed_key: str
    """Under which `Speeds` learns how this machine compares."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take."""

    stages: dict[Stage, StageEstimate]
    needs: Needs

    @property
    def seconds(self) -> dict[Stage, float]:
        """Return the seconds of each stage."""
        return {stage: entry.seconds for stage, entry in self.stages.items()}

    @property
    def hungriest(self) -> Stage:
        """Return the stage that takes the most memory."""
        return max(self.stages, key=lambda stage: self.stages[stage].memory_bytes)


def speeds_of(session: MattingSession) -> Speeds:
    """Return this machine's speeds as the session's workspace knows them."""
    return Speeds(session.folder.parents[1])


def estimate_run(session: MattingSession, info: VideoInfo, speeds: Speeds, *, until: Stage = Stage.DELIVER) -> Estimate:
    """Return what a run of `session` will take, from the state that it is in.

    Args:
        session: the session; it is not changed.
        info: its source's facts; before extraction the number of frames may be a guess.
        speeds: of this machine.
        until: the last stage of the run.
    """
    work = survey(session, info, until)
    reference, keys = reference_seconds(work), speed_keys(work)
    seconds, memory, disk = seconds_here(reference, keys, speeds), stage_memory(work), disk_added(work)
    counts = {
        Stage.FRAMES: work.extract,
        Stage.KEYFRAMES: work.prompts,
        Stage.PROPAGATE: work.masks,
        Stage.MATTE: work.alpha,
        Stage.DELIVER: work.length if work.formats else 0,
    }
    stages = {
        stage: StageEstimate(counts[stage], seconds[stage], memory[stage], disk[stage], reference[stage], keys[stage])
        for stage in Stage
    }
    needs = Needs(
        memory_bytes=max(memory.values()), disk_bytes=disk_peak(work, disk), seconds=round(sum(seconds.values()), 3)
    )
    return Estimate(stages, needs)
