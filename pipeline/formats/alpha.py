"""alpha.mp4: the matte as the luma of an H.264 file that every player, browser and editor reads.

The quantiser is constant and almost lossless, because a rate control spends bits where eyes look, not where mattes
break: luma is off by at most one of its 219 codes, so that alpha is off by at most `MAX_ERROR`. No frame waits for a
later one, and each second starts afresh, so that scrubbing is quick and no edit list is needed.
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2

from pipeline.deliver import Clock, DeliverFrame
from pipeline.encode import VideoSettings, VideoWriter
from pipeline.formats.mp4 import CONTAINER_OPTIONS, even_size, keyframe_interval, padding_note
from pipeline.info import Colour, VideoInfo
from pipeline.planes import grey420, pad_even

MAX_ERROR = 1.5 / 219
"""Largest error of the decoded alpha: half a code by rounding, one by coding."""

OPTIONS = {"preset": "ultrafast", "qp": "1", "x264-params": "deadzone-inter=6:deadzone-intra=6:ipratio=1"}
"""libx264's."""

_COLOUR = Colour(range="limited", primaries="bt709", transfer="bt709", matrix="bt709")


def open_alpha(
    target: Path, info: VideoInfo, clock: Clock, *, premultiplied: bool, audio_source: Path | None
) -> VideoWriter:
    """Open a writer of alpha.mp4; it has neither colours nor sound."""
    settings = VideoSettings(
        container="mp4",
        codec="libx264",
        pixel_format="yuv420p",
        size=even_size(info),
        colour=_COLOUR,
        options={**OPTIONS, "g": keyframe_interval(info)},
        container_options=CONTAINER_OPTIONS,
        metadata=padding_note(info),
    )
    return VideoWriter(target, info, clock, settings, _draw)


def _draw(frame: DeliverFrame) -> av.VideoFrame:
    luma = cv2.convertScaleAbs(frame.alpha, alpha=219, beta=16)
    return grey420(pad_even(luma))
