"""The online model: windows of 16 frames, each from where the one before left the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from engines.cotracker.groups import Estimate, Group, Points
from engines.cotracker.network import ITERATIONS, prepared
from engines.cotracker.plan import Window

OVERLAP = 8
"""Frames that a window has from the one before."""


@dataclass(frozen=True)
class State:
    """What the network remembers of points and support points, for any length of a clip. N is the third dimension."""

    templates: tuple[Any, ...]
    """By level, [1, 49, N, 128]: how each point's surroundings look at its query; zero until that comes."""
    xy: Any
    """[1, 16, N, 2] on the latest window, at the network's size."""
    visibility: Any
    """[1, 16, N] logits."""
    confidence: Any
    """[1, 16, N] logits."""

    def take(self, index: Any) -> State:
        """Return the state of some of the points."""
        xy, visibility, confidence = (part[:, :, index] for part in (self.xy, self.visibility, self.confidence))
        return State(tuple(level[:, :, index] for level in self.templates), xy, visibility, confidence)


class OnlineGroup:
    """A `Group` of the online model.

    The authors' network keeps the tracks of the whole clip and counts frames from its beginning. Here it is told in
    each window that the clip began with the window before: all it computes is relative to the window.

    Args:
        points: the queries.
        grid: support points [g, 2], queried on the pass's first frame.
        state: after the latest window; None before the first.
    """

    def __init__(self, points: Points, grid: Any, state: State | None = None) -> None:
        self._points, self._grid, self._state = points, grid, state

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self._points)

    def step(self, network: Any, window: Window, features: Any) -> Estimate:
        """Return the window's final frames; see `Group`."""
        before = OVERLAP if self._state else 0
        places = torch.cat([self._points.places, self._points.places.new_zeros(len(self._grid))])
        local = places - window.start + before
        queries = torch.cat([local[:, None].float(), torch.cat([self._points.xy, self._grid])], dim=1)[None]
        try:
            self._recall(network)
            with prepared(network, features) as video:
                tracks, visibility, confidence, _ = network(video, queries, iters=ITERATIONS, is_online=True)
            state = _state_of(network, before)
        finally:
            network.init_video_online_processing()
        self._state = state
        points = slice(0, len(self._points))
        made = Estimate(*(part[0, before:, points].float() for part in (tracks, visibility, confidence)))
        return made[: window.final].pinned(self._points, window.start)

    def halves(self) -> list[Group]:
        """Return the points in two groups; each keeps the support points as they are."""
        count = len(self)
        support = torch.arange(count, count + len(self._grid))
        return [
            OnlineGroup(self._points.take(own), self._grid, self._state and self._state.take(torch.cat([own, support])))
            for own in torch.arange(count).tensor_split(2)
        ]

    def _recall(self, network: Any) -> None:
        """Put the network into the state after the latest window."""
        network.init_video_online_processing()
        if self._state:
            network.online_ind = OVERLAP
            # It adds to them in place, which a step that fails must not do.
            network.online_track_support = [level.clone() for level in self._state.templates]
            # Never read; but where it is None the network begins templates anew.
            network.online_track_feat = [0.0] * len(self._state.templates)
            network.online_coords_predicted = self._state.xy
            network.online_vis_predicted = self._state.visibility
            network.online_conf_predicted = self._state.confidence


def _state_of(network: Any, before: int) -> State:
    return State(
        tuple(network.online_track_support),
        network.online_coords_predicted[:, before:].clone(),
        network.online_vis_predicted[:, before:].clone(),
        network.online_conf_predicted[:, before:].clone(),
    )
