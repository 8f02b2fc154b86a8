"""The four engine jobs: protocols and the data that passes through them. Numpy only.

Conventions, for every engine:

- Images are RGB uint8 ``[H, W, 3]``; masks are uint8 ``[H, W]``, 0 (out) .. 255 (in), soft where the engine is unsure.
- Pixel coordinates are floats with (0, 0) at the **centre** of the top-left pixel, x right, y down.
- Frame indices count from 0; ranges are half-open, ``start <= index < stop``.
- An engine is constructed with its parameters as keywords (see `engines.registry`). Every `propagate`, `matte` and
  `track` is stateless: it gets the complete set of prompts, and all it may remember between frames is what it has
  yielded. So a run that was cut off and goes on from `history` gives the same bytes as one that was not.
- Progress, cancel, checkpoints and writing belong to the caller, who may stop iterating at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""RGB, uint8 [H, W, 3]."""
Mask = NDArray[np.uint8]
"""uint8 [H, W], 0 outside .. 255 inside."""
Alpha = NDArray[np.float32]
"""float32 [H, W], 0 transparent .. 1 opaque."""


class Direction(StrEnum):
    """Which way masks or points are carried from the keyframes."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


class FrameSource(Protocol):
    """A clip as an engine sees it: random access to decoded frames, at most a few of them in memory."""

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, after rotation."""
        ...

    def read(self, index: int) -> Image:
        """Return frame `index` as RGB uint8 [H, W, 3]; the caller must not write into it."""
        ...


@dataclass(frozen=True)
class Point:
    """A click: `positive` for 'this belongs to it', otherwise 'this does not'."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle around the object, corners inclusive, x0 <= x1 and y0 <= y1."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Stroke:
    """A brush stroke: a polyline of (x, y) with a radius in pixels, painted (positive) or erased (negative)."""

    points: tuple[tuple[float, float], ...]
    radius: float
    positive: bool = True


@dataclass(frozen=True)
class Prompts:
    """All prompts of one object on one frame, in the order the user gave them within each kind."""

    points: tuple[Point, ...] = ()
    box: Box | None = None
    strokes: tuple[Stroke, ...] = ()
    mask: Mask | None = None
    text: str | None = None


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer of a segmenter: bool [H, W] and a score, 0 (a guess) .. 1 (sure)."""

    mask: NDArray[np.bool_]
    score: float


class ImageSegmenter(Protocol):
    """Prompts on one image -> mask."""

    def set_image(self, rgb: Image) -> None:
        """Take the image that the following predictions are about."""
        ...

    def predict(self, prompts: Prompts) -> list[Candidate]:
        """Return candidates, best first; a pure function of image and prompts.

        Raises:
            PromptError: prompts of a kind that this engine does not take, outside the image, or none at all.
            EngineFailedError: `set_image` was not called.
        """
        ...


@dataclass(frozen=True, eq=False)
class Propagated:
    """One frame of a propagation: mask and confidence (0 lost .. 1 sure) per object id.

    A `draft` is an intermediate that the engine wants back through `MaskHistory` later in the same job (the backward
    pass of a run in both directions, say); the final mask of that frame follows.
    """

    index: int
    masks: Mapping[int, Mask]
    confidence: Mapping[int, float]
    draft: bool = False


class MaskHistory(Protocol):
    """What a propagation has yielded so far, in this run or in the one that it goes on from."""

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        """Return the mask yielded for that frame and object, or None if it has not been."""
        ...


@dataclass(frozen=True, eq=False)
class Instance:
    """One of the things that a text names, on one frame."""

    id: int
    """The same on every frame, from 1."""
    mask: Mask
    score: float
    """That it is what the text says, and that it is there: 0 (a guess) .. 1 (sure)."""


class InstanceFinder(Protocol):
    """A text -> every instance of what it names, through a clip; belongs to a segmenter, see `EngineSpec.finder`."""

    def find(self, source: FrameSource, text: str, start: int, stop: int) -> Iterator[tuple[int, list[Instance]]]:
        """Yield (frame index, instances that are to be seen there) for every frame of `start` .. `stop`, in order.

        Masks of one frame do not overlap, and none is empty. Frames may come late by a bounded number.

        Raises:
            PromptError: the text is empty or too long.
        """
        ...


class MaskPropagator(Protocol):
    """Keyframe masks -> masks for a range of frames."""

    def propagate(
        self,
        source: FrameSource,
        keyframes: Mapping[int, Mapping[int, Mask]],
        start: int,
        stop: int,
        direction: Direction,
        history: MaskHistory,
    ) -> Iterator[Propagated]:
        """Yield masks for the frames of `start` .. `stop` that are not keyframes of the object.

        Args:
            source: the clip.
            keyframes: {frame index: {object id: mask}}; keyframes outside the range count too.
            start: first frame.
            stop: one past the last frame.
            direction: forward leaves frames before an object's first keyframe alone, backward those after its last;
                both fills every frame, and between two keyframes both of them pull.
            history: what was yielded before, by this job; frames found there are not yielded again.

        A mask depends on the nearest keyframe on either side and on nothing beyond them, so that a corrected keyframe
        makes only the frames up to its neighbours stale.
        """
        ...


@dataclass(frozen=True, eq=False)
class Guide:
    """A mask that guides a matter; confidence 1 means drawn or confirmed by the user, lower means tracked."""

    mask: Mask
    confidence: float


class GuideSource(Protocol):
    """Guide masks by frame: of all objects joined, and the keyframes of each."""

    def read(self, index: int) -> Guide:
        """Return the joined guide of frame `index`."""
        ...

    def objects(self) -> list[int]:
        """Return the ids of the objects."""
        ...

    def keyframes(self, object_id: int) -> list[int]:
        """Return the frames on which the user drew or confirmed that object's mask, in order."""
        ...

    def keyframe(self, object_id: int, index: int) -> Mask:
        """Return that object's mask on one of its keyframes."""
        ...


class VideoMatter(Protocol):
    """Guide masks -> alpha. The foreground's colours follow from alpha and source: see `engines.foreground`."""

    def matte(self, source: FrameSource, guides: GuideSource, start: int, stop: int) -> Iterator[tuple[int, Alpha]]:
        """Yield (frame index, alpha float32 [H, W] 0..1) for every frame of `start` .. `stop`, in order.

        What a frame's alpha may depend on is in the engine's row (`needs_every_mask`, `context`), and on nothing else:
        neither on the range that is asked for nor on what was asked before.
        """
        ...


@dataclass(frozen=True, eq=False)
class TrackChunk:
    """Tracks of the frames from `start` on: float32 [T, N, 2] (x, y), bool [T, N], float32 [T, N] 0..1."""

    start: int
    tracks: NDArray[np.float32]
    visible: NDArray[np.bool_]
    confidence: NDArray[np.float32]


class PointTracker(Protocol):
    """Query points -> tracks."""

    def track(
        self, source: FrameSource, queries: NDArray[np.float32], start: int, stop: int, direction: Direction
    ) -> Iterator[TrackChunk]:
        """Yield the tracks of the frames `start` .. `stop`, in chunks where the engine streams.

        Args:
            source: the clip.
            queries: float32 [N, 3] as (frame, x, y), the frame within the range; at least one.
            start: first frame.
            stop: one past the last.
            direction: forward follows each point from its query to the end of the range, chunks in the order of time;
                backward from its query to the beginning, the last chunk of the clip first. Both is the caller's work:
                it asks twice. The frames within a chunk are in the order of time in either case, and the chunks
                together are every frame of the range once.

        On the frames on the other side of its query a point stands at the query's position, not visible, with
        confidence 0: nothing is invented. A point that is lost is not visible; its place is the engine's guess.
        """
        ...
