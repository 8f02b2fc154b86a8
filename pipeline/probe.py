"""What is in a video file: `probe` looks at its header and first frame, `scan` decodes all of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from av.audio.stream import AudioStream
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from errors import MediaError
from pipeline.colour import read_colour
from pipeline.container import OpenVideo, shown
from pipeline.info import AudioInfo, VideoInfo
from pipeline.timeline import FALLBACK_RATE, Clock

Progress = Callable[[int, int], object]
"""Called with (frames so far, frames expected); may raise to stop."""

_SEEKABLE_FORMATS = ("mov,", "matroska", "mpegts")
_SEEKABLE_CODECS = {
    *("h264", "hevc", "vp8", "vp9", "av1", "mpeg2video", "mpeg4"),
    *("mjpeg", "prores", "dnxhd", "cfhd", "ffv1", "png", "rawvideo", "v210", "dvvideo", "huffyuv", "utvideo"),
}
_HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


def probe(path: Path) -> VideoInfo:
    """Return the facts of a video file from its header and its first frame; quick, whatever its length.

    Raises:
        MediaError: the file cannot be read, is no video, is encrypted, or nothing in it decodes.
    """
    with OpenVideo(path, threads=1) as video:
        for frame in video.frames():
            return _describe(video, frame)
        raise _nothing_decodes(video)


def scan(path: Path, progress: Progress | None = None) -> VideoInfo:
    """Return the facts of a video file after decoding every frame: `frames` and `times` are exact.

    Raises:
        MediaError: as for `probe`.
    """

    def count(survey: Survey) -> None:
        for done, _ in enumerate(survey.frames(), 1):
            if progress is not None:
                progress(done, max(done, survey.info.frames))

    return survey_file(path, count)


def survey_file(path: Path, use: Callable[[Survey], None]) -> VideoInfo:
    """Run `use` over a survey of the file and return the exact facts; twice if the file turns out to be damaged.

    With several threads libav can drop good frames around a broken one, so a damaged file counts as one thread decodes
    it.
    """
    survey = Survey(path)
    use(survey)
    if survey.info.damaged:
        survey = Survey(path, threads=1)
        use(survey)
    return survey.info


class Survey:
    """One full decoding pass that learns the facts on its way, so that whoever needs the frames anyway gets both."""

    info: VideoInfo
    """Inexact from the first frame on, exact when `frames` has ended."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        """Prepare a pass over `path`; `threads` as for `OpenVideo`."""
        self._path = path
        self.threads = threads

    def frames(self) -> Generator[VideoFrame]:
        """Yield every frame that decodes, in display order.

        Raises:
            MediaError: as for `probe`.
        """
        with OpenVideo(self._path, threads=self.threads) as video:
            clock: Clock | None = None
            stored, corrupt, resized = (0, 0), 0, 0
            for frame in video.frames():
                if clock is None:
                    self.info = _describe(video, frame)
                    clock = _clock(video)
                    stored = frame.width, frame.height
                clock.add(frame.pts)
                corrupt += frame.is_corrupt
                resized += (frame.width, frame.height) != stored
                if frame.interlaced_frame and not self.info.interlaced:
                    self.info = self.info.model_copy(update={"interlaced": True})
                yield frame
            if clock is None:
                raise _nothing_decodes(video)
            self.info = _conclude(self.info, video, clock, corrupt, resized)


def _conclude(info: VideoInfo, video: OpenVideo, clock: Clock, corrupt: int, resized: int) -> VideoInfo:
    """Return `info` with what only the whole pass could tell."""
    timeline = clock.finish()
    damaged = bool(video.errors or corrupt)
    warnings = list(info.warnings)
    if video.errors:
        warnings.append(f"{video.errors} damaged packets were skipped: {video.last_error}")
    if corrupt:
        warnings.append(f"{corrupt} frames show decoding errors")
    if resized:
        warnings.append(f"the picture changes its size; {resized} frames are scaled to that of the first")
    if damaged and 0 < len(clock) < info.frames:
        warnings.append(f"the header announces {info.frames} frames, {len(clock)} decode")
    if timeline.repaired == len(clock):
        warnings.append(f"the file has no timestamps; {timeline.rate} frames a second are assumed")
    elif timeline.repaired:
        warnings.append(f"{timeline.repaired} timestamps were missing or out of order and were repaired")
    if info.interlaced:
        warnings.append("interlaced; frames are kept as they are, not deinterlaced")
    container, codec = video.container.format.name, info.codec
    seekable = container.startswith(_SEEKABLE_FORMATS) and codec in _SEEKABLE_CODECS
    return info.model_copy(
        update={
            "frames": len(clock),
            "exact": True,
            "rate": timeline.rate,
            "times": timeline.times,
            "start": timeline.first * info.time_base,
            "warnings": tuple(warnings),
            "damaged": damaged,
            "seekable": seekable and not damaged and not timeline.repaired,
        }
    )


def _nothing_decodes(video: OpenVideo) -> MediaError:
    reason = video.last_error or "it holds no picture data"
    return MediaError(f"{shown(video.path)}: no frame of it decodes ({video.stream.codec.canonical_name}): {reason}")


def _clock(video: OpenVideo) -> Clock:
    resets = video.container.format.name in ("mpegts", "mpeg")
    return Clock(_time_base(video), _declared_rates(video), resets=resets)


def _time_base(video: OpenVideo) -> Fraction:
    return video.stream.time_base or Fraction(1, 90000)


def _declared_rates(video: OpenVideo) -> list[Fraction]:
    stream = video.stream
    return [rate for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate) if rate]


def _describe(video: OpenVideo, frame: VideoFrame) -> VideoInfo:
    """Return what header and first frame tell; `frames`, `rate` and `times` are the container's word."""
    stream = video.stream
    rate = next((r for r in _declared_rates(video) if 1 <= r <= 480), FALLBACK_RATE)
    rotation, mirrored, exact_angle = read_orientation(frame)
    upright = rotation in (0, 180)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    colour = read_colour(frame)
    warnings = []
    tracks = len(video.container.streams.video)
    if tracks > 1:
        warnings.append(f"{tracks} video tracks; track {stream.index} is used")
    if not exact_angle:
        warnings.append(f"turned by an odd angle; shown at {rotation} degrees")
    if colour.transfer in _HDR:
        warnings.append(f"HDR ({_HDR[colour.transfer]}): code values are kept as they are, without tone mapping")
    return VideoInfo(
        width=frame.width if upright else frame.height,
        height=frame.height if upright else frame.width,
        frames=_estimate_frames(video, rate),
        exact=False,
        rate=rate,
        time_base=_time_base(video),
        start=(frame.pts or 0) * _time_base(video),
        rotation=rotation,
        mirrored=mirrored,
        sample_aspect_ratio=aspect if upright else 1 / aspect,
        codec=stream.codec.canonical_name,
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        has_alpha=_has_alpha(video, frame),
        interlaced=frame.interlaced_frame,
        colour=colour,
        audio=_describe_audio(video),
        warnings=tuple(warnings),
        stream=stream.index,
    )


def _estimate_frames(video: OpenVideo, rate: Fraction) -> int:
    stream = video.stream
    if stream.frames > 0:
        return stream.frames
    if stream.duration and stream.time_base:
        return max(1, round(stream.duration * stream.time_base * rate))
    return max(1, round(Fraction(video.container.duration or 0, 1_000_000) * rate))


def _has_alpha(video: OpenVideo, frame: VideoFrame) -> bool:
    """Tell whether the file has transparency, decoded (ProRes 4444) or beside the picture (WebM)."""
    beside = video.stream.metadata.get("alpha_mode", video.stream.metadata.get("ALPHA_MODE")) == "1"
    return beside or any(component.is_alpha for component in frame.format.components)


def _describe_audio(video: OpenVideo) -> AudioInfo | None:
    stream = video.container.streams.best("audio")
    if not isinstance(stream, AudioStream) or stream.codec_context is None:
        return None
    return AudioInfo(codec=stream.codec.canonical_name, sample_rate=stream.rate, channels=stream.channels)


def read_orientation(frame: VideoFrame) -> tuple[int, bool, bool]:
    """Return how the frame has to be shown, from its display matrix.

    Returns:
        Degrees clockwise (0, 90, 180, 270), to be applied after mirroring left to right if the second is true;
        the third tells whether the angle was exactly that.
    """
    side_data: Any = frame.side_data  # PyAV's stub does not know this kind
    if Type.DISPLAYMATRIX not in side_data:
        return 0, False, True
    matrix = np.frombuffer(side_data[Type.DISPLAYMATRIX], np.int32)
    a, b, _, c, d = (float(value) for value in matrix[:5])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    angle = math.degrees(math.atan2(b, a))
    quarter = round(angle / 90)
    return quarter * 90 % 360, mirrored, abs(angle - quarter * 90) < 1
