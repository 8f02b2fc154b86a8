"""Write the demo: the clip (H.264, AAC), its alpha (H.264, grey) and a mask for each keyframe (PNG)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from demo_clip.shot import HEIGHT, KEYFRAMES, RATE, WIDTH, Picture
from demo_clip.sound import SAMPLE_RATE

CLIP_CRF = 18.2
ALPHA_CRF = 2
BT709 = 1
MASK_SMOOTH = 5.0
"""Deviation in pixels: nobody draws single strands into a mask."""

Frame = Callable[[int], tuple[Picture, Picture]]


def write(folder: Path, frames: int, frame: Frame, sound: NDArray[np.float32]) -> None:
    """Write clip.mp4, alpha.mp4 and the keyframes' mask_NNNNNN.png of `frames` frames into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "+faststart"}
    with (
        av.open(folder / "clip.mp4", "w", options=options) as clip,
        av.open(folder / "alpha.mp4", "w", options=options) as matte,
    ):
        picture = _video(clip, "yuv420p", CLIP_CRF)
        audio = clip.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=96_000)
        grey = _video(matte, "gray", ALPHA_CRF)
        for index in range(frames):
            rgb, alpha = frame(index)
            if index in KEYFRAMES:
                cv2.imwrite(str(folder / f"mask_{index:06d}.png"), drawn_mask(alpha))
            clip.mux(picture.encode(_colour_frame(rgb, index)))
            matte.mux(grey.encode(_grey_frame(alpha, index)))
        clip.mux(picture.encode(None))
        matte.mux(grey.encode(None))
        _write_sound(clip, audio, sound)


def drawn_mask(alpha: Picture) -> Picture:
    """Return the mask (0 or 255) that a person would draw for `alpha`: what is at least half opaque, smoothed."""
    return np.where(cv2.GaussianBlur(alpha, (0, 0), MASK_SMOOTH) > 127, 255, 0).astype(np.uint8)


def _video(container: av.container.OutputContainer, pixel_format: str, crf: float) -> av.VideoStream:
    """Add an H.264 stream of the shot's size and rate."""
    stream = container.add_stream("libx264", rate=RATE)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
    stream.options = {"crf": str(crf), "preset": "veryslow", "x264-params": "threads=1"}
    context = stream.codec_context
    context.color_primaries = context.color_trc = BT709
    context.colorspace = BT709
    context.color_range = ColorRange.JPEG if pixel_format == "gray" else ColorRange.MPEG
    return stream


def _colour_frame(rgb: Picture, index: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    frame.pts, frame.time_base = index, 1 / RATE
    return frame


def _grey_frame(alpha: Picture, index: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(alpha, format="gray")
    frame.color_range = ColorRange.JPEG
    frame.pts, frame.time_base = index, 1 / RATE
    return frame


def _write_sound(clip: av.container.OutputContainer, stream: av.AudioStream, sound: NDArray[np.float32]) -> None:
    """Encode stereo sound float32 [2, N]."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
    clip.mux(stream.encode(frame))
    clip.mux(stream.encode(None))
