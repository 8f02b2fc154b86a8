"""The data of a tracking session: points, choices, what was computed from what. Plain pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from session_base import Delivered, EngineChoice, Mergeable, RunRecord


class TrackPoint(BaseModel):
    """A point to follow."""

    id: int
    name: str
    colour: str
    group: str = ""
    origin: Literal["manual", "grid", "mask"] = "manual"
    keys: dict[int, tuple[float, float]] = {}
    """{frame: (x, y) in pixels}: where the user says it is. The first makes the track, further ones correct it."""
    hidden: bool = False
    """Left out of pictures and exports."""
    cuts: list[tuple[int, int]] = []
    """Frames, half-open, on which the track does not count, whatever the engine says."""

    def neighbours(self, index: int) -> tuple[int | None, int | None]:
        """Return the nearest keys at or before, and at or after, frame `index`."""
        before = max((key for key in self.keys if key <= index), default=None)
        after = min((key for key in self.keys if key >= index), default=None)
        return before, after


class Refinement(BaseModel):
    """What is done to the tracks where they are shown and exported; the raw result stays as it is."""

    smooth: float = Field(0, ge=0, le=100)
    """Frames: the width of a smoothing without lag."""
    reject: float = Field(0, ge=0, le=1000)
    """Pixels that a point may be off its neighbours' motion; 0 rejects nothing."""
    fill: int = Field(0, ge=0, le=10_000)
    """Longest gap in frames that is filled."""


class MotionChoice(BaseModel):
    """A motion to solve from points, for the picture and for exports."""

    id: int
    kind: Literal["steady", "similarity", "corner-pin"]
    name: str
    points: list[int] = []
    """Ids of the points it is solved from; empty for all that are not hidden."""
    corners: list[tuple[float, float]] = []
    """Of a corner pin, on the reference frame: top left, top right, bottom right, bottom left; they may lie outside."""
    reference: int | None = None
    """Frame; None for the one with the most visible points."""
    stabilises: bool = False
    """Whether it holds the picture still, instead of following it."""
    smooth: float = Field(0, ge=0, le=1000)
    """Of a stabilisation, frames: 0 locks the picture, more keeps its slow movement."""


class Carry(BaseModel):
    """What a run is to take from a matting session first, once that is there."""

    session_id: str
    """Of the matting session, in the same workspace."""
    count: int = Field(32, ge=1, le=5000)
    """Points on each object's mask."""


class TrackingState(Mergeable):
    """Everything about a tracking session that is not arrays."""

    by_id = frozenset({"points", "motions"})
    by_key = frozenset({"keys", "tracked", "delivered"})

    points: list[TrackPoint] = Field(default_factory=list)
    tracker: EngineChoice = EngineChoice(name="klt")
    segmenter: EngineChoice = EngineChoice(name="grabcut")
    """Of masks that are filled with points."""
    direction: Literal["forward", "both"] = "both"
    range: tuple[int, int] | None = None
    refinement: Refinement = Refinement()
    motions: list[MotionChoice] = Field(default_factory=list)
    formats: list[str] = Field(default_factory=list)
    carry: Carry | None = None
    """None once it is done."""
    extracted: int = 0
    """Frames in frames/ that are whole."""
    columns: list[int] = Field(default_factory=list)
    """Ids of the points by column of the raw arrays."""
    generation: int = 0
    """Of the raw arrays: grows with each that takes the place of others."""
    tracked: dict[int, str] = Field(default_factory=dict)
    """{point id: what its raw track was made from}; see tracking_runner.segments."""
    delivered: dict[str, Delivered] = Field(default_factory=dict)
    last_run: RunRecord | None = None
