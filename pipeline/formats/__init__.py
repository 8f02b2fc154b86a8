"""The one table of delivery formats, and `open_writer`. A new format is a file here and a row below."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from errors import ParameterError
from pipeline.formats.spec import FormatCost, FormatSpec

if TYPE_CHECKING:
    from pipeline.deliver import Writer
    from pipeline.info import VideoInfo

__all__ = ["FORMATS", "FormatSpec", "format_spec", "open_writer"]

_ROWS = (
    FormatSpec(
        name="alpha",
        title="Alpha, MP4",
        file_name="alpha.mp4",
        target="pipeline.formats.alpha:open_alpha",
        help="The matte as grey H.264 that plays everywhere, within 0.7 % of the exact alpha; use it as a luma matte.",
        normal=FormatCost(seconds=0.007, memory=1, thread_memory=3.8, bytes=0.03),
        foreground=False,
        premultiplied=None,
    ),
    FormatSpec(
        name="foreground",
        title="Foreground, MP4",
        file_name="foreground.mp4",
        target="pipeline.formats.foreground:open_foreground",
        help="The decontaminated colours with the sound, to go with alpha: H.264, or 10-bit HEVC for deeper sources.",
        normal=FormatCost(seconds=0.013, memory=21, thread_memory=14, bytes=0.0275, audio_bytes=16_000),
        deep=FormatCost(seconds=0.055, memory=170, thread_memory=14, bytes=0.017, audio_bytes=16_000),
        alpha=False,
        audio=True,
    ),
    FormatSpec(
        name="prores",
        title="ProRes 4444, QuickTime",
        file_name="prores4444.mov",
        target="pipeline.formats.prores:open_prores",
        help="Colours and alpha in one file for After Effects, Premiere, Resolve and Final Cut; uncompressed sound.",
        normal=FormatCost(seconds=0.052, memory=71, thread_memory=21, bytes=0.35, audio_bytes=96_000),
        audio=True,
    ),
    FormatSpec(
        name="webm",
        title="VP9 with alpha, WebM",
        file_name="vp9.webm",
        target="pipeline.formats.webm:open_webm",
        help="Transparent video for browsers: small, lossy, 8 bits, with sound.",
        normal=FormatCost(
            seconds=0.06, memory=262, fixed_memory=51_000_000, bytes=0.02, growth=-0.3, audio_bytes=12_000
        ),
        audio=True,
    ),
    FormatSpec(
        name="png",
        title="PNG sequence",
        file_name="png",
        target="pipeline.formats.png:open_png",
        help="Lossless RGBA pictures numbered by source frame; 16 bits where the source has more than 8.",
        normal=FormatCost(seconds=0.034, memory=16, bytes=0.52, growth=-0.16),
        deep=FormatCost(seconds=0.19, memory=20, bytes=1.8, growth=-0.16),
        folder=True,
    ),
    FormatSpec(
        name="exr",
        title="OpenEXR sequence",
        file_name="exr",
        target="pipeline.formats.exr:open_exr",
        help="Half-float RGBA in linear light for Nuke, Fusion and Blender, numbered by source frame.",
        normal=FormatCost(seconds=0.062, memory=40, bytes=0.8, growth=-0.08),
        folder=True,
        premultiplied=True,
    ),
)
FORMATS: dict[str, FormatSpec] = {row.name: row for row in _ROWS}
"""Every format by name."""


def format_spec(name: str) -> FormatSpec:
    """Return the row of a format.

    Raises:
        ParameterError: there is none of that name.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise ParameterError(f"no such format: {name}; there are {', '.join(FORMATS)}") from None


def open_writer(
    name: str,
    target: Path,
    info: VideoInfo,
    *,
    premultiplied: bool | None = None,
    audio_source: Path | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Writer:
    """Begin a deliverable.

    Args:
        name: a format of the table.
        target: the file or folder it becomes when closed.
        info: facts of the source; frame count, times, size and colour are kept.
        premultiplied: colours multiplied by alpha or straight; None for the format's convention.
        audio_source: the source's file, for the formats that carry sound.
        start: first frame to deliver; its time becomes 0, sound is cut to match.
        stop: one past the last frame; None for all.

    Raises:
        ParameterError: no such format, or one that cannot hold this clip.
        StorageError: the disk is full or not writable.
        ValueError: `start` and `stop` are not a range of the clip.
    """
    from pipeline.deliver import Clock  # numpy: not for reading the table

    spec = format_spec(name)
    module, function = spec.target.split(":")
    opener = getattr(importlib.import_module(module), function)
    if premultiplied is None:
        premultiplied = bool(spec.premultiplied)
    clock = Clock(info, start, stop)
    return cast("Writer", opener(target, info, clock, premultiplied=premultiplied, audio_source=audio_source))
