"""Points through all windows of a pass, in groups that fit the device's memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import torch

from engines.base import FrameSource
from engines.cotracker import offline, online
from engines.cotracker.frames import Features
from engines.cotracker.groups import Estimate, Group, Points
from engines.cotracker.network import WINDOWS, Network
from engines.cotracker.plan import Pass, Window, plan_groups, plan_windows
from engines.neural.compute import free_memory
from engines.notice import alive, notice
from errors import ResourceError

MOST = 1024
"""Points that go together. They attend to each other, so that smaller groups change results a little; and memory grows
with them, see `engines.cotracker.costs`."""
FEWEST = 16
"""Points that are not divided any further when memory does not suffice."""
REMEDY = "track fewer points at a time, or choose model=online or device=cpu"
KINDS: dict[str, Any] = {"online": online.OnlineGroup, "offline": offline.OfflineGroup}
OVERLAPS = {"online": online.OVERLAP, "offline": offline.OVERLAP}


class Follower:
    """Follows points through a pass.

    Args:
        network: what computes.
        source: the clip.
        way: the pass through it.
        grid: support points per side.
    """

    def __init__(self, network: Network, source: FrameSource, way: Pass, grid: int) -> None:
        self._network, self._source, self._way, self._grid = network, source, way, grid
        self._most = MOST

    def follow(self, points: Points) -> Iterator[tuple[int, Estimate]]:
        """Yield (place in the pass, estimate from there on), one after the other, for every frame of the pass.

        Raises:
            ResourceError: the device is out of memory even with few points.
        """
        model, inference = self._network.model, self._network.compute.inference
        with inference():
            support = self._network.grid(self._grid)
            groups: list[Group] = [
                KINDS[model](points.take(torch.as_tensor(index)), support)
                for index in plan_groups(len(points), self._most)
            ]
        with Features(self._network, self._source, self._way, WINDOWS[model]) as frames:
            for window in plan_windows(len(self._way), WINDOWS[model], OVERLAPS[model]):
                with inference(REMEDY):
                    features = frames.window(window)
                done = [pair for group in groups for pair in self._step(group, window, features)]
                groups = [group for group, _ in done]
                yield window.start, _side_by_side([estimate for _, estimate in done])

    def _step(self, group: Group, window: Window, features: Any) -> list[tuple[Group, Estimate]]:
        """Take a group through a window, in halves where memory does not suffice for all of it."""
        alive()
        if len(group) <= self._most:
            try:
                with self._network.compute.inference(REMEDY):
                    return [(group, group.step(self._network.load(), window, features))]
            except ResourceError:
                if len(group) <= FEWEST:
                    raise
            self._divide(group, window)
        with self._network.compute.inference():
            halves = group.halves()
        return [pair for half in halves for pair in self._step(half, window, features)]

    def _divide(self, group: Group, window: Window) -> None:
        # Only here is nothing left that holds the tensors of the attempt.
        gc.collect()
        free_memory()
        self._most = -(-len(group) // 2)
        notice(
            f"cotracker3: out of memory; from frame {self._way.frame(window.start)} on points are followed in groups "
            f"of {self._most}, which know nothing of each other"
        )


def _side_by_side(estimates: list[Estimate]) -> Estimate:
    if len(estimates) == 1:
        return estimates[0]
    parts = zip(*((each.xy, each.visibility, each.confidence) for each in estimates), strict=True)
    with torch.inference_mode():
        return Estimate(*(torch.cat(part, dim=1) for part in parts))
