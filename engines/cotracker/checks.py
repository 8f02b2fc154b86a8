"""Which queries make no sense for a clip, and what to say about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from errors import PromptError


def check_queries(queries: NDArray[np.float32], size: tuple[int, int], start: int, stop: int) -> None:
    """Refuse queries, float32 [N, 3] of (frame, x, y), that cannot be followed.

    Args:
        queries: of the user.
        size: (width, height) of the clip.
        start: first frame of the range.
        stop: one past its last.

    Raises:
        PromptError: there is none, or one is on no frame of the range, or outside the picture.
    """
    if queries.ndim != 2 or queries.shape[1] != 3 or not len(queries):
        raise PromptError("no points; set at least one point to be tracked")
    width, height = size
    # Written so that nan is outside.
    inside = (queries[:, 1:] >= -0.5).all(axis=1) & (queries[:, 1:] <= np.array([width, height]) - 0.5).all(axis=1)
    timely = (queries[:, 0] >= start) & (queries[:, 0] < stop) & (queries[:, 0] % 1 == 0)
    for frame, x, y in queries[~timely][:1].tolist():
        raise PromptError(f"the point {x:g},{y:g} is on frame {frame:g}; tracked are {start} to {stop - 1}")
    for frame, x, y in queries[~inside][:1].tolist():
        raise PromptError(f"the point {x:g},{y:g} on frame {frame:g} is outside the picture of {width}x{height}")
