"""Work only where there is something to do: a coarse grid for what is smooth, tiles at full size for the rest.

A grid that is coarser by a whole factor has its cell (i, j) over the pixels from (i, j) * factor on; what is left over
at the right and lower border belongs to the last cells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Slices = tuple[slice, slice]
Item = TypeVar("Item")
Answer = TypeVar("Answer")


def shrink(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return the mean over each cell of a grid coarser by `factor`."""
    height, width = (max(1, n // factor) for n in image.shape[:2])
    whole = image[: height * factor, : width * factor]
    result: NDArray[Any] = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return result


def enlarge(coarse: Floats, factor: int, area: Slices) -> Floats:
    """Return `area` (in pixels) of a coarse image of at most 4 channels at full size, bilinear."""
    (top, bottom), (left, right) = ((s.start, s.stop) for s in area)
    across, down = ((start + 0.5) / factor - 0.5 for start in (left, top))
    matrix = np.array([[1 / factor, 0, across], [0, 1 / factor, down]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    result: Floats = cv2.warpAffine(
        coarse, matrix, (right - left, bottom - top), flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    return result


@dataclass(frozen=True)
class Run:
    """A row of neighbouring tiles: without a margin, with one, and the former within the latter."""

    inner: Slices
    outer: Slices
    cut: Slices


def side_by_side(job: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """Return job(item) of every item in order, computed on all cores: OpenCV lets other threads run while it works."""
    return list(_pool(os.getpid()).map(job, items))


@cache
def _pool(_process: int) -> ThreadPoolExecutor:
    """Return a process's own pool: threads do not survive a fork."""
    return ThreadPoolExecutor(os.cpu_count())


def runs(active: NDArray[np.bool_], factor: int, shape: tuple[int, ...], tile: int, halo: int) -> Iterator[Run]:
    """Yield runs of tiles that cover the active cells of a coarse grid.

    Args:
        active: bool, the coarse grid.
        factor: pixels per cell.
        shape: of the full image, height first.
        tile: about the side of a tile in pixels.
        halo: width of the margin in pixels.
    """
    cells = max(1, round(tile / factor))
    rows, columns = np.nonzero(active)
    grid = np.zeros((-(-active.shape[0] // cells), -(-active.shape[1] // cells)), np.int8)
    grid[rows // cells, columns // cells] = 1
    side = cells * factor
    for row, line in enumerate(grid):
        ends = np.flatnonzero(np.diff(line, prepend=0, append=0))
        for first, last in zip(ends[::2], ends[1::2], strict=True):
            vertical = _span(row, row + 1, side, len(grid), shape[0])
            horizontal = _span(int(first), int(last), side, len(line), shape[1])
            yield _run((vertical, horizontal), shape, halo)


def _span(first: int, last: int, side: int, count: int, length: int) -> slice:
    return slice(first * side, length if last == count else last * side)


def _run(inner: Slices, shape: tuple[int, ...], halo: int) -> Run:
    outer = [slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(inner, shape, strict=False)]
    cut = [slice(s.start - o.start, s.stop - o.start) for s, o in zip(inner, outer, strict=True)]
    return Run(inner, (outer[0], outer[1]), (cut[0], cut[1]))
