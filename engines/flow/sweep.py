"""A walk through the gaps of one block in one direction of time; forwards and backwards are the same walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engines.base import FrameSource, Image, Mask, MaskHistory, Propagated
from engines.flow.motion import Motion, MotionEstimator
from engines.flow.reference import Reference
from engines.flow.schedule import Gap
from engines.flow.step import Neighbour, Stepper
from errors import EngineFailedError


@dataclass(frozen=True, eq=False)
class Job:
    """What a propagation was asked for."""

    source: FrameSource
    keyframes: Mapping[int, Mapping[int, Mask]]
    wanted: range
    history: MaskHistory


class Sweep:
    """Objects moving side by side from frame to frame, so that they share decoded frames and flow."""

    def __init__(self, job: Job, stepper: Stepper, heading: int) -> None:
        """Take the job, the method, and +1 to walk forwards in time or -1 to walk backwards."""
        self.job = job
        self.stepper = stepper
        self.heading = heading
        self._estimator = MotionEstimator(stepper.quality.flow_side)
        self._frames: dict[int, Image] = {}

    def run(self, block: list[Gap]) -> Iterator[Propagated]:
        """Yield what the gaps of `block` lack, frame by frame."""
        carriers = [Carrier(self, gap) for gap in block if gap.anchor(self.heading) is not None and self._is_open(gap)]
        indices = {index for carrier in carriers for index in carrier.walk}
        with self._estimator:
            for index in sorted(indices, reverse=self.heading < 0):
                yield from self._visit(index, [carrier for carrier in carriers if index in carrier.walk])

    def _visit(self, index: int, carriers: list[Carrier]) -> Iterator[Propagated]:
        for draft in (True, False):
            fresh = [carrier for carrier in carriers if carrier.draft is draft and carrier.advance(index)]
            if fresh and index in self.job.wanted:
                masks = {carrier.gap.object_id: carrier.mask for carrier in fresh}
                confidence = {carrier.gap.object_id: carrier.confidence for carrier in fresh}
                yield Propagated(index, masks, confidence, draft)

    def frame(self, index: int) -> Image:
        """Return a frame; the latest three are kept."""
        if index not in self._frames:
            self._frames = {i: image for i, image in self._frames.items() if abs(i - index) <= 2}
            self._frames[index] = self.job.source.read(index)
        return self._frames[index]

    def motion(self, there: int, here: int, ahead: int | None) -> Motion:
        """Return the motion from frame `here` to frame `there`, and begin with that from `ahead` to `here`."""
        motion = self._estimator.between(there, self.frame(there), here, self.frame(here))
        if ahead is not None:
            self._estimator.prepare(here, self.frame(here), ahead, self.frame(ahead))
        return motion

    def _is_open(self, gap: Gap) -> bool:
        """Return whether a wanted frame of the gap has no final mask yet."""
        return any(self.job.history.get(index, gap.object_id) is None for index in gap.within(self.job.wanted))


class Carrier:
    """One object in one gap: its mask on the frame visited last. All it knows can be read back from the history."""

    def __init__(self, sweep: Sweep, gap: Gap) -> None:
        """Start at the gap's keyframe."""
        self.gap = gap
        self.draft = gap.is_draft(sweep.heading)
        self.confidence = 1.0
        self._sweep = sweep
        self._job = sweep.job
        anchor = gap.left if sweep.heading > 0 else gap.right
        assert anchor is not None, "only gaps with a keyframe on the side that a sweep comes from are carried"
        self._index = anchor
        self.mask: Mask = sweep.job.keyframes[anchor][gap.object_id]
        self._references: list[Reference] = []
        self.walk = self._plan(anchor)

    def advance(self, index: int) -> bool:
        """Move on to frame `index`; return whether its mask was computed rather than found."""
        found = self._find(index) if index in self._job.wanted else None
        if found is None:
            self._compute(index)
        else:
            self.mask = found
        self._index = index
        return found is None

    def _plan(self, anchor: int) -> range:
        """Return the frames to visit, in order: from the keyframe on to the last wanted one of the gap.

        Frames that lie between a keyframe outside the range and the range are only passed through, and left out where
        the range's first mask has been made before.
        """
        heading = self._sweep.heading
        wanted = range(max(self.gap.first, self._job.wanted.start), min(self.gap.stop, self._job.wanted.stop))[
            ::heading
        ]
        begin = anchor + heading if self._find(wanted[0]) is None else wanted[0]
        return range(begin, wanted[-1] + heading, heading)

    def _find(self, index: int) -> Mask | None:
        return self._job.history.get(index, self.gap.object_id, draft=self.draft)

    def _compute(self, index: int) -> None:
        sweep, gap = self._sweep, self.gap
        if not self._references:
            keys = [key for key in (gap.left, gap.right) if key is not None and not (self.draft and key == gap.left)]
            self._references = [self._reference(key) for key in keys]
        before = sweep.frame(self._index)
        ahead = index + sweep.heading if index + sweep.heading in self.walk else None
        neighbour = Neighbour(before, self.mask, sweep.motion(self._index, index, ahead))
        self.mask, self.confidence = sweep.stepper.step(
            sweep.frame(index), neighbour, self._references, index, self._draft_at(index)
        )

    def _reference(self, key: int) -> Reference:
        mask = self._job.keyframes[key][self.gap.object_id]
        return Reference(self._job.source.read(key), mask, key, self._sweep.stepper.quality)

    def _draft_at(self, index: int) -> Mask | None:
        """Return what the backward sweep made of this frame, where this is a forward sweep that follows one.

        Frames before the range have no draft: they are passed through on the left keyframe's word alone.
        """
        if self.draft or self.gap.left is None or self.gap.right is None or index not in self._job.wanted:
            return None
        draft = self._job.history.get(index, self.gap.object_id, draft=True)
        if draft is None:
            raise EngineFailedError(f"the draft of frame {index} was not kept; start the propagation anew")
        return draft
