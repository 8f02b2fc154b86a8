"""A contact sheet: one PNG of a few frames with source, mask, alpha and composite side by side, to be looked at.

Rows are taken one at a time and kept only as small pictures, so memory does not grow with the clip or its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from atomic import write_bytes
from errors import storage_errors

Picture = NDArray[np.uint8]

COLUMNS = ("source", "mask", "alpha", "composite")
_LONGEST = 360
"""Tallest panel in pixels, so that portrait clips do not make a sheet of several screens."""
_NARROWEST = 190
"""Cells are at least this wide, so that labels fit beside each other; a smaller panel is centred."""
_GAP, _STRIP = 8, 24
_PAPER = (34, 34, 36)
_INK = (225, 225, 225)
_TINT = np.array((255, 70, 60), np.float32)
_CHECKER = (150, 105)
_CELL = 12


@dataclass(frozen=True, eq=False)
class Row:
    """One frame on the sheet."""

    index: int
    """Frame index in the clip."""
    rgb: Picture
    """The source, uint8 [H, W, 3]."""
    mask: Picture
    """The guide mask, uint8 [H, W], 0..255."""
    alpha: NDArray[np.float32]
    """float32 [H, W], 0..1."""
    foreground: NDArray[np.float32]
    """Straight (not premultiplied) RGB, float32 [H, W, 3], 0..1."""


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels that all rows share, decided by the first one."""

    panel: tuple[int, int]
    cell_width: int

    @property
    def width(self) -> int:
        return len(COLUMNS) * (self.cell_width + _GAP) + _GAP

    def left(self, column: int) -> int:
        return _GAP + column * (self.cell_width + _GAP)


def contact_sheet(
    target: Path,
    rows: Iterable[Row],
    seconds: Callable[[int], float],
    *,
    backdrop: tuple[int, int, int] | None = None,
    max_width: int = 1920,
    pixel_aspect: float = 1.0,
) -> Path:
    """Write the sheet of `rows` as a PNG; the same rows give the same bytes.

    Args:
        target: the file, written whole or not at all; its folder is made.
        rows: the frames, in the order to show; read one at a time.
        seconds: frame index -> its time in the clip in seconds.
        backdrop: RGB 0..255 behind the composite; None is a grey checker.
        max_width: widest sheet in pixels, from 800 up.
        pixel_aspect: width of a source pixel divided by its height.

    Raises:
        ValueError: no rows, or arrays of one row that differ in size.
        StorageError: the file cannot be written.
    """
    strips: list[Picture] = []
    layout: _Layout | None = None
    for row in rows:
        _check(row)
        layout = layout or _lay_out(row.rgb, max_width, pixel_aspect)
        strips.append(_row(row, layout, seconds(row.index), backdrop))
    if layout is None:
        raise ValueError("a contact sheet needs at least one frame")
    sheet = np.vstack([_header(layout), *strips])
    _, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, data.tobytes())
    return target


def spread(start: int, stop: int, count: int) -> list[int]:
    """Return at most `count` frames of `start` .. `stop`, evenly spread, the first and the last among them."""
    wanted = np.linspace(start, stop - 1, max(1, min(count, stop - start)))
    return sorted({round(float(index)) for index in wanted}) if stop > start else []


def timecode(seconds: float) -> str:
    """Return `seconds` as h:mm:ss.mmm."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def _check(row: Row) -> None:
    height, width = row.rgb.shape[:2]
    shapes = {row.mask.shape, row.alpha.shape, row.foreground.shape[:2]}
    if shapes != {(height, width)}:
        raise ValueError(f"frame {row.index} is {width}x{height}, but mask, alpha and foreground are {sorted(shapes)}")


def _lay_out(rgb: Picture, max_width: int, pixel_aspect: float) -> _Layout:
    """Fit the frame's displayed shape into the widest cell the sheet has room for."""
    height, width = rgb.shape[0], rgb.shape[1] * pixel_aspect
    widest = max(_NARROWEST, (max_width - _GAP) // len(COLUMNS) - _GAP)
    scale = min(widest / width, _LONGEST / height)
    panel = max(1, round(width * scale)), max(1, round(height * scale))
    return _Layout(panel, max(panel[0], _NARROWEST))


def _row(row: Row, layout: _Layout, seconds: float, backdrop: tuple[int, int, int] | None) -> Picture:
    """Return the strip of one frame: its label above its four panels."""
    width, height = layout.panel
    strip = _blank(_STRIP + height + _GAP, layout.width)
    _write(strip, f"frame {row.index}   {timecode(seconds)}", _GAP, _STRIP - 8)
    for column, panel in enumerate(_panels(row, layout.panel, backdrop)):
        left = layout.left(column) + (layout.cell_width - width) // 2
        strip[_STRIP : _STRIP + height, left : left + width] = panel
    return strip


def _panels(row: Row, size: tuple[int, int], backdrop: tuple[int, int, int] | None) -> tuple[Picture, ...]:
    """Return the four panels, RGB uint8, of `size` (width, height)."""
    source = _resize(row.rgb, size)
    alpha = np.clip(_resize(row.alpha.astype(np.float32), size), 0, 1)
    grey = np.repeat(_to_bytes(255 * alpha)[..., None], 3, axis=2)
    # Colours are shrunk premultiplied: those of transparent pixels mean nothing and must not bleed in.
    colours = np.clip(_resize(row.foreground.astype(np.float32) * row.alpha[..., None], size), 0, 1)
    behind = _checker(size) if backdrop is None else np.asarray(backdrop, np.float32)
    composite = _to_bytes(255 * colours + behind * (1 - alpha[..., None]))
    return source, _overlay(source, _resize(row.mask, size)), grey, composite


def _overlay(source: Picture, mask: Picture) -> Picture:
    """Return the source, greyed, with the mask tinted and outlined."""
    dim = source.astype(np.float32).mean(axis=2, keepdims=True) * 0.4 + source * 0.4
    inside = mask.astype(np.float32)[..., None] / 255
    tinted = _to_bytes(dim * (1 - inside) + (0.55 * source + 0.45 * _TINT) * inside)
    contours, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, contours, -1, (255, 255, 255), 1)
    return tinted


def _header(layout: _Layout) -> Picture:
    """Return the strip with the columns' names, each above its cell."""
    header = _blank(_STRIP + 4, layout.width)
    for column, name in enumerate(COLUMNS):
        _write(header, name, layout.left(column), _STRIP - 6)
    return header


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), _PAPER, np.uint8)


def _write(picture: Picture, text: str, x: int, y: int) -> None:
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)


def _checker(size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a grey checkerboard, float32 [H, W, 1]."""
    rows, columns = np.indices((size[1], size[0])) // _CELL
    return np.where((rows + columns) % 2, _CHECKER[0], _CHECKER[1]).astype(np.float32)[..., None]


def _resize(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast(NDArray[Any], cv2.resize(picture, size, interpolation=method))


def _to_bytes(values: NDArray[Any]) -> Picture:
    return cast(Picture, np.clip(np.rint(values), 0, 255).astype(np.uint8))
