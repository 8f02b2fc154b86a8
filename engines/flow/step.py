"""One object, one frame further: where the flow carries the mask, corrected by appearance, motion and edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image, Mask
from engines.flow.appearance import BINS, ColourModel, ObjectFrame, colour_bins
from engines.flow.cut import LIMIT, graph_cut
from engines.flow.evidence import LOST, certainty, confidence, find_again, similarity
from engines.flow.motion import Motion
from engines.flow.parallax import motion_log_odds
from engines.flow.quality import Quality
from engines.flow.reference import Models, Reference
from engines.flow.texture import Sums, Texture
from engines.flow.view import BoundingBox, View, bounding_box, view_around

Array = NDArray[np.float32]
Region = NDArray[np.bool_]

PRIOR_LIMIT = 4.0
"""The carried mask's place counts at most this much, in units of its uncertainty."""
BAND = 0.3
"""Half-width, in object sizes, of the band around the carried contour in which pixels are decided anew."""
SAFE_OUT, SAFE_IN = 0.08, 0.05
"""Distance from the contour, in object sizes, beyond which the previous mask is believed when it teaches colours."""
DOUBT = 0.3
"""Pixels that the keyframes' texture scores below minus this are not taken for the object when colours are learned."""
FRESH = 0.5
"""Weight of the previous frame's background in the texture classifier."""
SPECK = 0.02
"""Parts smaller than this share of the object are dropped; holes smaller than half of it filled."""
AGREEMENT = 0.5
"""Below this overlap of the cut and the carried mask, one of them has failed."""


@dataclass(frozen=True, eq=False)
class Neighbour:
    """The frame that the mask comes from: its picture, its mask, and the motion from the present frame to it."""

    image: Image
    mask: Mask
    motion: Motion


@dataclass(frozen=True, eq=False)
class Scene:
    """What the steps below share about the present frame inside the window."""

    view: View
    lab: NDArray[np.uint8]
    carried: Region
    doubt: Array
    flow: Array
    size: float


@dataclass(frozen=True, eq=False)
class Cues:
    """What appearance and motion say: log-odds, where the texture classifier sees the object, colours."""

    odds: Array
    likely: Region
    bins: NDArray[np.int32]
    colours: ColourModel


class Stepper:
    """The method, with its settings. It remembers nothing between steps."""

    def __init__(self, quality: Quality) -> None:
        """Take the settings."""
        self.quality = quality

    def step(
        self, image: Image, neighbour: Neighbour, references: Sequence[Reference], index: int, draft: Mask | None
    ) -> tuple[Mask, float]:
        """Return the mask of frame `index` and a confidence, 0 .. 1.

        Args:
            image: the frame.
            neighbour: the frame visited before.
            references: the keyframes at one or both ends of the gap.
            index: the frame's index, between those of the references.
            draft: what came from the other side, or None.
        """
        full = image.shape[1], image.shape[0]
        models, weights = _weigh(references, index)
        box = self._find_box(neighbour, draft, full)
        if box is None and models:
            seen = find_again(image, models, weights, self.quality)
            if seen is not None:
                neighbour = Neighbour(image, seen, Motion.none(neighbour.motion))
                box = bounding_box(seen > 127)
        if not models or box is None:
            return _empty(full), 0.0 if models else 1.0
        scene = self._look(image, neighbour, box)
        cues = self._appearance(scene, neighbour, models, weights)
        prior, distance, size = self._prior(scene, draft, cues.likely, references, index)
        band = np.abs(distance) < np.maximum(3.0, BAND * size + scene.doubt)
        inside = self._decide(scene, cues, prior, band, size)
        fit = overlap(inside, cues.likely)
        certain = certainty(cues.odds, inside)
        if fit < LOST and certain < 0:
            return _empty(full), 0.0
        colours = similarity(inside, cues.bins, cues.colours)
        sure = confidence(fit, colours, certain, certainty(cues.odds, band & ~inside))
        return scene.view.paste(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.6), full), sure

    def _decide(self, scene: Scene, cues: Cues, prior: Array, band: Region, size: float) -> Region:
        """Return the mask: the cut, or where the two differ too much, whichever of cut and prior looks more like it."""
        odds = cv2.GaussianBlur(cues.odds + self.quality.prior * prior, (0, 0), 0.7)
        odds = np.where(band, odds, np.where(prior > 0, np.float32(LIMIT), np.float32(-LIMIT)))
        inside = _clean(graph_cut(odds, np.ascontiguousarray(scene.lab[..., :2]), band), SPECK * size * size)
        placed = prior > 0
        if overlap(inside, placed) < AGREEMENT and overlap(placed, cues.likely) >= overlap(inside, cues.likely):
            return placed
        return inside

    def _find_box(
        self, neighbour: Neighbour, draft: Mask | None, full: tuple[int, int]
    ) -> tuple[int, int, int, int] | None:
        """Return the full-size box of the carried mask and the draft together, or None where both are empty."""
        height, width = neighbour.motion.error.shape
        whole = View(0, 0, full[0], full[1], width, height)
        rough = whole.warp(neighbour.mask, neighbour.motion) > 0.3
        if draft is not None:
            rough |= whole.image(draft) > 127
        box = bounding_box(rough)
        if box is None:
            return None
        scale_x, scale_y = whole.scale
        left, top = int(box[0] / scale_x), int(box[1] / scale_y)
        return left, top, int(np.ceil(box[2] / scale_x)), int(np.ceil(box[3] / scale_y))

    def _look(self, image: Image, neighbour: Neighbour, box: BoundingBox) -> Scene:
        """Open a window around `box`."""
        full = image.shape[1], image.shape[0]
        view = view_around(box, full, self.quality.margin, self.quality.side)
        scale = np.float32(sum(view.scale) / 2)
        carried = view.warp(neighbour.mask, neighbour.motion) > 0.5
        doubt = cv2.blur(view.sample(neighbour.motion.error, full) * scale, (9, 9))
        flow = view.sample(neighbour.motion.offset, full) * scale
        lab = cv2.cvtColor(view.image(image), cv2.COLOR_RGB2LAB)
        return Scene(view, lab, carried, doubt, flow, _size(carried))

    def _appearance(
        self, scene: Scene, neighbour: Neighbour, models: Sequence[Models], weights: Sequence[float]
    ) -> Cues:
        """Weigh up all cues but the place that the mask was carried to.

        The previous frame teaches the background that has come into view since the keyframe. Where the keyframes'
        classifier sees the object, the previous mask is not believed to be background: what was lost once would else
        be learned as background and never come back.
        """
        quality, view, size = self.quality, scene.view, scene.size
        shape = view.width, view.height
        before = cv2.cvtColor(view.image(neighbour.image), cv2.COLOR_RGB2LAB)
        now, then = Texture.of(scene.lab, size), Texture.of(before, size)
        known = Sums.combine([(model.texture, weight) for model, weight in zip(models, weights, strict=True)])
        key_score = then.score(known.solve(), shape)
        distance = signed_distance(view.image(neighbour.mask) > 127)
        background = (distance < -SAFE_OUT * size) & (key_score < 0)
        fresh = Sums.over(then.pick(background, 3), -1.0)
        score = now.score(Sums.combine([(known, 1.0), (fresh, FRESH)]).solve(), shape)
        odds = quality.texture * np.clip(score, -1, 1)

        bins = colour_bins(scene.lab, BINS)
        colours = ColourModel.mean([model.colour for model in models], weights)
        odds += quality.colour * colours.log_odds(bins)
        certain = (distance > SAFE_IN * size) & (key_score > -DOUBT)
        odds += quality.recent * ColourModel.learn(colour_bins(before, BINS), certain, background).log_odds(bins)
        cells = ObjectFrame.of(scene.carried, view).cells(view)
        for model, weight in zip(models, weights, strict=True):
            odds += np.float32(quality.place * weight) * model.place.log_odds(scene.lab, cells)
        near = signed_distance(scene.carried)
        inside, outside = (near > SAFE_IN * size) & (score > -DOUBT), (near < -SAFE_OUT * size) & (score < 0)
        odds += quality.motion * motion_log_odds(scene.flow, inside, outside)
        return Cues(odds, score > 0, bins, colours)

    def _prior(
        self, scene: Scene, draft: Mask | None, likely: Region, references: Sequence[Reference], index: int
    ) -> tuple[Array, Array, float]:
        """Return the belief in the place that the mask was carried to, the distance to its contour, its size.

        Where a draft came from the other side, both are blended by the distance to the keyframes and by how well each
        fits what the texture classifier sees.
        """
        distance = signed_distance(scene.carried)
        reach = 0.2 * scene.size
        width = 1.0 + 0.02 * scene.size + 0.5 * np.minimum(scene.doubt, reach)
        prior = np.clip(distance / width, -PRIOR_LIMIT, PRIOR_LIMIT).astype(np.float32)
        if draft is None:
            return prior, distance, scene.size
        other = scene.view.image(draft) > 127
        along = (index - references[0].index) / (references[-1].index - references[0].index)
        trust = [overlap(region, likely) ** 2 + 0.01 for region in (scene.carried, other)]
        share = along * trust[1] / ((1 - along) * trust[0] + along * trust[1])
        other_distance = signed_distance(other)
        other_prior = np.clip(other_distance / (1.0 + 0.02 * scene.size), -PRIOR_LIMIT, PRIOR_LIMIT)
        blended = (1 - share) * prior + share * other_prior
        nearest = np.where(np.abs(distance) < np.abs(other_distance), distance, other_distance)
        size = float(np.sqrt((1 - share) * scene.size**2 + share * _size(other) ** 2))
        return blended.astype(np.float32), nearest, size


def _weigh(references: Sequence[Reference], index: int) -> tuple[list[Models], list[float]]:
    """Return the models of the keyframes that show the object, and their weights: the nearer keyframe counts more."""
    pairs = [(r.models, 1 / abs(index - r.index)) for r in references if r.models is not None]
    total = sum(near for _, near in pairs)
    return [models for models, _ in pairs], [near / total for _, near in pairs]


def _empty(full: tuple[int, int]) -> Mask:
    return np.zeros((full[1], full[0]), np.uint8)


def _size(inside: Region) -> float:
    return float(np.sqrt(max(1.0, float(np.count_nonzero(inside)))))


def signed_distance(inside: Region) -> Array:
    """Return the distance to the contour in pixels, float32 [h, w], positive inside."""
    region = inside.astype(np.uint8)
    distance = cv2.distanceTransform(region, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - region, cv2.DIST_L2, 3)
    return distance


def overlap(one: Region, other: Region) -> float:
    """Return intersection over union, 0 where both are empty."""
    return float(np.count_nonzero(one & other)) / max(1.0, float(np.count_nonzero(one | other)))


def _clean(inside: Region, least: float) -> Region:
    """Return the mask without specks smaller than `least` pixels and holes smaller than half of that."""
    inside = _drop_parts(inside, least, 8)
    return ~_drop_parts(~inside, least / 2, 4)


def _drop_parts(region: Region, least: float, connectivity: int) -> Region:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=connectivity)
    if count <= 2:
        return region
    keep = stats[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    return keep[labels]
