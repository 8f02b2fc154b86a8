"""What both models share: the points that go through windows together, and what a window says about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch

from engines.cotracker.plan import Window


@dataclass(frozen=True)
class Points:
    """Queries at the network's size."""

    places: Any
    """int64 [N], in the pass."""
    xy: Any
    """float32 [N, 2]."""

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.places)

    def take(self, index: Any) -> Points:
        """Return the points of an index."""
        return Points(self.places[index], self.xy[index])


@dataclass(frozen=True)
class Estimate:
    """Where points are on the frames of a window, how probably they are seen, and how probably the place is right.

    `xy` is float32 [T, N, 2] at the network's size, `visibility` and `confidence` float32 [T, N], 0..1.
    """

    xy: Any
    visibility: Any
    confidence: Any

    def __getitem__(self, frames: slice) -> Estimate:
        """Return some of the frames."""
        return Estimate(self.xy[frames], self.visibility[frames], self.confidence[frames])

    def take(self, index: Any) -> Estimate:
        """Return some of the points."""
        return Estimate(self.xy[:, index], self.visibility[:, index], self.confidence[:, index])

    def pinned(self, points: Points, start: int) -> Estimate:
        """Return the estimate with nothing invented: a point is where its query says on that frame and on all before.

        On the query's frame it is seen for sure, before it is not.

        Args:
            points: the queries.
            start: place of the first frame.
        """
        places = torch.arange(start, start + len(self.xy), device=self.xy.device)[:, None]
        before, at = places < points.places, places == points.places
        return replace(
            self,
            xy=torch.where((before | at)[..., None], points.xy, self.xy),
            visibility=self.visibility.masked_fill(before, 0.0).masked_fill(at, 1.0),
            confidence=self.confidence.masked_fill(before, 0.0).masked_fill(at, 1.0),
        )


class Group(Protocol):
    """Points that attend to each other. All tensors are on the network's device."""

    def __len__(self) -> int:
        """Return the number of points."""
        ...

    def step(self, network: Any, window: Window, features: Any) -> Estimate:
        """Follow the points through the next window, and return its final frames.

        Where this raises, the group is as it was.

        Args:
            network: what `Network.load` returned.
            window: comes after the latest one.
            features: [T, 128, 96, 128] of the window.
        """
        ...

    def halves(self) -> list[Group]:
        """Return the points in two groups that go on from where this one is."""
        ...
