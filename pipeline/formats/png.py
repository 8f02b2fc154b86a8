"""PNG sequence: lossless RGBA, 8 bits, or 16 where the source is deeper.

PNG's alpha is straight by its standard; premultiplied pictures say so in a text chunk. Colour goes into the cICP chunk
(PNG, third edition), non-square pixels into pHYs. Pixels are R'G'B' in the source's transfer function.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np

from pipeline.colour import PRIMARIES, TRANSFERS, UNSPECIFIED, code
from pipeline.deliver import Clock, DeliverFrame
from pipeline.info import VideoInfo
from pipeline.planes import codes_of, foreground_of
from pipeline.sequence import SequenceWriter

_OPTIONS = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_HEADER = 33  # bytes of signature and IHDR; other chunks follow


def open_png(
    target: Path, info: VideoInfo, clock: Clock, *, premultiplied: bool, audio_source: Path | None
) -> SequenceWriter:
    """Open a writer of a folder of PNG files; they carry no sound."""
    peak = 65535 if info.bit_depth > 8 else 255
    chunks = _chunks(info, premultiplied)

    def save(frame: DeliverFrame, path: Path) -> None:
        blue_first = cv2.cvtColor(foreground_of(frame, premultiplied=premultiplied), cv2.COLOR_RGB2BGR)
        codes = cv2.merge([*cv2.split(codes_of(blue_first, peak)), codes_of(frame.alpha, peak)])
        data = cv2.imencode(".png", codes, _OPTIONS)[1].tobytes()
        path.write_bytes(data[:_HEADER] + chunks + data[_HEADER:])

    return SequenceWriter(target, info, clock, ".png", save)


def _chunks(info: VideoInfo, premultiplied: bool) -> bytes:
    """Return the chunks that say what the pixels are."""
    chunks = b""
    primaries, transfer = info.colour.primaries, info.colour.transfer
    if UNSPECIFIED not in (primaries, transfer):
        chunks += _chunk(b"cICP", bytes([code(PRIMARIES, primaries), code(TRANSFERS, transfer), 0, 1]))
    aspect = info.sample_aspect_ratio
    if aspect != 1:  # pixels per unit, without a unit: wide pixels are fewer across
        chunks += _chunk(b"pHYs", np.array([aspect.denominator, aspect.numerator], ">u4").tobytes() + b"\0")
    if premultiplied:
        chunks += _chunk(b"tEXt", b"Comment\0Colours are premultiplied by alpha.")
    return chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
