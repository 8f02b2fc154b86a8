"""WebM with VP9 and an alpha plane: transparent video for browsers.

Alpha is a second, grey VP9 picture inside each block. VP9 takes odd sizes as they are. WebM counts time in
milliseconds: every frame is within half of one of its exact time, and the exact rate stands in the header. Pixels that
are not square are said as the size to show the picture at, see `webm_shape`.
"""

from __future__ import annotations

from pathlib import Path

import av
import cv2

from pipeline.audio import AudioRule
from pipeline.deliver import Clock, DeliverFrame
from pipeline.encode import VideoSettings, VideoWriter
from pipeline.formats.foreground import delivered_colour
from pipeline.formats.mp4 import keyframe_interval
from pipeline.formats.webm_shape import PLACE, display_size, set_display_size
from pipeline.info import VideoInfo
from pipeline.planes import Yuv420, fill, foreground_of, yuv_matrix

_PIXEL_FORMAT = "yuva420p"
_VP9 = {"deadline": "good", "cpu-used": "4", "crf": "15", "b": "0", "row-mt": "1", "auto-alt-ref": "0"}


def open_webm(
    target: Path, info: VideoInfo, clock: Clock, *, premultiplied: bool, audio_source: Path | None
) -> VideoWriter:
    """Open a writer of a WebM file."""
    colour = delivered_colour(info)
    square = info.sample_aspect_ratio == 1
    convert = Yuv420(info.width, yuv_matrix(colour, 8), _PIXEL_FORMAT)
    settings = VideoSettings(
        container="webm",
        codec="libvpx-vp9",
        pixel_format=_PIXEL_FORMAT,
        size=(info.width, info.height),
        colour=colour,
        options={**_VP9, "g": keyframe_interval(info)},
        stream_metadata={"alpha_mode": "1", **({} if square else PLACE)},
        metadata={"comment": f"{'Premultiplied' if premultiplied else 'Straight'} alpha"},
        audio=AudioRule(encoder="libopus"),
    )

    def draw(frame: DeliverFrame) -> av.VideoFrame:
        picture = convert(foreground_of(frame, premultiplied=premultiplied))
        fill(picture, 3, cv2.convertScaleAbs(frame.alpha, alpha=255))
        return picture

    def finish(path: Path) -> None:
        if not square:
            set_display_size(path, display_size(info))

    return VideoWriter(target, info, clock, settings, draw, audio_source=audio_source, finish=finish)
