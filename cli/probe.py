"""Command `probe`: what we see in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import Debug, Json, show
from cli.text import printable

if TYPE_CHECKING:
    from pipeline.info import VideoInfo


def probe(
    video: Annotated[Path, typer.Argument(help="The video.", show_default=False)],
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Decode VIDEO and print what is in it: size, rate, times, frames, colour, audio, rotation; or why not."""
    from pipeline.probe import scan

    info = scan(video)
    show(probe_data(video, info), lambda: probe_text(video, info))


def probe_data(video: Path, info: VideoInfo) -> dict[str, Any]:
    """Return the facts as --json prints them; times are seconds from the first frame, rate is exact as a fraction."""
    times = info.times or ()
    return {
        "file": str(video),
        "frames": info.frames,
        "width": info.width,
        "height": info.height,
        "rate": str(info.rate),
        "rate_fps": round(float(info.rate), 6),
        "constant_rate": info.times is None,
        "times": [round(float(tick * info.time_base), 6) for tick in times]
        or [round(float(index / info.rate), 6) for index in range(info.frames)],
        "start": float(info.start),
        "rotation": info.rotation,
        "mirrored": info.mirrored,
        "codec": info.codec,
        "pixel_format": info.pixel_format,
        "bit_depth": info.bit_depth,
        "has_alpha": info.has_alpha,
        "interlaced": info.interlaced,
        "sample_aspect_ratio": str(info.sample_aspect_ratio),
        "colour": info.colour.model_dump(),
        "audio": info.audio.model_dump() if info.audio else None,
        "warnings": list(info.warnings),
    }


def probe_text(video: Path, info: VideoInfo) -> str:
    """Return the facts for people."""
    colour = info.colour
    kind = "constant" if info.times is None else "variable"
    audio = info.audio
    lines = [
        printable(str(video)),
        f"  size      {info.width}x{info.height}"
        + (f", pixels {info.sample_aspect_ratio}" if info.sample_aspect_ratio != 1 else ""),
        f"  rate      {info.rate} ({float(info.rate):.3f} frames/s, {kind}), first frame at {float(info.start):.3f} s",
        f"  frames    {info.frames} decode",
        f"  codec     {info.codec}, {info.pixel_format}, {info.bit_depth} bit"
        + (", alpha" if info.has_alpha else "")
        + (", interlaced" if info.interlaced else ""),
        f"  colour    {colour.range} range, primaries {colour.primaries}, transfer {colour.transfer}, "
        f"matrix {colour.matrix}",
        f"  rotation  {info.rotation} degrees clockwise" + (", mirrored" if info.mirrored else ""),
        f"  audio     {f'{audio.codec}, {audio.sample_rate} Hz, {audio.channels} channels' if audio else 'none'}",
    ]
    return "\n".join([*lines, *(f"  warning   {printable(text)}" for text in info.warnings)])
