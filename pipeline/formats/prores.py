"""ProRes 4444 in QuickTime: 4:4:4 colours in video range and an alpha plane coded without loss.

The encoder takes 10 bits, colours and alpha alike; decoders give 12 (opaque stays exactly opaque). Of FFmpeg's two
encoders it is the slower prores_ks, because prores_aw writes opaque as 1023/1024. QuickTime's own field for it, the
graphics mode, says straight or premultiplied. Sound becomes PCM.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from pipeline.audio import AudioRule
from pipeline.deliver import Clock, DeliverFrame
from pipeline.encode import VideoSettings, VideoWriter
from pipeline.formats.foreground import delivered_colour
from pipeline.info import VideoInfo
from pipeline.planes import fill, foreground_of, yuv444, yuv_matrix

MAX_ERROR = 0.5 / 1023 + 1 / 4095
"""Largest error of the decoded alpha: half a code of 10 bits, and what decoders cut off below 12."""

_PIXEL_FORMAT = "yuva444p10le"
_STRAIGHT_ALPHA, _PREMULTIPLIED_BLACK = 0x100, 0x102


def open_prores(
    target: Path, info: VideoInfo, clock: Clock, *, premultiplied: bool, audio_source: Path | None
) -> VideoWriter:
    """Open a writer of a ProRes 4444 file."""
    colour = delivered_colour(info).model_copy(update={"range": "limited"})  # ProRes has no other
    matrix = yuv_matrix(colour, 10)
    settings = VideoSettings(
        container="mov",
        codec="prores_ks",
        pixel_format=_PIXEL_FORMAT,
        size=(info.width, info.height),
        colour=colour,
        options={"profile": "4444", "alpha_bits": "16", "vendor": "apl0"},
        # 'encoder' becomes the compressor's name in the sample description, by which some editors tell ProRes apart
        stream_metadata={"encoder": "Apple ProRes 4444"},
        metadata={"comment": f"{'Premultiplied' if premultiplied else 'Straight'} alpha"},
        audio=AudioRule(encoder="pcm"),
    )

    def draw(frame: DeliverFrame) -> av.VideoFrame:
        picture = yuv444(foreground_of(frame, premultiplied=premultiplied), matrix, _PIXEL_FORMAT)
        fill(picture, 3, frame.alpha * np.float32(1023))
        return picture

    def finish(path: Path) -> None:
        set_graphics_mode(path, _PREMULTIPLIED_BLACK if premultiplied else _STRAIGHT_ALPHA)

    return VideoWriter(target, info, clock, settings, draw, audio_source=audio_source, finish=finish)


def set_graphics_mode(path: Path, mode: int) -> None:
    """Set the graphics mode in the video media header (QuickTime File Format, 'vmhd') of a finished file."""
    with path.open("rb+") as file:
        for kind, begin, size in _atoms(file):
            if kind == b"moov":
                file.seek(begin)
                place = file.read(size).find(b"vmhd")
                if place >= 0:
                    file.seek(begin + place + 8)  # type, then a byte of version and three of flags
                    file.write(mode.to_bytes(2, "big"))


def _atoms(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset, size) of the file's top-level atoms."""
    offset = 0
    while len(head := _read_at(file, offset, 16)) >= 8:
        size = int.from_bytes(head[:4], "big")
        if size == 1:  # the size follows in 64 bits
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            return
        yield head[4:8], offset, size
        offset += size


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
