"""What CoTracker3 takes: run as a process of its own that follows points, and prints its peak and its seconds a frame.

python -m tests.cotracker_measure make online FOLDER
python -m tests.cotracker_measure track online FOLDER 1280 720 100 32
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from config import get_settings
from engines.base import Direction, Image
from tests.sam_measure import peak


class Noise:
    """A clip of one picture, as an engines.base.FrameSource that takes no more memory than that."""

    def __init__(self, width: int, height: int, frames: int) -> None:
        self.size = (width, height)
        self._frames = frames
        self._picture: Image = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)

    def __len__(self) -> int:
        return self._frames

    def read(self, index: int) -> Image:
        """Return a picture that is not the one before, at its first pixel."""
        self._picture[0, 0] = index % 256
        return self._picture


def make(model: str, folder: Path) -> None:
    """Save a random network of the published size."""
    from engines.cotracker.network import PACKAGE, SOURCES, build
    from engines.neural.authors import authors_package
    from tests.cotracker_material import save_random_weights

    with authors_package(get_settings().sdks_path, SOURCES, PACKAGE):
        save_random_weights(build(model), folder / f"scaled_{model}.pth")


def track(model: str, folder: Path, film: Noise, count: int) -> dict[str, Any]:
    """Return peak bytes beyond what there was before anything of torch, and the seconds of a frame."""
    before = peak()
    from engines import cotracker_engine

    cotracker_engine.find = lambda name: folder  # type: ignore[attr-defined]
    tracker = cotracker_engine.CoTracker3Tracker(model=model, device="cpu")
    places = np.random.default_rng(1).uniform(0, 1, (count, 2)) * np.array(film.size)
    queries = np.column_stack([np.zeros(count), places]).astype(np.float32)
    begun = time.perf_counter()
    for _ in tracker.track(film, queries, 0, len(film), Direction.FORWARD):
        pass
    return {"bytes": peak() - before, "seconds": round((time.perf_counter() - begun) / len(film), 3)}


if __name__ == "__main__":
    what, model_, folder_, *rest = sys.argv[1:]
    if what == "make":
        make(model_, Path(folder_))
    else:
        across, down, count_, frames_ = map(int, rest)
        print(json.dumps(track(model_, Path(folder_), Noise(across, down, frames_), count_)))
