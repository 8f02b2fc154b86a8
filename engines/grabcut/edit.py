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


@dataclass(frozen=True)
class Change:
    """What one reach of a click would do: the changed region of the view, and how believable it is."""

    region: Region
    rank: float


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
    click = points[-1]
    reach = _reach(old, points)
    extent = [(p.x, p.y) for p in points]
    extent += [(click.x - 2 * reach, click.y - 2 * reach), (click.x + 2 * reach, click.y + 2 * reach)]
    small = view(mask_window(old, extent, MARGIN), area)
    before = small.shrink(old)
    distance = small.distance(Seed((((click.x, click.y),),)))
    hard = click_pixels(small, points)

    def change(part: float) -> Change:
        length = max(1.5, part * reach * small.scale)
        return _change(
            small, before, distance, length, max(1.5, reach * small.scale), click.positive, hard, data_weight
        )

    best = max(run(change, REACHES), key=lambda item: item.rank)
    x0, y0, x1, y1 = small.window
    result = old.copy()
    result[y0:y1, x0:x1][small.enlarge(best.region)] = click.positive
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


def _change(
    view: View,
    before: Region,
    distance: Field,
    reach: float,
    room: float,
    positive: bool,
    hard: tuple[Region, Region],
    data_weight: float,
) -> Change:
    sign = 1 if positive else -1
    disc = soft_disc(distance, reach)
    nearby = 0.12 + gaussian(1.5 * reach, distance)
    # From the click's point of view: 'own' is the side it speaks for, 'other' the one it takes from.
    own, other = (before, ~before) if positive else (~before, before)
    weight_own = np.maximum(own * nearby * (1 - disc), 1.2 * disc)
    colour = sign * view.log_odds(weight_own, other * nearby * (1 - disc))
    depth = signed_distance(before)
    size = max(float(np.sqrt(np.count_nonzero(before))), 7.0)
    kept = 2.5 * np.clip(depth / (0.08 * size), -1, 1) * (1 - 0.7 * gaussian(2.5 * reach, distance))
    inside, outside = hard
    against = outside if positive else inside
    core = (distance < max(1.5, 0.3 * reach)) & ~against
    unary = (colour + kept + sign * 4.0 * disc).astype(np.float32)
    after = view.cut(unary, inside | core if positive else inside, outside if positive else outside | core, data_weight)
    changed = touching((after != before) & (after == positive), core) | (core & other)
    return Change(changed, _believe(view, changed, own, other, distance, reach, depth, room, positive))


def _believe(
    view: View,
    changed: Region,
    own: Region,
    other: Region,
    distance: Field,
    reach: float,
    depth: Field,
    room: float,
    positive: bool,
) -> float:
    """Return how believable a change is: contrast along its new edge, and colours nearer to its new side."""
    edge = changed & ~(cv2.erode(changed.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0)
    edge &= np.abs(depth) > 1.5
    contrast = 1.0
    if np.count_nonzero(edge) > 3:
        contrast = float(cv2.dilate(np.minimum(view.gradient, 5), np.ones((3, 3), np.uint8))[edge].mean())
    nearby = gaussian(3 * reach + 2, distance)
    colour = view.histogram(changed)
    to_own = float(np.sqrt(colour * view.histogram(own * nearby)).sum())
    to_other = float(np.sqrt(colour * view.histogram((other & ~changed) * nearby)).sum())
    # A change far larger than the room around the click is a leak.
    # A negative click that takes hardly more than its core away has missed; a positive one may mean a rope.
    vain = not positive and np.count_nonzero(changed) < 0.3 * math.pi * reach**2
    area = max(np.count_nonzero(changed), 1)
    leak = max(0.0, math.log(area / (math.pi * room**2)) - 2)
    return 0.25 * contrast + 0.5 * (to_own - to_other) - 0.7 * leak - 0.3 * vain
