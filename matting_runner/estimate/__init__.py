"""What a run will take, before it begins: memory, disk and time, by stage; and whether that fits this machine.

Only what is missing or stale counts, as the stages themselves count it; nothing is changed by looking.
"""

from __future__ import annotations

from matting_runner.estimate.disk import disk_added, disk_peak
from matting_runner.estimate.duration import reference_seconds, seconds_here, speed_keys
from matting_runner.estimate.memory import stage_memory
from matting_runner.estimate.work import survey
from matting_runner.progress import Stage
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base.plan import Estimate, StageEstimate, speeds_of
from runner_base.speeds import Speeds
from session_store import MattingSession

__all__ = ["Estimate", "StageEstimate", "estimate_run", "speeds_of"]


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
        str(stage): StageEstimate(
            counts[stage], seconds[stage], memory[stage], disk[stage], reference[stage], keys[stage]
        )
        for stage in Stage
    }
    needs = Needs(
        memory_bytes=max(memory.values()), disk_bytes=disk_peak(work, disk), seconds=round(sum(seconds.values()), 3)
    )
    return Estimate(stages, needs)
