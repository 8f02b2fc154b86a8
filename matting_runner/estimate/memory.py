"""How much memory the worker process takes at its peak, stage by stage: base, the runner's buffers, the engine.

What runs of all kinds share is in `runner_base.costs`. `benchmarks/estimate.py` shows how far off it is.
"""

from __future__ import annotations

from engines.spec import Job
from matting_runner.estimate.duration import load
from matting_runner.estimate.work import Work
from matting_runner.history import MASK_CHUNK
from matting_runner.marks import spec_of
from matting_runner.progress import Stage
from pipeline.formats import FORMATS
from runner_base.costs import (
    DELIVERING,
    MEGA,
    READING,
    decoder_memory,
    extract_memory,
    held_pixels,
    is_deep,
    pixels,
    source_memory,
    threads,
    with_past,
)

COLOURS = 113
"""Bytes a pixel of the foreground's estimate."""
FRAME_CACHE = 32 * MEGA
"""Of `pipeline.frames.FrameFolder`: that, or two frames of 3 bytes a pixel."""


def stage_memory(work: Work) -> dict[Stage, int]:
    """Return the peak bytes of the process in each stage; the base alone where there is nothing to do."""
    own = {
        Stage.FRAMES: extract_memory(work.info) if work.extract else 0,
        Stage.KEYFRAMES: _frames(work, work.prompts) + _engine(work, Job.SEGMENTER) if work.prompts else 0,
        Stage.PROPAGATE: _propagate(work) if work.visits else 0,
        Stage.MATTE: _matte(work) if work.alpha else 0,
        Stage.DELIVER: _deliver(work) if work.formats else 0,
    }
    return with_past(own)


def _propagate(work: Work) -> int:
    """Add the masks of a chunk, which are kept until it is committed."""
    masks = min(MASK_CHUNK, work.visits.total()) * max(work.visits) * pixels(work.info)
    return _frames(work, work.masks) + masks + _engine(work, Job.PROPAGATOR, max(work.visits))


def _matte(work: Work) -> int:
    return source_memory(work.info) + _engine(work, Job.MATTER)


def _deliver(work: Work) -> int:
    costs = [FORMATS[name].cost(is_deep(work.info)) for name in work.formats]
    per_pixel = DELIVERING[1] + sum(cost.memory + cost.thread_memory * threads() for cost in costs)
    per_pixel += COLOURS if any(FORMATS[name].foreground for name in work.formats) else 0
    fixed = DELIVERING[0] * MEGA + sum(cost.fixed_memory for cost in costs)
    return round(fixed + decoder_memory(work.info) + per_pixel * held_pixels(work.info))


def _frames(work: Work, count: int) -> int:
    """Return the bytes of the frames kept for segmenter and propagator, which look at `count` of them."""
    kept = min(count * READING * pixels(work.info), max(FRAME_CACHE, 2 * READING * pixels(work.info)))
    return round(kept + READING * held_pixels(work.info))


def _engine(work: Work, job: Job, objects: int | None = None) -> int:
    state = work.session.state
    choice = {Job.SEGMENTER: state.segmenter, Job.PROPAGATOR: state.propagator, Job.MATTER: state.matter}[job]
    return spec_of(job, choice).memory(load(work, job, choice, objects))
