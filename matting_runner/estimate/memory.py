"""How much memory the worker process takes at its peak, stage by stage: base, the runner's buffers, the engine.

Fitted to peaks measured at 0.2 to 8 megapixels and on 2 to 16 processors: decoders, encoders and the threads that
write JPEGs each keep frames for every processor. `benchmarks/estimate.py` shows how far off it is.
"""

from __future__ import annotations

from itertools import accumulate

from engines.spec import Job
from machine import cpu_count
from matting_runner.estimate.duration import load
from matting_runner.estimate.work import Work
from matting_runner.history import MASK_CHUNK
from matting_runner.marks import spec_of
from matting_runner.progress import Stage
from pipeline.formats import FORMATS

MEGA = 1_000_000
BASE = 95 * MEGA
"""Python and the libraries, before anything is done."""
KEPT = 0.2
"""Share of what a stage took that the process still holds when it is over: pools of threads, gaps in the heap."""
SMALLER = 0.9
"""Exponent of the size: of larger pictures proportionally less is held at a time."""
MOST_THREADS = 16
"""FFmpeg's and x264's limit."""
MOST_WRITERS = 8
"""The limit of the threads that write JPEGs."""
DECODER = (7, 3.1)
"""For each processor: megabytes, and bytes a pixel."""
EXTRACT, WRITERS = (12, 12), 10.0
"""Of the extraction: megabytes and bytes a pixel, and bytes a pixel for each processor, the decoder's and JPEGs'."""
DEEPER = 7.0, 13.0
"""Bytes a pixel more for each processor where the source has more than 8 bits: of the decoder, of the extraction."""
DELIVER, COLOURS = (3, 89), 113
"""Of a delivery: megabytes and bytes a pixel of the frames under way, and those of the foreground's estimate."""
FRAME_CACHE, VIDEO_CACHE = 32 * MEGA, 48 * MEGA
"""Of `pipeline.frames.FrameFolder` and `pipeline.decode.VideoReader`: that, or two frames of 3 bytes a pixel."""
READING = 3.0
"""Bytes a pixel of a frame that is read."""


def stage_memory(work: Work) -> dict[Stage, int]:
    """Return the peak bytes of the process in each stage; the base alone where there is nothing to do."""
    own = {
        Stage.FRAMES: _extract(work) if work.extract else 0,
        Stage.KEYFRAMES: _frames(work, work.prompts) + _engine(work, Job.SEGMENTER) if work.prompts else 0,
        Stage.PROPAGATE: _propagate(work) if work.visits else 0,
        Stage.MATTE: _matte(work) if work.alpha else 0,
        Stage.DELIVER: _deliver(work) if work.formats else 0,
    }
    before = accumulate(own.values(), initial=0)
    return {
        stage: BASE + round(amount + KEPT * past if amount else 0)
        for (stage, amount), past in zip(own.items(), before, strict=False)
    }


def _extract(work: Work) -> int:
    threads = min(MOST_WRITERS, cpu_count())
    per_pixel = EXTRACT[1] + (WRITERS + (DEEPER[1] if _is_deep(work) else 0)) * threads
    return round(EXTRACT[0] * MEGA + per_pixel * _pixels(work))


def _propagate(work: Work) -> int:
    """Add the masks of a chunk, which are kept until it is committed."""
    masks = min(MASK_CHUNK, work.visits.total()) * max(work.visits) * _pixels_exactly(work)
    return _frames(work, work.masks) + masks + _engine(work, Job.PROPAGATOR, max(work.visits))


def _matte(work: Work) -> int:
    cache = max(VIDEO_CACHE, 2 * READING * _pixels_exactly(work))
    return round(cache + _decoder(work) + READING * _pixels(work)) + _engine(work, Job.MATTER)


def _deliver(work: Work) -> int:
    costs = [FORMATS[name].cost(_is_deep(work)) for name in work.formats]
    per_pixel = DELIVER[1] + sum(cost.memory + cost.thread_memory * _threads() for cost in costs)
    per_pixel += COLOURS if any(FORMATS[name].foreground for name in work.formats) else 0
    fixed = DELIVER[0] * MEGA + sum(cost.fixed_memory for cost in costs)
    return round(fixed + _decoder(work) + per_pixel * _pixels(work))


def _frames(work: Work, count: int) -> int:
    """Return the bytes of the frames kept for segmenter and propagator, which look at `count` of them."""
    kept = min(count * READING * _pixels_exactly(work), max(FRAME_CACHE, 2 * READING * _pixels_exactly(work)))
    return round(kept + READING * _pixels(work))


def _decoder(work: Work) -> float:
    return _threads() * (DECODER[0] * MEGA + (DECODER[1] + (DEEPER[0] if _is_deep(work) else 0)) * _pixels(work))


def _engine(work: Work, job: Job, objects: int | None = None) -> int:
    state = work.session.state
    choice = {Job.SEGMENTER: state.segmenter, Job.PROPAGATOR: state.propagator, Job.MATTER: state.matter}[job]
    return spec_of(job, choice).memory(load(work, job, choice, objects))


def _threads() -> int:
    return min(MOST_THREADS, cpu_count())


def _is_deep(work: Work) -> bool:
    return work.info.bit_depth > 8


def _pixels_exactly(work: Work) -> int:
    return work.info.width * work.info.height


def _pixels(work: Work) -> float:
    """Return the pixels as far as buffers grow with them; the same as there are for one megapixel."""
    return float(MEGA * (_pixels_exactly(work) / MEGA) ** SMALLER)
