"""The built-in propagator: optical flow carries the masks, the keyframes' colours and the picture's edges correct them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from engines.base import Direction, FrameSource, Image, Mask, MaskHistory, Propagated
from engines.flow.motion import MotionEstimator
from engines.flow.schedule import Gap, find_gaps, group_blocks
from engines.flow.step import Reference, step
from errors import EngineFailedError


class FlowPropagator:
    """Keyframe masks carried through a clip; no weights, any CPU."""

    def propagate(
        self,
        source: FrameSource,
        keyframes: Mapping[int, Mapping[int, Mask]],
        start: int,
        stop: int,
        direction: Direction,
        history: MaskHistory,
    ) -> Iterator[Propagated]:
        """Yield masks for the frames of `start` .. `stop`; see `engines.base.MaskPropagator`."""
        for block in group_blocks(find_gaps(keyframes, start, stop, direction)):
            for heading in (-1, 1):
                yield from _Sweep(source, keyframes, range(start, stop), history, heading).run(block)


class _Sweep:
    """A walk through the gaps of one block in one direction of time."""

    def __init__(self, source, keyframes, wanted: range, history, heading: int) -> None:
        self._source = source
        self._keyframes = keyframes
        self._wanted = wanted
        self._history = history
        self._heading = heading
        self._motion = MotionEstimator()
        self._frames: dict[int, Image] = {}

    def run(self, block: list[Gap]) -> Iterator[Propagated]:
        carriers = [
            _Carrier(gap, self) for gap in block if gap.anchor(self._heading) is not None and self._is_open(gap)
        ]
        if not carriers:
            return
        first, stop = min(c.gap.first for c in carriers), max(c.gap.stop for c in carriers)
        frames = range(first, stop) if self._heading > 0 else range(stop - 1, first - 1, -1)
        for index in frames:
            yield from self._visit(index, [c for c in carriers if c.gap.first <= index < c.gap.stop])

    def _is_open(self, gap: Gap) -> bool:
        """Return whether any wanted frame of the gap has no final mask yet."""
        frames = range(max(gap.first, self._wanted.start), min(gap.stop, self._wanted.stop))
        return any(self._history.get(index, gap.object_id) is None for index in frames)

    def _visit(self, index: int, carriers) -> Iterator[Propagated]:
        for draft in (True, False):
            masks, confidence = {}, {}
            for carrier in carriers:
                if carrier.draft is draft and carrier.advance(index):
                    masks[carrier.gap.object_id] = carrier.mask
                    confidence[carrier.gap.object_id] = carrier.confidence
            if masks and index in self._wanted:
                yield Propagated(index, masks, confidence, draft)

    def frame(self, index: int) -> Image:
        """Return a frame; the latest two are kept."""
        if index not in self._frames:
            image = self._source.read(index)
            self._frames = {i: f for i, f in self._frames.items() if abs(i - index) <= 1}
            self._frames[index] = image
        return self._frames[index]

    def motion(self, there: int, here: int):
        return self._motion.between(there, self.frame(there), here, self.frame(here))


class _Carrier:
    """One object in one gap: the mask of the frame visited last, and how to get the next."""

    def __init__(self, gap: Gap, sweep: _Sweep) -> None:
        self.gap = gap
        self._sweep = sweep
        self._heading = sweep._heading
        self.draft = gap.is_draft(self._heading)
        anchor = gap.anchor(self._heading)
        self.index = anchor
        self.mask = sweep._keyframes[anchor][gap.object_id]
        self.confidence = 1.0
        self._references: list[Reference] = []
        lead = self._lead_in()
        self._skip_until = None
        if lead is not None and sweep._history.get(lead, gap.object_id, draft=self.draft) is not None:
            self._skip_until = lead

    def _lead_in(self) -> int | None:
        """Return the first wanted frame, if frames that nobody wants lie between it and the keyframe."""
        w = self._sweep._wanted
        edge = max(self.gap.first, w.start) if self._heading > 0 else min(self.gap.stop, w.stop) - 1
        return edge if abs(edge - self.index) > 1 else None

    def advance(self, index: int) -> bool:
        """Move to frame `index`; return whether it was computed rather than found."""
        if self._skip_until is not None and index != self._skip_until:
            return False
        self._skip_until = None
        if index not in self._sweep._wanted and (index - (self._sweep._wanted.start if self._heading < 0 else self._sweep._wanted.stop - 1)) * self._heading > 0:
            return False
        found = self._sweep._history.get(index, self.gap.object_id, draft=self.draft)
        if found is not None and index in self._sweep._wanted:
            self.index, self.mask = index, found
            return False
        draft = None
        weights = [1.0]
        keys = [self.gap.anchor(self._heading)]
        if not self.draft and self.gap.left is not None and self.gap.right is not None:
            draft = self._sweep._history.get(index, self.gap.object_id, draft=True)
            tau = (index - self.gap.left) / (self.gap.right - self.gap.left)
            if draft is not None:
                weights = [1 - tau, tau]
                keys = [self.gap.left, self.gap.right]
        if len(self._references) != len(keys):
            self._references = [
                Reference(self._sweep._source.read(k), self._sweep._keyframes[k][self.gap.object_id], k) for k in keys
            ]
        motion = self._sweep.motion(self.index, index)
        self.mask, self.confidence, _ = step(
            self._sweep.frame(index), self._sweep.frame(self.index), self.mask, motion, self._references, draft, weights
        )
        self.index = index
        return True
