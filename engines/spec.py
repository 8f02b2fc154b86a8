"""What the registry says about an engine: plain data, importable without numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
    lighter: tuple[int | float | bool | str, ...] = ()
    """Values that take less memory or time than the default, in the order in which to propose them."""


@dataclass(frozen=True)
class Licence:
    """The licence an engine's code or weights come under."""

    name: str
    commercial: bool


@dataclass(frozen=True)
class Load:
    """What an engine's models of memory and time are asked about."""

    width: int
    height: int
    frames: int
    objects: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    """As `check_params` returns them; what is missing is at its default."""

    @property
    def pixels(self) -> int:
        """Return the pixels of a frame."""
        return self.width * self.height


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
    """Peak bytes for a clip of this size, beyond the process's base and the runner's own buffers."""
    seconds: Callable[[Load], float]
    """Seconds of one frame, in one pass with all objects of the load, on the machine that the table was measured on."""
    params: tuple[Param, ...] = ()
    prompts: frozenset[PromptKind] = frozenset()
    rank: int = 0
    """Of the engines of a job that can run here, the one of the highest rank is a new session's."""
    wants_gpu: bool = False
    """So slow without a CUDA GPU that there it is a new session's only where the user chooses it."""
    needs_every_mask: bool = False
    """Matters only: alpha is made from the masks of all frames; otherwise from each object's nearest keyframes."""
    context: Callable[[Mapping[str, Any]], int] = lambda params: 0
    """Matters that need every mask only: how many frames to either side a frame's alpha depends on, by parameters."""
    packages: tuple[str, ...] = ()
    """Import names of packages outside the light base."""
    weights: tuple[str, ...] = ()
    """Names in the table of weights, whatever the parameters."""
    models: Mapping[str, str] = field(default_factory=dict)
    """The name in the table of weights for each value of the parameter 'model', the lightest first."""
    finder: str = ""
    """Segmenters only: 'module:Class' of an `engines.base.InstanceFinder` with the same parameters, if it has one."""
    sources: tuple[str, ...] = ()
    """Folders of `sdks/` with the authors' sources that it imports."""

    def weights_for(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names in the table of weights that a run with these parameters needs."""
        if not self.models:
            return self.weights
        default = next(param.default for param in self.params if param.name == "model")
        return (*self.weights, self.models[str(params.get("model", default))])
