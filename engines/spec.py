"""What the registry says about an engine: plain data, importable without numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Job(StrEnum):
    """The four engine jobs, named as on the command line."""

    SEGMENTER = "segmenter"
    PROPAGATOR = "propagator"
    MATTER = "matter"
    TRACKER = "tracker"


class PromptKind(StrEnum):
    """The kinds of prompt that a segmenter can take."""

    POINTS = "points"
    BOX = "box"
    STROKES = "strokes"
    MASK = "mask"
    TEXT = "text"


@dataclass(frozen=True)
class Param:
    """One parameter of an engine; its type is the type of its default."""

    name: str
    default: int | float | bool | str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Licence:
    """The licence an engine's code or weights come under."""

    name: str
    commercial: bool


@dataclass(frozen=True)
class Load:
    """What a memory model is asked about."""

    width: int
    height: int
    frames: int
    objects: int = 1


@dataclass(frozen=True)
class EngineSpec:
    """One row of the table of engines."""

    name: str
    job: Job
    target: str
    """'module:Class', imported on first use."""
    title: str
    help: str
    version: int
    """Raised when the engine's results change, so that older results count as stale."""
    licence: Licence
    memory: Callable[[Load], int]
    """Peak bytes beyond the process's base for a clip of this size."""
    params: tuple[Param, ...] = ()
    prompts: frozenset[PromptKind] = frozenset()
    needs_every_mask: bool = False
    """Matters only: every frame needs a guide mask, not just the first."""
    context: int = 0
    """Matters only: how many frames to either side a frame's alpha depends on."""
    packages: tuple[str, ...] = ()
    """Import names of packages outside the light base."""
    weights: tuple[str, ...] = ()
    """Names in the table of weights."""
