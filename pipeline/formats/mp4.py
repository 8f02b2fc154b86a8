"""What the MP4 formats share."""

from __future__ import annotations

import math

from pipeline.info import VideoInfo

CONTAINER_OPTIONS = {"movflags": "+faststart"}
"""The index in front, so that a browser starts before it has everything."""


def even_size(info: VideoInfo) -> tuple[int, int]:
    """Return (width, height) as encoded: 4:2:0 needs even ones, so the last column or row is repeated."""
    return info.width + info.width % 2, info.height + info.height % 2


def padding_note(info: VideoInfo) -> dict[str, str]:
    """Return the file's tags that declare the padding, if there is any."""
    size = even_size(info)
    if size == (info.width, info.height):
        return {}
    return {
        "comment": f"The picture is {info.width}x{info.height}, at the top left of {size[0]}x{size[1]}: crop the rest, "
        "which repeats the last column or row."
    }


def keyframe_interval(info: VideoInfo) -> str:
    """Return the frames of about one second."""
    return str(max(1, math.ceil(info.rate)))
