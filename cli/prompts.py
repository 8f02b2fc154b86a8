"""The command line's way to write masks, points and boxes.

Each value begins with ``[OBJECT@]FRAME``: ``0=first.png``, ``dog@12=dog.png``, ``0:+640,360 -100,80``,
``dog@0:100,80,400,300``.
Objects are named; without a name it is the object '1'.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from errors import PromptError
from session_store import BoxPrompt, FramePrompts, PointPrompt

_HEAD = r"(?:(?P<object>[^@=:]{1,40})@)?(?P<frame>\d{1,9})"
_MASK = re.compile(_HEAD + r"=(?P<rest>.+)", re.DOTALL)
_COORDS = re.compile(_HEAD + r":(?P<rest>.+)", re.DOTALL)
DEFAULT_OBJECT = "1"


@dataclass
class Given:
    """What the user gave for the objects, by name."""

    masks: dict[str, dict[int, Path]] = field(default_factory=dict)
    prompts: dict[str, dict[int, FramePrompts]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return the objects' names in the order they first appear."""
        return list(dict.fromkeys([*self.masks, *self.prompts]))


def parse(masks: list[str], points: list[str], boxes: list[str]) -> Given:
    """Return what --mask, --points and --box say.

    Raises:
        PromptError: one of them cannot be read; the message shows how it is written.
    """
    given = Given()
    for text in masks:
        name, frame, rest = _split(_MASK, text, "--mask 0=first.png or --mask dog@0=dog.png")
        if given.masks.setdefault(name, {}).setdefault(frame, Path(rest)) != Path(rest):
            raise PromptError(f"two masks for object '{name}' on frame {frame}; give one")
    for text in points:
        name, frame, rest = _split(_COORDS, text, "--points '0:+640,360 -100,80'")
        _prompts(given, name, frame).points.extend(_point(part, text) for part in rest.split())
    for text in boxes:
        name, frame, rest = _split(_COORDS, text, "--box 0:100,80,400,300")
        _prompts(given, name, frame).box = _box(rest, text)
    for name, frames in given.masks.items():
        both = sorted(set(frames) & set(given.prompts.get(name, {})))
        if both:
            raise PromptError(f"object '{name}' has a mask and points or a box on frame {both[0]}; give one of them")
    return given


def parse_range(text: str) -> tuple[int, int]:
    """Return (start, stop) of 'START:STOP', the last frame not included.

    Raises:
        PromptError: it is not two whole numbers in order.
    """
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text.strip())
    if not match or int(match[1]) >= int(match[2]):
        raise PromptError(f"--range '{text}' is not START:STOP with START before STOP, as in --range 0:48")
    return int(match[1]), int(match[2])


def parse_params(values: list[str]) -> dict[str, str]:
    """Return {'engine.name' or 'name': value} of 'name=value' texts.

    Raises:
        PromptError: one of them has no '='.
    """
    result = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise PromptError(f"--param '{text}' is not NAME=VALUE")
        result[name.strip()] = value.strip()
    return result


def _split(pattern: re.Pattern[str], text: str, example: str) -> tuple[str, int, str]:
    match = pattern.fullmatch(text.strip())
    if not match:
        raise PromptError(f"'{text}' cannot be read; write it as {example}")
    return match["object"] or DEFAULT_OBJECT, int(match["frame"]), match["rest"].strip()


def _prompts(given: Given, name: str, frame: int) -> FramePrompts:
    return given.prompts.setdefault(name, {}).setdefault(frame, FramePrompts())


def numbers(text: str, count: int) -> list[float] | None:
    """Return `count` comma-separated finite numbers; None where the text is something else."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    return values if len(values) == count and all(math.isfinite(value) for value in values) else None


def _point(part: str, text: str) -> PointPrompt:
    values = numbers(part[1:], 2) if part[0] in "+-" else numbers(part, 2)
    if values is None:
        raise PromptError(f"'{part}' in --points '{text}' is not a point; write +X,Y or -X,Y, in pixels")
    return PointPrompt(x=values[0], y=values[1], positive=part[0] != "-")


def _box(rest: str, text: str) -> BoxPrompt:
    values = numbers(rest, 4)
    if values is None or values[0] >= values[2] or values[1] >= values[3]:
        raise PromptError(f"--box '{text}' is not FRAME:X0,Y0,X1,Y1 with X0 < X1 and Y0 < Y1, in pixels")
    return BoxPrompt(x0=values[0], y0=values[1], x1=values[2], y1=values[3])
