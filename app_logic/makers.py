"""Which engine made what a frame shows: read from the marks of what was computed, whatever is chosen now."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from engines.spec import Job
from runner_base.makers import read_mark, read_named_mark
from session_store import Keyframe, MattingState, SessionObject

Makers = list[tuple[int, int, str, str]]
"""(start, stop, title, model) in order, half-open; where it is not known there is a gap."""
BY_HAND = "by hand"
"""Title where a user painted or imported a mask."""


@lru_cache(256)
def maker(job: Job, mark: str) -> tuple[str, str]:
    """Return the title and the model of the engine that a mark begins with; two empty texts where it names none.

    Args:
        job: of the engine.
        mark: see runner_base.makers.
    """
    made = read_mark(job, mark)
    if made is None:
        return "", ""
    return (made.spec.title if made.spec else made.name), made.model


def mask_makers(item: SessionObject, frames: int) -> Makers:
    """Return what made each mask of an object that a page shows."""
    keys = [key for key in sorted(item.keyframes) if key < frames]
    found = [(key, key + 1, *_keyframe_maker(item.keyframes[key])) for key in keys]
    for start, stop in pairwise([-1, *keys, frames]):
        for span in item.propagated.spans:
            first, last = max(start + 1, span.start), min(stop, span.stop)
            if first < last:
                found.append((first, last, *maker(Job.PROPAGATOR, span.mark)))
    return _joined(found)


def alpha_makers(state: MattingState, frames: int) -> Makers:
    """Return what made the alpha of each frame that has one."""
    spans = state.alpha.spans
    return _joined((span.start, min(span.stop, frames), *maker(Job.MATTER, span.mark)) for span in spans)


def _keyframe_maker(keyframe: Keyframe) -> tuple[str, str]:
    made = read_named_mark(keyframe.engine)
    if made is not None:
        return maker(made.job, keyframe.engine.partition(" ")[2])
    return (BY_HAND, "") if keyframe.origin == "mask" else ("", "")


def _joined(found: Iterable[tuple[int, int, str, str]]) -> Makers:
    """Return the entries in order, those that follow each other with the same maker as one, without unknown ones."""
    result: Makers = []
    for start, stop, title, model in sorted(entry for entry in found if entry[0] < entry[1] and entry[2]):
        if result and result[-1][1] == start and result[-1][2:] == (title, model):
            result[-1] = (result[-1][0], stop, title, model)
        else:
            result.append((start, stop, title, model))
    return result
