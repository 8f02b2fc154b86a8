"""What both sides of a contest are given, and what they measure."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import get_settings
from machine import RECIPES
from session_store import SessionStore

Results = Mapping[int, NDArray[np.float32]]
"""Mask or alpha, float32 [H, W] 0..1, by frame."""


@dataclass(frozen=True)
class Task:
    """One contest's folder: clip.mp4, its masks, weights, and what the sides make of them."""

    folder: Path

    @property
    def clip(self) -> Path:
        """Return the video."""
        return self.folder / "clip.mp4"

    @property
    def mask(self) -> Path:
        """Return the mask of frame 0, a PNG of the video's size with nothing between 0 and 255."""
        return self.masks / "00000.png"

    @property
    def masks(self) -> Path:
        """Return the folder of the true masks of all frames, NNNNN.png."""
        return self.folder / "masks"

    @property
    def models(self) -> Path:
        """Return the folder of weights, as SPLAZMATTE_MODELS_DIR has it."""
        return self.folder / "models"

    @property
    def sessions(self) -> SessionStore:
        """Return the store that our side works in."""
        return SessionStore(self.folder / "ours" / "sessions")

    def made_by(self, side: str) -> Path:
        """Return the folder of a side's own files, made where it is missing."""
        path = self.folder / side
        path.mkdir(exist_ok=True)
        return path


class Watch:
    """Seconds by what they went into: each `lap` takes those since the one before.

    Args:
        clock: seconds, monotonic; tests bring their own.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = clock
        self._last = clock()
        self._started = 0.0

    def lap(self, name: str) -> None:
        """Count the time since the last lap as that of `name`."""
        now = self._clock()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now
        if name == "start":
            self._started = time.process_time()

    @property
    def processor_seconds(self) -> float:
        """Return what all threads have computed since the lap of 'start': what says most where others compute too."""
        return time.process_time() - self._started


@dataclass(frozen=True)
class Contestant:
    """An engine and its authors' code for it."""

    name: str
    title: str
    sizes: Mapping[str, tuple[int, int, int]]
    """Width, height and frames on 'cpu', 'cuda' and, on either, 'quick'."""
    prepare: Callable[[Task, str], None]
    """Saves random weights of the real architecture for a kind of device, 'cpu' or 'cuda'."""
    ours: Callable[[Task, Watch], None]
    theirs: Callable[[Task, Watch], None]
    results: Callable[[Task, str], Results]
    """Reads what 'ours', 'theirs' or 'check' has made."""
    tolerance: float
    """Largest difference between the results, 0..1, that comes from the order of sums and from rounding alone."""
    check: Callable[[Task, Watch], None] | None = None
    """The authors' network fed with our very pixels, where their own reading of files gives others; not timed."""
    packages: tuple[str, ...] = ()
    """Import names of what their side needs besides ours."""
    sources: tuple[str, ...] = ()
    """Folders of `sdks/` that their side needs."""
    notes: tuple[str, ...] = field(default=())

    def missing(self) -> str:
        """Return what to install before their side can run; empty where nothing is missing."""
        absent = [name for name in self.sources if not (get_settings().sdks_path / name).is_dir()]
        if absent:
            return f"needs the authors' sources in sdks/{absent[0]}; run: {RECIPES} setup"
        lacking = [name for name in self.packages if not _is_there(name)]
        return f"needs packages: pip install {' '.join(PIP.get(name, name) for name in lacking)}" if lacking else ""

    def use_sources(self) -> None:
        """Let their sources be imported, ahead of packages of the same name."""
        for name in self.sources:
            sys.path.insert(0, str(get_settings().sdks_path / name))


PIP = {"hydra": "hydra-core", "imageio_ffmpeg": "imageio-ffmpeg"}


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
