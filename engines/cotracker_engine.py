"""CoTracker3 (Karaev et al. 2024) by its authors' own code: query points -> tracks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from config import get_settings
from engines.base import Direction, FrameSource, TrackChunk
from engines.cotracker.checks import check_queries
from engines.cotracker.follow import Follower
from engines.cotracker.groups import Estimate, Points
from engines.cotracker.network import Network
from engines.cotracker.offline import SEEN
from engines.cotracker.plan import Pass, scale_of
from engines.neural.compute import choose
from engines.weights import find

SURE = 0.6
"""Online: visibility times confidence from which a point counts as seen, as in the authors' predictor."""


class CoTracker3Tracker:
    """An `engines.base.PointTracker` whose memory does not grow with the clip.

    The online model goes through a clip in windows of 16 frames, and remembers how a point looks for any time; the
    offline one sees 60 frames at once, which helps where points are hidden for up to that long. Both go on saying where
    a hidden point should be, not visible, with their confidence: that is an estimate, not the place of last sight.

    A chunk's confidence is the network's probability that a point is seen times that of being close to the truth.
    A track passes through its query exactly, with confidence 1.

    Args:
        model: online or offline.
        grid: points per side of a regular grid that are followed beside the queries, to tell how the picture moves.
        device: auto, cuda, mps or cpu; mps computes on the CPU, as Apple's GPUs lack an operation.
        precision: auto, fp32, bf16 or fp16; auto is fp32, as a track is as exact as its numbers.

    Raises:
        EngineUnavailableError: the weights or the device are not there.
    """

    def __init__(self, model: str = "online", grid: int = 6, device: str = "auto", precision: str = "auto") -> None:
        compute = choose(device, "fp32" if precision == "auto" else precision, mps=False)
        self._network = Network(model, find(f"cotracker3-{model}"), get_settings().sdks_path, compute)
        self._grid = grid

    def track(
        self, source: FrameSource, queries: NDArray[np.float32], start: int, stop: int, direction: Direction
    ) -> Iterator[TrackChunk]:
        """Yield the tracks; see `engines.base.PointTracker`.

        Raises:
            PromptError: there are no queries, or some are on no frame of the range or outside the picture.
            EngineUnavailableError: the authors' sources are not there.
            EngineFailedError: the weights are damaged.
            ResourceError: the device is out of memory even with few points.
        """
        if direction is Direction.BOTH:
            raise ValueError("a tracker goes forward or backward; ask twice for both")
        check_queries(queries, source.size, start, stop)
        frames = queries[:, 0].astype(np.int64)
        way = Pass.over(frames, start, stop, direction)
        for first, last in way.blanks():
            yield _blank(queries, first, last)
        device = self._network.compute.device
        scale = scale_of(source.size, self._network.size)
        points = Points(
            torch.tensor(way.places(frames), device=device), torch.tensor(queries[:, 1:] * scale, device=device)
        )
        for place, estimate in Follower(self._network, source, way, self._grid).follow(points):
            yield self._chunk(estimate, place, way, queries, source.size)

    def _chunk(
        self, estimate: Estimate, place: int, way: Pass, queries: NDArray[np.float32], size: tuple[int, int]
    ) -> TrackChunk:
        """Return an estimate in pixels of the clip and in the order of time."""
        xy, visibility, confidence = (
            part.cpu().numpy()[:: way.step] for part in (estimate.xy, estimate.visibility, estimate.confidence)
        )
        sure = visibility * confidence
        first = min(way.frame(place), way.frame(place + len(xy) - 1))
        tracks = xy * scale_of(self._network.size, size)
        # Where a track is its query, it is that to the last bit, for which the scale there and back is not enough.
        index = np.arange(first, first + len(xy))[:, None]
        given = (index - queries[:, 0]) * way.step <= 0
        tracks = np.where(given[..., None], queries[:, 1:], tracks)
        visible = visibility > SEEN if self._network.model == "offline" else sure > SURE
        return TrackChunk(first, tracks.astype(np.float32), np.ascontiguousarray(visible), np.ascontiguousarray(sure))


def _blank(queries: NDArray[np.float32], first: int, last: int) -> TrackChunk:
    """Return a chunk in which no point has begun."""
    shape = (last - first, len(queries))
    tracks = np.broadcast_to(queries[:, 1:], (*shape, 2)).astype(np.float32)
    return TrackChunk(first, tracks, np.zeros(shape, bool), np.zeros(shape, np.float32))
