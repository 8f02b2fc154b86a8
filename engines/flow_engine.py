"""The built-in propagator: optical flow carries the masks; appearance, motion and edges correct them.

Frame by frame, inside a window around the object:

1. DIS optical flow carries the previous mask (`flow.motion`, `flow.view`).
2. The keyframes' colours, texture classifier and colours by place, the previous frame's background and motion unlike
   the camera's give log-odds per pixel (`flow.appearance`, `flow.texture`, `flow.parallax`). What teaches about the
   object is only ever a keyframe, so that the models cannot drift with the masks.
3. A graph cut along the picture's edges decides the band around the carried contour (`flow.cut`).

Between two keyframes a backward sweep leaves drafts, and the forward sweep blends each with what it carries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engines.base import Direction, FrameSource, Mask, MaskHistory, Propagated
from engines.flow.quality import PRESETS
from engines.flow.schedule import find_gaps, group_blocks
from engines.flow.step import Stepper
from engines.flow.sweep import Job, Sweep


class FlowPropagator:
    """Keyframe masks carried through a clip; no weights, any CPU. An `engines.base.MaskPropagator`."""

    def __init__(self, quality: str = "best") -> None:
        """Choose a preset: 'best', or 'fast' for previews."""
        self._stepper = Stepper(PRESETS[quality])

    def propagate(
        self,
        source: FrameSource,
        keyframes: Mapping[int, Mapping[int, Mask]],
        start: int,
        stop: int,
        direction: Direction,
        history: MaskHistory,
    ) -> Iterator[Propagated]:
        """Yield masks for the frames of `start` .. `stop` that are not keyframes; see `engines.base.MaskPropagator`.

        Blocks of overlapping gaps between keyframes come in order of time, each swept backwards and then forwards. One
        frame may come in several parts: drafts apart from final masks, and objects apart that differ in that.

        Raises:
            EngineFailedError: a draft that was yielded is missing from the history.
        """
        job = Job(source, keyframes, range(start, stop), history)
        for block in group_blocks(find_gaps(keyframes, start, stop, direction)):
            for heading in (-1, 1):
                yield from Sweep(job, self._stepper, heading).run(block)
