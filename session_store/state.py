"""The data of a matting session: prompts, objects, choices, what was computed from what. Plain pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from session_base import Delivered, EngineChoice, Mergeable, RunRecord
from session_store.provenance import Provenance


class PointPrompt(BaseModel):
    """A click, in pixels; see engines.base.Point."""

    x: float
    y: float
    positive: bool = True


class BoxPrompt(BaseModel):
    """A box, in pixels; see engines.base.Box."""

    x0: float
    y0: float
    x1: float
    y1: float


class StrokePrompt(BaseModel):
    """A brush stroke, in pixels; see engines.base.Stroke."""

    points: list[tuple[float, float]]
    radius: float
    positive: bool = True


class FramePrompts(BaseModel):
    """The prompts of one object on one frame."""

    points: list[PointPrompt] = []
    box: BoxPrompt | None = None
    strokes: list[StrokePrompt] = []
    text: str = ""
    base: str = ""
    """Digest of a rough mask in masks/<object id>/bases/ that the other prompts refine; empty if there is none."""

    def is_empty(self) -> bool:
        """Tell whether there is no prompt at all; a rough mask alone is none."""
        return not (self.points or self.box or self.strokes or self.text)

    def key(self) -> str:
        """Return the prompts as text; fields that older versions lacked are in it only where they say something."""
        unset = {name for name in ("text", "base") if not getattr(self, name)}
        return self.model_dump_json(exclude=unset)


class MaskOperations(BaseModel):
    """What is done to an object's masks where they are shown and matted; the masks on the disk stay as they are."""

    fill_holes: bool = False
    remove_specks: int = Field(0, ge=0, le=1_000_000)
    """Parts of fewer pixels go."""
    smooth: float = Field(0, ge=0, le=200)
    """Pixels; see pipeline.masks for each."""
    grow: float = Field(0, ge=-200, le=200)
    feather: float = Field(0, ge=0, le=200)

    def is_default(self) -> bool:
        """Tell whether nothing is done."""
        return self == MaskOperations()


class Keyframe(BaseModel):
    """A mask that the user drew, imported or confirmed; its pixels are in masks/<object id>/keyframes/."""

    origin: Literal["mask", "prompts"]
    digest: str
    """SHA-256 of the PNG, shortened: masks made from this one name it."""
    made_by: str = ""
    """The segmenter's mark, for a mask that prompts made."""
    score: float | None = None
    engine: str = ""
    """Job and mark of the engine that the mask came from, for people to see; empty where it was painted or imported."""


class SessionObject(BaseModel):
    """Something to cut out."""

    id: int
    name: str
    colour: str
    prompts: dict[int, FramePrompts] = {}
    keyframes: dict[int, Keyframe] = {}
    propagated: Provenance = Provenance()
    drafts: Provenance = Provenance()
    confidence: dict[int, float] = {}
    """How sure the propagator was, 0 .. 1, by frame."""
    operations: MaskOperations = MaskOperations()
    visible: bool = True
    """Shown; what is hidden still belongs to the matte."""
    opacity: float = Field(0.5, ge=0, le=1)
    """Of the overlay."""

    def neighbours(self, index: int) -> tuple[int | None, int | None]:
        """Return the nearest keyframes at or before, and at or after, frame `index`."""
        before = max((key for key in self.keyframes if key <= index), default=None)
        after = min((key for key in self.keyframes if key >= index), default=None)
        return before, after

    def mask_mark(self, index: int, engine: str, direction: str) -> str | None:
        """Return what the mask of frame `index` has to be made from now; None where there is no mask to be made.

        Args:
            index: the frame.
            engine: the propagator's mark: name, version and parameters.
            direction: forward, backward or both.
        """
        before, after = self.neighbours(index)
        if before == index:
            return f"key {self.keyframes[index].digest}"
        if direction == "forward":
            after = None
        if direction == "backward":
            before = None
        if before is None and after is None:
            return None
        keys = [f"{key}:{self.keyframes[key].digest}" if key is not None else "-" for key in (before, after)]
        return f"{engine} {direction} {' '.join(keys)}"


class MattingState(Mergeable):
    """Everything about a session that is not pixels."""

    by_id = frozenset({"objects"})
    by_key = frozenset({"prompts", "keyframes", "confidence", "delivered"})

    objects: list[SessionObject] = Field(default_factory=list)
    segmenter: EngineChoice = EngineChoice(name="grabcut")
    propagator: EngineChoice = EngineChoice(name="flow")
    matter: EngineChoice = EngineChoice(name="guided")
    direction: Literal["forward", "backward", "both"] = "both"
    range: tuple[int, int] | None = None
    formats: list[str] = Field(default_factory=lambda: ["alpha", "foreground"])
    premultiplied: bool | None = None
    extracted: int = 0
    """Frames in frames/ that are whole."""
    alpha: Provenance = Provenance()
    delivered: dict[str, Delivered] = Field(default_factory=dict)
    last_run: RunRecord | None = None
