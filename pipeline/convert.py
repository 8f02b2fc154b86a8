"""Decoded frames to RGB as it is shown: right matrix, right range, first frame's size, turned upright."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from pipeline.colour import av_range, is_rgb, resolve, sws_matrix
from pipeline.info import VideoInfo

# swscale's quick paths are off by up to 4 of 255; with these flags it rounds to the nearest value. Planar output is
# then more than twice as fast as packed.
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
T = TypeVar("T", np.uint8, np.uint16, np.float32)
_PLANES = {"rgb": (2, 0, 1), "bgr": (1, 0, 2)}  # of gbrp


class FrameConverter:
    """Converts the frames of one clip. It keeps swscale's state, so it is for one thread at a time."""

    def __init__(self, info: VideoInfo) -> None:
        """Take the clip's size, orientation and colour from `info`; every frame is converted alike."""
        sideways = info.rotation in (90, 270)
        self._stored = (info.height, info.width) if sideways else (info.width, info.height)
        self._colour = resolve(info.colour, info.width, info.height, info.pixel_format)
        self._info = info
        self._reformatter = VideoReformatter()

    def to_rgb(self, frame: VideoFrame, order: str = "rgb") -> NDArray[np.uint8]:
        """Return uint8 [H, W, 3], contiguous, in the channel `order` 'rgb' or 'bgr'."""
        # swscale's 8-bit output of full-range deep video is off by more than one value: go through 16 bits.
        if _depth(frame) > 8 and self._colour.range == "full" and not is_rgb(frame.format.name):
            deep = self.to_float(frame)
            deep *= 255
            rounded = np.rint(deep, out=deep).astype(np.uint8)
            return rounded if order == "rgb" else np.ascontiguousarray(rounded[..., ::-1])
        planar = self._reformat(frame, "gbrp")
        packed = cv2.merge([_plane(planar, index, np.uint8) for index in _PLANES[order]])
        return self._upright(cast(NDArray[np.uint8], packed))

    def to_float(self, frame: VideoFrame) -> NDArray[np.float32]:
        """Return RGB float32 [H, W, 3], 0..1, with all the bits that the source has (10, 12, …)."""
        planar = self._reformat(frame, "gbrp16le")
        rgb = cv2.merge([_plane(planar, index, np.uint16) for index in _PLANES["rgb"]]).astype(np.float32)
        rgb *= 1 / _white(_depth(frame), full=self._colour.range == "full")
        np.minimum(rgb, 1, out=rgb)
        return self._upright(rgb)

    def _reformat(self, frame: VideoFrame, pixel_format: str) -> VideoFrame:
        matrix = None if is_rgb(frame.format.name) else sws_matrix(self._colour)
        return self._reformatter.reformat(
            frame,
            width=self._stored[0],
            height=self._stored[1],
            format=pixel_format,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=av_range(self._colour),
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT,
            threads=1,
        )

    def _upright(self, image: NDArray[T]) -> NDArray[T]:
        if self._info.mirrored:
            image = cast(NDArray[T], cv2.flip(image, 1))
        if self._info.rotation:
            image = cast(NDArray[T], cv2.rotate(image, _ROTATIONS[self._info.rotation]))
        return image


def _depth(frame: VideoFrame) -> int:
    return frame.format.components[0].bits


def _white(depth: int, *, full: bool) -> int:
    """Return what swscale makes of white in 16 bits: it shifts, so that white stays below 65535."""
    depth = min(max(depth, 8), 16)
    return ((1 << depth) - 1) << (16 - depth) if full else 255 << 8


def _plane(frame: VideoFrame, index: int, dtype: type[T]) -> NDArray[T]:
    """Return one plane as [H, W], a view without the padding of its lines."""
    plane = frame.planes[index]
    step = plane.line_size // np.dtype(dtype).itemsize
    samples = np.frombuffer(memoryview(plane), dtype)[: step * plane.height]
    return samples.reshape(plane.height, step)[:, : plane.width]
