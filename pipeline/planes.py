"""Float pictures into the planes that encoders take: exact rounding, chroma sited as H.264 and VP9 declare it.

Written in OpenCV instead of swscale: that one sites chroma in the middle of the pixel pair (up to 8 codes off at sharp
edges), and its 16-bit paths are a code or two too bright.
"""

from __future__ import annotations

from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.colour import LUMA_COEFFICIENTS
from pipeline.deliver import DeliverFrame, Picture
from pipeline.info import Colour

Floats = NDArray[np.float32]

_STRIP = 48  # rows; even


def foreground_of(frame: DeliverFrame, *, premultiplied: bool) -> Picture:
    """Return R'G'B' float32 [H, W, 3], straight or multiplied by alpha in their own transfer, as After Effects does."""
    if frame.foreground is None:
        raise ValueError(f"frame {frame.index} has no foreground")
    if not premultiplied:
        return frame.foreground
    return cast(Picture, cv2.multiply(frame.foreground, cv2.merge([frame.alpha] * 3)))


def yuv_matrix(colour: Colour, depth: int) -> Floats:
    """Return float32 [3, 4] that takes R'G'B' 0..1 and 1 to Y'CbCr codes of `depth` bits (ITU-T H.273, 8.3).

    Args:
        colour: resolved, so that range and matrix are known.
        depth: bits of a sample.
    """
    red, blue = LUMA_COEFFICIENTS[colour.matrix]
    green = 1 - red - blue
    luma = np.array([red, green, blue])
    rows = np.stack([luma, (np.array([0, 0, 1]) - luma) / (2 - 2 * blue), (np.array([1, 0, 0]) - luma) / (2 - 2 * red)])
    unit = 1 << (depth - 8)
    if colour.range == "full":
        scale, offset = np.full(3, (1 << depth) - 1), np.array([0, 128 * unit, 128 * unit])
    else:
        scale, offset = np.array([219, 224, 224]) * unit, np.array([16, 128, 128]) * unit
    return np.hstack([rows * scale[:, None], offset[:, None]]).astype(np.float32)


class Yuv420:
    """Makes 4:2:0 frames, chroma sited left (H.264's default); an alpha plane is left alone.

    Codes of 10 bits are rounded exactly. Those of 8 are made from R'G'B' rounded to 8 bits, which costs less than one
    code of luma and two of chroma, and takes half the time. It works in strips whose intermediate results stay in the
    processor's cache, and keeps the memory for them: one object per thread.
    """

    def __init__(self, width: int, matrix: Floats, pixel_format: str) -> None:
        """Prepare for pictures of one width.

        Args:
            width: of the pictures.
            matrix: from `yuv_matrix`, of the depth of `pixel_format`.
            pixel_format: yuv420p, yuva420p or yuv420p10le.
        """
        self._pixel_format = pixel_format
        self._depth = av.VideoFormat(pixel_format).components[0].bits
        self._matrix = matrix if self._depth > 8 else np.divide(matrix, [255, 255, 255, 1], dtype=np.float32)
        kind: Any = np.float32 if self._depth > 8 else np.uint8
        self._rgb, self._codes = np.empty((2, _STRIP, width, 3), kind)
        self._luma = np.empty((_STRIP, width), kind)
        self._chroma = np.empty((2 * _STRIP, 1 + width + width % 2), kind)

    def __call__(self, rgb: Picture) -> av.VideoFrame:
        """Convert a picture, float32 [H, W, 3], 0..1."""
        height, width = rgb.shape[:2]
        frame = av.VideoFrame(width, height, self._pixel_format)
        luma, blue, red = (view(frame, plane) for plane in range(3))
        for top in range(0, height, _STRIP):
            full, half = self._convert(rgb[top : top + _STRIP])
            luma[top : top + _STRIP] = _rounded(full, self._depth)
            stacked = _rounded(half, self._depth).reshape(2, -1, half.shape[1])
            blue[top // 2 : (top + _STRIP) // 2], red[top // 2 : (top + _STRIP) // 2] = stacked
        return frame

    def _convert(self, strip: Picture) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the luma of some rows [n, W], and their halved chroma, Cb above Cr."""
        rows, width = strip.shape[:2]
        if self._depth == 8:
            strip = cv2.convertScaleAbs(strip, dst=self._rgb[:rows], alpha=255)
        codes = cv2.transform(strip, self._matrix, dst=self._codes[:rows])
        chroma = self._chroma[: 2 * (rows + rows % 2)]
        blue, red = np.split(chroma, 2)
        luma = self._luma[:rows]
        cv2.split(codes, [luma, blue[:rows, 1 : 1 + width], red[:rows, 1 : 1 + width]])
        if rows % 2:
            blue[rows], red[rows] = blue[rows - 1], red[rows - 1]
        if width % 2:
            chroma[:, -1] = chroma[:, -2]
        return luma, _halve(chroma)


def yuv444(rgb: Picture, matrix: Floats, pixel_format: str) -> av.VideoFrame:
    """Return a 4:4:4 frame of the picture's size; an alpha plane is left alone."""
    height, width = rgb.shape[:2]
    frame = av.VideoFrame(width, height, pixel_format)
    codes = cv2.transform(rgb, matrix)
    for plane in range(3):
        fill(frame, plane, cv2.extractChannel(codes, plane))
    return frame


def grey420(luma: Floats, neutral: int = 128) -> av.VideoFrame:
    """Return a yuv420p frame of 8-bit luma codes [H, W] without colour."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    fill(frame, 0, luma)
    for plane in (1, 2):
        view(frame, plane)[:] = neutral
    return frame


def fill(frame: av.VideoFrame, plane: int, codes: NDArray[Any]) -> None:
    """Round codes [H, W], at least 0, into a plane, within what its depth can hold."""
    view(frame, plane)[:] = _rounded(codes, frame.format.components[plane].bits)


def view(frame: av.VideoFrame, plane: int) -> NDArray[Any]:
    """Return a plane's samples as a writable array [H, W]."""
    raw = frame.planes[plane]
    deep = frame.format.components[plane].bits > 8
    samples = np.frombuffer(cast(Any, raw), np.uint16 if deep else np.uint8)
    return samples.reshape(raw.height, -1)[:, : raw.width]


def codes_of(values: NDArray[Any], peak: int) -> NDArray[Any]:
    """Round float32 0..1 (any shape with up to 4 channels) to codes 0..`peak`: uint8 up to 255, uint16 up to 65535."""
    if peak <= 255:
        return cv2.convertScaleAbs(values, alpha=peak)
    return (values * np.float32(peak) + np.float32(0.5)).astype(np.uint16)


def pad_even(picture: NDArray[Any]) -> NDArray[Any]:
    """Repeat the last column and row where a picture [H, W] or [H, W, 3] has an odd number of them."""
    height, width = picture.shape[:2]
    if width % 2 == 0 and height % 2 == 0:
        return picture
    return cast(NDArray[Any], cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))


def _rounded(codes: NDArray[Any], depth: int) -> NDArray[Any]:
    if codes.dtype == np.uint8:
        return codes
    if depth == 8:
        return cv2.convertScaleAbs(codes)
    return np.minimum(codes + np.float32(0.5), (1 << depth) - 1)


def _halve(codes: NDArray[Any]) -> NDArray[Any]:
    """Halve a plane for left-sited chroma: (1 2 1)/4 across, centred on even columns, and (1 1)/2 down.

    Args:
        codes: [H, 1 + W], both even, behind a spare first column that is overwritten.
    """
    codes[:, 0] = codes[:, 1]
    half = (codes.shape[1] // 2, codes.shape[0] // 2)
    left = cv2.resize(codes[:, :-1], half, interpolation=cv2.INTER_AREA)
    right = cv2.resize(codes[:, 1:], half, interpolation=cv2.INTER_AREA)
    return cv2.addWeighted(left, 0.5, right, 0.5, 0, dst=left)
