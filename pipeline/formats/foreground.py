"""foreground.mp4: the decontaminated colours, opaque, to be cut out with alpha.mp4 as a luma matte; with the sound.

Sources of 8 bits become H.264 High 4:2:0, which everything reads. Deeper ones become HEVC Main 10 (tag hvc1): phones
and cameras record them in it, whereas editors and browsers seldom read 10-bit H.264.
"""

from __future__ import annotations

from pathlib import Path

import av

from pipeline.audio import AudioRule
from pipeline.colour import resolve
from pipeline.deliver import Clock, DeliverFrame
from pipeline.encode import VideoSettings, VideoWriter
from pipeline.formats.mp4 import CONTAINER_OPTIONS, even_size, keyframe_interval, padding_note
from pipeline.info import Colour, VideoInfo
from pipeline.planes import Yuv420, foreground_of, pad_even, yuv_matrix

AUDIO = AudioRule(encoder="aac", copied=frozenset({"aac", "mp3", "ac3", "eac3", "alac"}))

H264_OPTIONS = {"preset": "veryfast", "crf": "10", "bf": "0"}
HEVC_OPTIONS = {"preset": "superfast", "crf": "10", "x265-params": "log-level=none:bframes=0:repeat-headers=0"}


def open_foreground(
    target: Path, info: VideoInfo, clock: Clock, *, premultiplied: bool, audio_source: Path | None
) -> VideoWriter:
    """Open a writer of foreground.mp4."""
    colour = delivered_colour(info)
    deep = info.bit_depth > 8
    pixel_format = "yuv420p10le" if deep else "yuv420p"
    notes = padding_note(info)
    if premultiplied:
        notes["comment"] = " ".join(["Colours are premultiplied by alpha.", *notes.values()])
    settings = VideoSettings(
        container="mp4",
        codec="libx265" if deep else "libx264",
        pixel_format=pixel_format,
        size=even_size(info),
        colour=colour,
        options={**(HEVC_OPTIONS if deep else H264_OPTIONS), "g": keyframe_interval(info)},
        container_options=CONTAINER_OPTIONS,
        codec_tag="hvc1" if deep else "",
        metadata=notes,
        audio=AUDIO,
    )

    convert = Yuv420(settings.size[0], yuv_matrix(colour, 10 if deep else 8), pixel_format)

    def draw(frame: DeliverFrame) -> av.VideoFrame:
        return convert(pad_even(foreground_of(frame, premultiplied=premultiplied)))

    return VideoWriter(target, info, clock, settings, draw, audio_source=audio_source)


def delivered_colour(info: VideoInfo) -> Colour:
    """Return the source's colour tags with the range and matrix that its file left open; of R'G'B' sources, video's."""
    colour = resolve(info.colour, info.width, info.height, info.pixel_format)
    if info.colour.matrix == "gbr" or info.pixel_format.startswith(("rgb", "gbr", "bgr")):
        return colour.model_copy(update={"range": "limited"})
    return colour
