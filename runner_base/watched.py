"""A clip whose every reading is a sign of life of the run, and a place where it can be stopped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.read_ahead import Source
from runner_base.progress import Reporter


class Watched:
    """An engines.base.FrameSource over another one.

    Some engines read long before they yield: MatAnyone's run back from a keyframe, SAM on its way to where a job was
    cut off. Without this the queue would take them for hanging, and a cancel would have to wait for them.

    Args:
        source: the clip.
        reporter: asked at each reading whether to stop.
    """

    def __init__(self, source: Source, reporter: Reporter) -> None:
        self._source, self._reporter = source, reporter

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._source)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return self._source.size

    def read(self, index: int) -> NDArray[np.uint8]:
        """Return a frame, RGB uint8 [H, W, 3].

        Raises:
            Cancelled: the user wants to stop.
        """
        self._reporter.alive()
        return self._source.read(index)
