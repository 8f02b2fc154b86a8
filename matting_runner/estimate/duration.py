"""How long the stages take: what the reference machine would take, times how fast this one is."""

from __future__ import annotations

from engines.registry import check_params
from engines.spec import Job, Load
from matting_runner.estimate.work import Work
from matting_runner.marks import spec_of
from matting_runner.progress import Stage
from pipeline.formats import FORMATS
from runner_base.costs import MEGA, READ, START, extract_seconds
from runner_base.speeds import Speeds
from session_store import EngineChoice

COLOURS = 0.018
"""Seconds by megapixel to estimate the foreground's colours."""


def reference_seconds(work: Work) -> dict[Stage, float]:
    """Return the seconds that each stage would take on the reference machine; 0 where there is nothing to do."""
    state, megapixels = work.session.state, work.info.width * work.info.height / MEGA
    propagator, matter = spec_of(Job.PROPAGATOR, state.propagator), spec_of(Job.MATTER, state.matter)
    seconds = {
        Stage.FRAMES: extract_seconds(work.info, work.extract),
        Stage.KEYFRAMES: work.prompts
        * spec_of(Job.SEGMENTER, state.segmenter).seconds(load(work, Job.SEGMENTER, state.segmenter)),
        Stage.PROPAGATE: sum(
            count * propagator.seconds(load(work, Job.PROPAGATOR, state.propagator, objects))
            for objects, count in work.visits.items()
        ),
        Stage.MATTE: work.alpha * matter.seconds(load(work, Job.MATTER, state.matter)),
        Stage.DELIVER: work.length * _deliver(work, megapixels),
    }
    return {stage: START + value if value else 0.0 for stage, value in seconds.items()}


def speed_keys(work: Work) -> dict[Stage, str]:
    """Return the name under which each stage's speed is learned: the stage and what does it."""
    state = work.session.state
    return {
        Stage.FRAMES: str(Stage.FRAMES),
        Stage.KEYFRAMES: f"{Stage.KEYFRAMES} {state.segmenter.name}",
        Stage.PROPAGATE: f"{Stage.PROPAGATE} {state.propagator.name}",
        Stage.MATTE: f"{Stage.MATTE} {state.matter.name}",
        Stage.DELIVER: f"{Stage.DELIVER} {','.join(sorted(work.formats))}",
    }


def seconds_here(reference: dict[Stage, float], keys: dict[Stage, str], speeds: Speeds) -> dict[Stage, float]:
    """Return the seconds that each stage takes on this machine."""
    return {stage: value * speeds.factor(keys[stage]) if value else 0.0 for stage, value in reference.items()}


def load(work: Work, job: Job, choice: EngineChoice, objects: int | None = None) -> Load:
    """Return what an engine's models are asked about."""
    return Load(
        width=work.info.width,
        height=work.info.height,
        frames=work.info.frames,
        objects=max(1, len(work.session.state.objects)) if objects is None else objects,
        params=check_params(spec_of(job, choice), choice.params),
    )


def _deliver(work: Work, megapixels: float) -> float:
    """Return the seconds of a frame in all formats."""
    if not work.formats:
        return 0.0
    rows = [FORMATS[name] for name in work.formats]
    shared = READ + (COLOURS if any(row.foreground for row in rows) else 0)
    deep = work.info.bit_depth > 8
    return shared * megapixels + sum(row.cost(deep).seconds * megapixels for row in rows)
