"""Later prompts: the mask there is, and what a click or a stroke changes in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from engines.base import Point
from engines.grabcut.refine import MARGIN, click_pixels
from engines.grabcut.regions import Field, Region, mask_window, pixel, signed_distance, touching
from engines.grabcut.view import GetView, Seed, View, gaussian, soft_disc

REACHES = (1.5, 1.0, 0.6, 0.3)
"""How far a click may reach, as parts of its distance to the mask's edge."""
LONGEST_REACH = 0.3
"""… and of the image's long side."""


@dataclass(frozen=True, eq=False)
class Change:
    """What one reach of a click would do: the changed region of the view, and how believable it is."""

    region: Region
    rank: float


@dataclass(frozen=True, eq=False)
class _Click:
    """A click on a mask, in a view: distances in working pixels, `room` to the nearest edge or opposite click."""

    view: View
    before: Region
    depth: Field
    distance: Field
    room: float
    positive: bool
    inside: Region
    outside: Region

    @property
    def sides(self) -> tuple[Region, Region]:
        """Return the side that the click speaks for and the one that it takes from."""
        return (self.before, ~self.before) if self.positive else (~self.before, self.before)


def apply_click(
    old: Region,
    points: tuple[Point, ...],
    view: GetView,
    area: int,
    data_weight: float,
    run: Callable[..., Iterable[Change]],
) -> Region:
    """Return the mask after the last of `points`: a cut around it, of which only what touches the click is taken.

    A user clicks about the middle of what is wrong, so the distance to the mask's edge says how large that is; a few
    reaches around it are tried, and the change with the most contrast along its new edge and the best fitting colours
    is taken.
    """
    last = points[-1]
    reach = _reach(old, points)
    extent = [(p.x, p.y) for p in points]
    extent += [(last.x - 2 * reach, last.y - 2 * reach), (last.x + 2 * reach, last.y + 2 * reach)]
    small = view(mask_window(old, extent, MARGIN), area)
    before = small.shrink(old)
    distance = small.distance(Seed((((last.x, last.y),),)))
    room = max(1.5, reach * small.scale)
    hard = click_pixels(small, points)
    click = _Click(small, before, signed_distance(before), distance, room, last.positive, *hard)
    best = max(run(lambda part: _change(click, part, data_weight), REACHES), key=lambda item: item.rank)
    x0, y0, x1, y1 = small.window
    result = old.copy()
    result[y0:y1, x0:x1][small.enlarge(best.region)] = last.positive
    for point in points:
        result[pixel(result, point)] = point.positive
    return result


def _reach(old: Region, points: tuple[Point, ...]) -> float:
    """Return how far the last click can reach: to the mask's or the image's edge, not to an opposite click."""
    click = points[-1]
    row, column = pixel(old, click)
    wrong = np.pad(~old if click.positive else old, 1).astype(np.uint8)
    to_edge = float(cv2.distanceTransform(wrong, cv2.DIST_L2, 5)[row + 1, column + 1])
    opposite = [0.8 * float(np.hypot(p.x - click.x, p.y - click.y)) for p in points if p.positive != click.positive]
    return max(2.0, min([to_edge, LONGEST_REACH * max(old.shape), *opposite]))


def _change(click: _Click, part: float, data_weight: float) -> Change:
    view, distance = click.view, click.distance
    sign = 1 if click.positive else -1
    reach = max(1.5, part * click.room)
    disc = soft_disc(distance, reach)
    nearby = 0.12 + gaussian(1.5 * reach, distance)
    own, other = click.sides
    weight_own = np.maximum(own * nearby * (1 - disc), 1.2 * disc)
    colour = sign * view.log_odds(weight_own, other * nearby * (1 - disc))
    size = max(float(np.sqrt(np.count_nonzero(click.before))), 7.0)
    kept = 2.5 * np.clip(click.depth / (0.08 * size), -1, 1) * (1 - 0.7 * gaussian(2.5 * reach, distance))
    unary = (colour + kept + sign * 4.0 * disc).astype(np.float32)
    core = (distance < max(1.5, 0.3 * reach)) & ~(click.outside if click.positive else click.inside)
    inside, outside = click.inside.copy(), click.outside.copy()
    (inside if click.positive else outside)[core] = True
    after = view.cut(unary, inside, outside, data_weight)
    changed = touching((after != click.before) & (after == click.positive), core) | (core & other)
    return Change(changed, _believe(click, changed, reach))


def _believe(click: _Click, changed: Region, reach: float) -> float:
    """Return how believable a change is: contrast along its new edge, colours nearer to its new side, a fit size."""
    view = click.view
    square = np.ones((3, 3), np.uint8)
    edge = changed & ~(cv2.erode(changed.astype(np.uint8), square, borderValue=1) > 0) & (np.abs(click.depth) > 1.5)
    contrast = 1.0
    if np.count_nonzero(edge) > 3:
        contrast = float(cv2.dilate(np.minimum(view.gradient, 5), square)[edge].mean())
    own, other = click.sides
    nearby = gaussian(3 * reach + 2, click.distance)
    colour = view.histogram(changed)
    to_own = float(np.sqrt(colour * view.histogram(own * nearby)).sum())
    to_other = float(np.sqrt(colour * view.histogram((other & ~changed) * nearby)).sum())
    area = max(float(np.count_nonzero(changed)), 1.0)
    # Far larger than the room around the click: a leak.
    leak = max(0.0, math.log(area / (math.pi * click.room**2)) - 2)
    # Hardly more than the core: missed. Only if negative, as a positive click may mean a rope.
    missed = not click.positive and area < 0.3 * math.pi * reach**2
    return 0.25 * contrast + 0.5 * (to_own - to_other) - 0.7 * leak - 0.3 * missed
