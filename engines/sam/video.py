"""Keyframe masks -> masks for a range of frames, by SAM's memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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
    wanted: set[int] = field(default_factory=set)


class SamPropagator:
    """An `engines.base.MaskPropagator`.

    Every run (see `engines.sam.plan`) is a fresh session with the complete set of its keyframes. All objects go through
    a frame before any goes on, so that the picture, by far the largest part of the work, is encoded once for all. A job
    that goes on goes through the frames of the run again from its keyframe, as the network remembers more than masks.

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
        for reverse in (True, False):
            chosen = [(run, wanted) for run, wanted in todo if run.is_reverse is reverse]
            yield from self._sweep(source, chosen, keys, reverse)

    def _sweep(
        self,
        source: FrameSource,
        todo: list[_Todo],
        keys: Mapping[int, Mapping[int, Mask]],
        reverse: bool,
    ) -> Iterator[Propagated]:
        """Go through the clip once in one direction, with all runs of that direction."""
        if not todo:
            return
        first, last = _extent(todo, reverse)
        step = -1 if reverse else 1
        begins: dict[int, list[_Todo]] = defaultdict(list)
        for run, wanted in todo:
            begins[run.frames[0]].append((run, wanted))
        with self._network.compute.inference():
            frames = LazyFrames(self._network, source, side_of(self._network.video()))
        live: list[_Live] = []
        try:
            for index in range(first, last + step, step):
                live = [entry for entry in live if entry.wanted]
                for run, wanted in begins.pop(index, ()):
                    live.append(self._begin(frames, live, run, wanted, keys[run.object_id]))
                if live:
                    frames.expect(index + step)
                    result = self._step(live, index, reverse, source.size)
                    if result.masks:
                        yield result
        finally:
            frames.close()

    def _begin(
        self, frames: LazyFrames, live: list[_Live], run: Run, wanted: set[int], keys: Mapping[int, Mask]
    ) -> _Live:
        shared = live[0].session if live else None
        with self._network.compute.inference():
            session = ObjectSession(self._network, frames, shared, {index: keys[index] for index in run.keys})
        return _Live(run, session, set(wanted))

    def _step(self, live: list[_Live], index: int, reverse: bool, size: tuple[int, int]) -> Propagated:
        """Go to frame `index` with every object whose run is not at its end."""
        masks, confidence = {}, {}
        with self._network.compute.inference():
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
