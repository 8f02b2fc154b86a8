"""What the table of formats says about one: plain data, importable without numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormatCost:
    """What a format takes, fitted to what was measured (`benchmarks/estimate.py` shows how far off it is).

    Attributes:
        seconds: to draw and encode a megapixel, on the reference machine of `runner_base.speeds`.
        memory: bytes a pixel while it is written.
        thread_memory: bytes a pixel more for each processor: encoders keep frames for each thread.
        fixed_memory: bytes that do not depend on the size.
        bytes: of the deliverable, a pixel and frame, of a picture of one megapixel of which the object and its
            surroundings are a quarter.
        growth: exponent of the size in megapixels by which `bytes` changes: larger pictures have less to code a pixel.
        frame_bytes: of the deliverable, a frame, whatever its size.
        audio_bytes: of the deliverable, a second and channel of sound.
    """

    seconds: float
    memory: float
    bytes: float
    thread_memory: float = 0.0
    fixed_memory: int = 0
    growth: float = -0.2
    frame_bytes: int = 50
    audio_bytes: int = 0


@dataclass(frozen=True)
class FormatSpec:
    """One row of the table of formats.

    Attributes:
        name: as on the command line.
        title: as in menus.
        file_name: the deliverable's name inside a session.
        target: 'module:function' that opens a writer, imported on first use.
        help: one or two lines for whoever chooses.
        normal: what it takes for sources of 8 bits.
        deep: what it takes for deeper ones, where that differs.
        folder: whether it is a folder of numbered files.
        foreground: whether it carries colours, so that frames need a foreground.
        alpha: whether it carries alpha.
        audio: whether it carries sound.
        premultiplied: its convention, where it carries colours; None where the question makes no sense.
    """

    name: str
    title: str
    file_name: str
    target: str
    help: str
    normal: FormatCost
    deep: FormatCost | None = None
    folder: bool = False
    foreground: bool = True
    alpha: bool = True
    audio: bool = False
    premultiplied: bool | None = False

    def cost(self, deep: bool) -> FormatCost:
        """Return what it takes for a source of 8 bits, or of more."""
        return (deep and self.deep) or self.normal
