"""Keyframe masks -> masks for a range of frames, by SAM's memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engines.base import Direction, FrameSource, Mask, MaskHistory, Propagated
from engines.sam.family import Network, side_of
from engines.sam.plan import Run, plan_runs
from engines.sam.session import LazyFrames, ObjectSession, to_mask

_Todo = tuple[Run, set[int]]
"""A run, and the frames of it that are asked for."""


@dataclass
class _Live:
    """A run that has begun."""

    run: Run
    session: ObjectSession
    wanted: set[int]

    def goes_on(self, index: int, step: int) -> bool:
        """Tell whether it needs the picture that follows on frame `index`."""
        return len(self.wanted) > (index in self.wanted) and index + step in self.run.frames


@dataclass
class _Clip:
    """What the runs of a job share, so that no picture is encoded twice."""

    frames: LazyFrames
    keys: Mapping[int, Mapping[int, Mask]]
    encoded: Any = None
    known: dict[int, dict[int, Any]] = field(default_factory=dict)
    """By object: the memories of the latest run's keyframes, with one of which the next run begins."""


class SamPropagator:
    """An `engines.base.MaskPropagator`.

    Every run (see `engines.sam.plan`) is a fresh session with the complete set of its keyframes. All objects go through
    a frame before any goes on, so that the picture is encoded once for all. A job that goes on goes through the frames
    of the run again from its keyframe, as the network remembers more than masks.

    Args:
        network: what computes.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def propagate(
        self,
        source: FrameSource,
        keyframes: Mapping[int, Mapping[int, Mask]],
        start: int,
        stop: int,
        direction: Direction,
        history: MaskHistory,
    ) -> Iterator[Propagated]:
        """Yield masks; see `engines.base.MaskPropagator`.

        Raises:
            EngineFailedError: the weights are damaged.
            ResourceError: the device is out of memory.
        """
        keys: dict[int, dict[int, Mask]] = defaultdict(dict)
        for index, masks in keyframes.items():
            for object_id, mask in masks.items():
                keys[object_id][index] = mask
        runs = [run for item in sorted(keys) for run in plan_runs(item, keys[item], start, stop, direction)]
        todo = [(run, wanted) for run in runs if (wanted := _wanted(run, start, stop, history))]
        if not todo:
            return
        with self._network.inference():
            clip = _Clip(LazyFrames(self._network, source, side_of(self._network.video())), keys)
        try:
            for reverse in (True, False):
                chosen = [(run, wanted) for run, wanted in todo if run.is_reverse is reverse]
                if chosen:
                    yield from self._sweep(clip, source.size, chosen, reverse)
        finally:
            clip.frames.close()

    def _sweep(self, clip: _Clip, size: tuple[int, int], todo: list[_Todo], reverse: bool) -> Iterator[Propagated]:
        """Go through the clip once in one direction, with all runs of that direction."""
        first, last = _extent(todo, reverse)
        step = -1 if reverse else 1
        begins: dict[int, list[_Todo]] = defaultdict(list)
        for run, wanted in todo:
            begins[run.frames[0]].append((run, wanted))
        live: list[_Live] = []
        for index in range(first, last + step, step):
            live = [entry for entry in live if entry.wanted]
            live += [self._begin(clip, run, wanted) for run, wanted in begins.get(index, ())]
            if not live:
                continue
            if index + step in begins or any(entry.goes_on(index, step) for entry in live):
                clip.frames.expect(index + step)
            result = self._step(live, index, reverse, size)
            if result.masks:
                yield result

    def _begin(self, clip: _Clip, run: Run, wanted: set[int]) -> _Live:
        keys = {index: clip.keys[run.object_id][index] for index in run.keys}
        with self._network.inference():
            known = clip.known.get(run.object_id)
            session = ObjectSession(self._network, clip.frames, keys, clip.encoded, known)
        clip.encoded, clip.known[run.object_id] = session.encoded, session.known
        return _Live(run, session, set(wanted))

    def _step(self, live: list[_Live], index: int, reverse: bool, size: tuple[int, int]) -> Propagated:
        """Go to frame `index` with every object whose run is not at its end."""
        masks, confidence = {}, {}
        with self._network.inference():
            for entry in live:
                logits, there = entry.session.step(index, reverse=reverse)
                if index in entry.wanted:
                    entry.wanted.discard(index)
                    mask, certainty = to_mask(logits, size)
                    masks[entry.run.object_id] = mask
                    confidence[entry.run.object_id] = _confidence(there, certainty)
        return Propagated(index, masks, confidence)


def _confidence(there: float, certainty: float) -> float:
    """Return how sure the network is of the mask: that the object is there, and where; or that it is not."""
    present = 1 / (1 + math.exp(-max(-50.0, min(50.0, there))))
    return present * certainty if certainty else 1 - present


def _wanted(run: Run, start: int, stop: int, history: MaskHistory) -> set[int]:
    """Return the frames of `run` that are asked for and were not yielded before."""
    inside = (index for index in run.frames if start <= index < stop)
    return {index for index in inside if history.get(index, run.object_id) is None}


def _extent(todo: list[_Todo], reverse: bool) -> tuple[int, int]:
    """Return the first and the last frame of a sweep, in its order."""
    starts, ends = [run.frames[0] for run, _ in todo], [i for _, wanted in todo for i in wanted]
    return (max(starts), min(ends)) if reverse else (min(starts), max(ends))
