"""The offline model: windows of 60 frames, each seen as a whole, joined where they overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from engines.cotracker.groups import Estimate, Group, Points
from engines.cotracker.network import ITERATIONS, prepared
from engines.cotracker.plan import Window

OVERLAP = 20
"""Frames that a window has from the one before."""
SEEN = 0.9
"""Visibility from which a point counts as seen, as in the authors' predictor."""


@dataclass(frozen=True)
class State:
    """What goes from window to window."""

    stop: int
    """Place after the latest window; points whose query is before it have templates and tracks."""
    templates: tuple[Any, ...]
    """By level, [1, 49, N, 128]: how each point's surroundings look at its query."""
    tail: Estimate
    """On the latest window's last frames, which the next one has too."""

    def take(self, index: Any) -> State:
        """Return the state of some of the points."""
        return State(self.stop, tuple(level[:, :, index] for level in self.templates), self.tail.take(index))


class OfflineGroup:
    """A `Group` of the offline model. A clip of one window goes through the network as the authors' predictor has it.

    In a longer one a point starts into the next window from where it was last seen in the frames that both have, or,
    where it was not, from where it was thought to be. Its template stays the query's: taken anew in each window it
    would drift, or become the template of what hides the point. In the frames that both windows have the tracks are
    cross-faded, with more weight to the window in which the point is better seen.

    Args:
        points: the queries.
        grid: support points [g, 2], queried on each window's first frame.
        state: after the latest window; None before the first.
    """

    def __init__(self, points: Points, grid: Any, state: State | None = None) -> None:
        self._points, self._grid, self._state = points, grid, state

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self._points)

    def step(self, network: Any, window: Window, features: Any) -> Estimate:
        """Return the window's final frames; see `Group`."""
        state = self._state
        # Points that have not begun have no template, and would be noise to the others: they stand aside.
        active = torch.nonzero(self._points.places < window.stop)[:, 0]
        made, templates = self._run(network, window, features, active)
        made = made.pinned(self._points, window.start)
        if state is not None:
            known = (self._points.places < state.stop)[None]
            made = _joined(state.tail, made, known).pinned(self._points, window.start)
        self._state = State(window.stop, templates, made[-OVERLAP:])
        return made[: window.final]

    def halves(self) -> list[Group]:
        """Return the points in two groups."""
        return [
            OfflineGroup(self._points.take(own), self._grid, self._state and self._state.take(own))
            for own in torch.arange(len(self)).tensor_split(2)
        ]

    def _run(self, network: Any, window: Window, features: Any, active: Any) -> tuple[Estimate, tuple[Any, ...]]:
        """Return the estimate of all points, those that have not begun at their queries, and their templates."""
        queries = self._queries(window, active)
        with prepared(network, features) as video:
            if self._state is not None:
                self._recall(network, active)
            found = network(video, queries, iters=ITERATIONS)[:3]
            templates = network.get_track_feat.used
        xy = self._points.xy.expand(len(features), -1, -1).clone()
        visibility, confidence = (xy.new_zeros(xy.shape[:2]) for _ in range(2))
        count = len(active)
        for whole, part in zip((xy, visibility, confidence), found, strict=True):
            whole[:, active] = part[0, :, :count].float()
        return Estimate(xy, visibility, confidence), tuple(self._kept(level, active) for level in templates)

    def _queries(self, window: Window, active: Any) -> Any:
        """Return queries [1, n + g, 3] of the active points and the support points, as the network takes them."""
        places, xy = self._points.places, self._points.xy
        if self._state is not None:
            known = places < self._state.stop
            xy = torch.where(known[:, None], _last_seen(self._state.tail), xy)
        # The place says where a template is taken, so for points that have one it says nothing.
        local = (places - window.start).clamp(min=0)[active]
        local = torch.cat([local, local.new_zeros(len(self._grid))])
        return torch.cat([local[:, None].float(), torch.cat([xy[active], self._grid])], dim=1)[None]

    def _recall(self, network: Any, active: Any) -> None:
        """Give the network the templates of earlier windows; support points get new ones."""
        assert self._state is not None
        known = (self._points.places < self._state.stop)[active]
        pad = (0, 0, 0, len(self._grid))
        network.get_track_feat.known = [
            torch.nn.functional.pad(level[:, :, active], pad) for level in self._state.templates
        ]
        network.get_track_feat.is_known = torch.cat([known, known.new_zeros(len(self._grid))])

    def _kept(self, level: Any, active: Any) -> Any:
        """Return the templates of all points [1, 49, N, 128] of a level, zero where a point has not begun."""
        whole = level.new_zeros(*level.shape[:2], len(self), level.shape[3])
        whole[:, :, active] = level[:, :, : len(active)]
        return whole


def _last_seen(tail: Estimate) -> Any:
    """Return where points were last seen [N, 2]; for those that were not, where they were thought to be at the end."""
    count = len(tail.xy)
    places = torch.arange(1, count + 1, device=tail.xy.device)[:, None]
    last = (places * (tail.visibility > SEEN)).amax(0)
    last = torch.where(last > 0, last, count) - 1
    return tail.xy[last, torch.arange(tail.xy.shape[1], device=last.device)]


def _joined(tail: Estimate, made: Estimate, known: Any) -> Estimate:
    """Return `made` with its first frames cross-faded from `tail` for the points that are known."""
    count = len(tail.xy)
    ramp = torch.arange(1, count + 1, device=tail.xy.device)[:, None] / (count + 1)
    old = (1 - ramp) * (tail.visibility * tail.confidence + 1e-3)
    new = ramp * (made.visibility[:count] * made.confidence[:count] + 1e-3)
    share = torch.where(known, new / (old + new), 1.0)
    plain = torch.where(known, ramp, 1.0)
    xy, visibility, confidence = made.xy.clone(), made.visibility.clone(), made.confidence.clone()
    xy[:count] = torch.lerp(tail.xy, xy[:count], share[..., None])
    visibility[:count] = torch.lerp(tail.visibility, visibility[:count], plain)
    confidence[:count] = torch.lerp(tail.confidence, confidence[:count], plain)
    return Estimate(xy, visibility, confidence)
