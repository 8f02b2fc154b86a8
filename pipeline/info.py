"""The facts of a video file, as data: what `probe` finds, `meta.json` keeps and the encoders need."""

from __future__ import annotations

from fractions import Fraction

from pydantic import BaseModel, ConfigDict


class Colour(BaseModel):
    """Colour description by FFmpeg's names; 'unspecified' where the file does not say."""

    model_config = ConfigDict(frozen=True)

    range: str = "unspecified"
    """'limited' (tv), 'full' (pc) or 'unspecified'."""
    primaries: str = "unspecified"
    transfer: str = "unspecified"
    matrix: str = "unspecified"


class AudioInfo(BaseModel):
    """The audio stream that deliverables carry."""

    model_config = ConfigDict(frozen=True)

    codec: str
    sample_rate: int
    channels: int


class VideoInfo(BaseModel):
    """One video stream as it is shown: after rotation, before any scaling."""

    model_config = ConfigDict(frozen=True)

    width: int
    """Pixels, after rotation."""
    height: int
    frames: int
    """Frames that decode (exact after `scan`, the container's word or an estimate after `probe`)."""
    exact: bool
    """Whether every frame was decoded to find `frames` and `times`."""
    rate: Fraction
    """Frames a second: exact for a constant rate, the mean for a variable one."""
    time_base: Fraction
    """Seconds per tick of `times`."""
    times: tuple[int, ...] | None = None
    """Presentation time of each frame in ticks, the first at 0; None for a constant rate (frame i is at i / rate)."""
    start: Fraction = Fraction(0)
    """Seconds at which the first frame is shown in the source's own time."""
    rotation: int = 0
    """Degrees clockwise that decoding applies: 0, 90, 180, 270."""
    mirrored: bool = False
    """Whether decoding flips the picture left to right, before it rotates."""
    sample_aspect_ratio: Fraction = Fraction(1)
    codec: str
    pixel_format: str
    bit_depth: int = 8
    has_alpha: bool = False
    interlaced: bool = False
    colour: Colour = Colour()
    audio: AudioInfo | None = None
    warnings: tuple[str, ...] = ()
    stream: int = 0
    """Index of the video stream in its file."""
    seekable: bool = False
    """Whether `scan` found that frames can be told apart by their timestamps, so that random access may seek."""
    damaged: bool = False
    """Whether something did not decode: every later pass then goes on one thread from the start, to give the same."""
