"""What is kept of a keyframe: its models of colour, texture and place."""

from __future__ import annotations

import cv2
import numpy as np

from engines.base import Image, Mask
from engines.flow.appearance import BINS, ColourModel, ObjectFrame, PlaceModel, colour_bins
from engines.flow.quality import Quality
from engines.flow.texture import Sums, Texture
from engines.flow.view import BoundingBox, bounding_box, view_around

SURROUNDINGS = 0.6
"""Background that a keyframe teaches about, in the longer side of the object's box."""


class Models:
    """The models of a keyframe on which the object can be seen."""

    def __init__(self, image: Image, mask: Mask, box: BoundingBox, quality: Quality) -> None:
        """Learn from the surroundings of `box`."""
        view = view_around(box, (image.shape[1], image.shape[0]), SURROUNDINGS, quality.side)
        lab = cv2.cvtColor(view.image(image), cv2.COLOR_RGB2LAB)
        inside = view.image(mask) > 127
        self.frame = ObjectFrame.of(inside, view)
        self.colour = ColourModel.learn(colour_bins(lab, BINS), inside, ~inside)
        self.place = PlaceModel(lab, inside, self.frame.cells(view))
        texture = Texture.of(lab, float(np.sqrt(np.count_nonzero(inside))))
        parts = Sums.over(texture.pick(inside), 1.0), Sums.over(texture.pick(~inside), -1.0)
        self.texture = Sums.combine([(part, 0.5) for part in parts])


class Reference:
    """A keyframe: its index, and its models unless its mask is empty."""

    def __init__(self, image: Image, mask: Mask, index: int, quality: Quality) -> None:
        """Learn from a keyframe."""
        self.index = index
        box = bounding_box(mask > 127)
        self.models = None if box is None else Models(image, mask, box, quality)
