"""All runs of all objects over a range of frames, joined to one alpha, in order, in memory that stays the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from engines.base import Alpha, FrameSource, GuideSource, Mask
from engines.matanyone.authors import Network
from engines.matanyone.frames import Frame, Frames, working_size
from engines.matanyone.plan import Leg, plan_legs
from engines.matanyone.run import Features, Run, prepare_mask
from engines.matanyone.spill import Spill
from engines.matanyone.upsample import upsample


@dataclass(frozen=True)
class Choices:
    """What the user chose."""

    warmup: int
    erode: int
    dilate: int


@dataclass(frozen=True)
class Past:
    """A run back in time that is done: its alphas, until the forward run has used the last of them."""

    leg: Leg
    spill: Spill


class Keys:
    """The keyframes of all objects, read when they are needed."""

    def __init__(self, guides: GuideSource) -> None:
        self._guides = guides
        self._there: dict[tuple[int, int], bool] = {}

    def legs(self, start: int, stop: int) -> list[Leg]:
        """Return the runs of all objects that make the frames `start` .. `stop`."""
        legs: list[Leg] = []
        for item in sorted(self._guides.objects()):
            legs += plan_legs(item, self._guides.keyframes(item), start, stop, partial(self._is_there, item))
        return legs

    def mask(self, leg: Leg) -> Mask:
        """Return the mask that a run begins with, as it was drawn."""
        return self._guides.keyframe(leg.object_id, leg.key)

    def _is_there(self, object_id: int, key: int) -> bool:
        known = (object_id, key)
        if known not in self._there:
            self._there[known] = bool((self._guides.keyframe(object_id, key) > 127).any())
        return self._there[known]


class Sweep:
    """One way through a range of a clip at one working size. A context: it holds a thread and files.

    Args:
        network: what computes.
        source: the clip.
        keys: the keyframes.
        short: short side in pixels that the network works at; 0 is the clip's.
        choices: what the user chose.
    """

    def __init__(self, network: Network, source: FrameSource, keys: Keys, short: int, choices: Choices) -> None:
        self._network, self._source, self._keys, self._choices = network, source, keys, choices
        self._size = working_size(source.size, short)
        self._stack = ExitStack()
        self._frames = Frames(source, self._size, network.compute)
        self._stack.callback(self._frames.close)
        self._features: Any = None
        self._pasts: list[Past] = []

    def __enter__(self) -> Sweep:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread, remove the files."""
        self._stack.close()
        for past in self._pasts:
            past.spill.close()

    def alphas(self, start: int, stop: int) -> Iterator[tuple[int, Alpha]]:
        """Yield (frame index, alpha float32 [H, W] 0..1) for every frame of `start` .. `stop`, in order.

        Forward runs begin at their keyframes, which may lie before `start`. A run back in time is made in one go, into
        a file, when the first of its frames is due.
        """
        legs = self._keys.legs(start, stop)
        waiting = [leg for leg in legs if not leg.is_reverse]
        backward = [leg for leg in legs if leg.is_reverse]
        live: list[tuple[Leg, Run]] = []
        for index in range(min([start, *(leg.key for leg in waiting)]), stop):
            if index >= start and (due := [leg for leg in backward if index in leg.frames]):
                backward = [leg for leg in backward if leg not in due]
                self._go_back(due)
            live = [(leg, run) for leg, run in live if index < leg.frames.stop]
            live += [(leg, self._begin(leg)) for leg in waiting if leg.key == index]
            frame = self._frames.read(index, stop - 1) if live or index >= start else None
            made = {leg: run.step(frame) for leg, run in live} if frame else {}
            if frame and index >= start:
                yield index, self._finish(frame, self._objects(index, made))

    def _begin(self, leg: Leg) -> Run:
        if self._features is None:
            self._features = Features(self._network.load())
        mask = prepare_mask(self._keys.mask(leg), self._choices.dilate, self._choices.erode)
        return Run(self._network, self._features, mask, self._choices.warmup)

    def _go_back(self, legs: Sequence[Leg]) -> None:
        """Make the alphas of runs back in time, side by side, so that each picture is encoded once."""
        pasts = [Past(leg, Spill()) for leg in legs]
        self._pasts += pasts
        runs: dict[Leg, Run] = {}
        last = min(leg.frames.start for leg in legs)
        for index in range(max(leg.key for leg in legs), last - 1, -1):
            runs |= {leg: self._begin(leg) for leg in legs if leg.key == index}
            if active := [past for past in pasts if past.leg.frames.start <= index <= past.leg.key]:
                frame = self._frames.read(index, last)
                for past in active:
                    alpha = runs[past.leg].step(frame)
                    if index in past.leg.frames:
                        past.spill.write(index, alpha)

    def _objects(self, index: int, made: dict[Leg, Alpha]) -> list[Alpha]:
        """Return each object's alpha on a frame, from the one or two runs that pull at it."""
        result: dict[int, Alpha] = {}
        for past in [past for past in self._pasts if index in past.leg.frames]:
            result[past.leg.object_id] = past.spill.read(index)
            if index == past.leg.frames[-1]:
                past.spill.close()
                self._pasts.remove(past)
        for leg, alpha in made.items():
            other = result.get(leg.object_id)
            weight = np.float32(leg.weight(index))
            result[leg.object_id] = alpha if other is None else alpha * weight + other * (1 - weight)
        return [result[key] for key in sorted(result)]

    def _finish(self, frame: Frame, alphas: Sequence[Alpha]) -> Alpha:
        """Return the alpha of all objects together, at full size."""
        width, height = self._source.size
        if not alphas:
            return np.zeros((height, width), np.float32)
        joined = alphas[0] if len(alphas) == 1 else 1 - np.prod([1 - alpha for alpha in alphas], axis=0)
        return upsample(np.clip(joined, 0, 1).astype(np.float32, copy=False), frame.rgb)
