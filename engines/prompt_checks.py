"""Which prompts make no sense for an image, and what to say about them."""

from __future__ import annotations

import math

from engines.base import Box, Point, Prompts, Stroke
from errors import PromptError


def check_prompts(prompts: Prompts, width: int, height: int, engine: str, *, takes_text: bool = False) -> None:
    """Refuse prompts that the segmenter named `engine` cannot use on an image of this size.

    Raises:
        PromptError: no prompts, a text, a position outside the image or not a number, a box that is inverted or
            outside, a mask of another size or with nothing in it.
    """
    if prompts.text and takes_text:
        return
    if prompts.text:
        raise PromptError(f"'{engine}' takes no text; click on the object, or use a segmenter that reads text")
    for point in prompts.points:
        _check_point(point, width, height)
    if prompts.box is not None:
        _check_box(prompts.box, width, height)
    for stroke in prompts.strokes:
        _check_stroke(stroke, width, height)
    if prompts.mask is not None and prompts.mask.shape != (height, width):
        size = "x".join(str(n) for n in reversed(prompts.mask.shape))
        raise PromptError(f"the mask is {size}, the image {width}x{height}; give a mask of the image's size")
    if not (prompts.points or prompts.strokes or prompts.box is not None):
        if prompts.mask is None:
            raise PromptError("no prompts; click on the object, draw a box or a stroke, or give a rough mask")
        if not (prompts.mask > 127).any():
            raise PromptError("the rough mask is empty; paint where the object is")


def _inside(x: float, y: float, width: int, height: int) -> bool:
    # Pixel centres are whole numbers; written so that nan is outside.
    return -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5


def _check_point(point: Point, width: int, height: int) -> None:
    if not _inside(point.x, point.y, width, height):
        raise PromptError(f"the point {point.x:g},{point.y:g} is outside the image of {width}x{height}")


def _check_box(box: Box, width: int, height: int) -> None:
    corners = f"{box.x0:g},{box.y0:g},{box.x1:g},{box.y1:g}"
    if not all(math.isfinite(v) for v in (box.x0, box.y0, box.x1, box.y1)):
        raise PromptError(f"the box {corners} is not made of numbers")
    if box.x1 < box.x0 or box.y1 < box.y0:
        raise PromptError(f"the box {corners} is inverted; give its left, top, right and bottom edge")
    if box.x1 < -0.5 or box.y1 < -0.5 or box.x0 > width - 0.5 or box.y0 > height - 0.5:
        raise PromptError(f"the box {corners} is outside the image of {width}x{height}")


def _check_stroke(stroke: Stroke, width: int, height: int) -> None:
    if not stroke.points:
        raise PromptError("a stroke has no points")
    if not (math.isfinite(stroke.radius) and stroke.radius >= 0):
        raise PromptError(f"a stroke has the radius {stroke.radius:g}; give one of at least 0 pixels")
    if not all(math.isfinite(v) for xy in stroke.points for v in xy):
        raise PromptError("a stroke has points that are not numbers")
    # A brush may leave the image on its way, but some of it has to be inside.
    if not any(_inside(x, y, width, height) for x, y in stroke.points):
        raise PromptError(f"a stroke is outside the image of {width}x{height}")
