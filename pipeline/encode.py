"""Write a video file frame by frame: exact times, colour tags, sound alongside, in place whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.codec.context import Flags, ThreadType
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from atomic import commit_file, partial_path
from errors import storage_errors
from pipeline.audio import AudioRule, AudioTrack
from pipeline.colour import write_colour
from pipeline.deliver import Clock, DeliverFrame, Order
from pipeline.info import Colour, VideoInfo

_LARGEST_RATE = 1_000_000


@dataclass(frozen=True)
class VideoSettings:
    """How a format writes its file.

    Attributes:
        container: FFmpeg's name of the container.
        codec: FFmpeg's name of the encoder.
        pixel_format: what the encoder takes.
        size: (width, height) as encoded.
        colour: tags to write.
        options: the encoder's options.
        container_options: the container's options.
        codec_tag: four letters, where players insist on one.
        metadata: tags of the file.
        stream_metadata: tags of the video stream.
        audio: how sound is carried; None for a silent format.
    """

    container: str
    codec: str
    pixel_format: str
    size: tuple[int, int]
    colour: Colour
    options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)
    codec_tag: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    stream_metadata: Mapping[str, str] = field(default_factory=dict)
    audio: AudioRule | None = None


class VideoWriter:
    """A `Writer` of one video file. Nothing of the source's own tags (places, cameras, names) is carried over."""

    def __init__(
        self,
        target: Path,
        info: VideoInfo,
        clock: Clock,
        settings: VideoSettings,
        draw: Callable[[DeliverFrame], av.VideoFrame],
        *,
        audio_source: Path | None = None,
        finish: Callable[[Path], None] | None = None,
    ) -> None:
        """Open the temporary file beside `target`.

        Args:
            target: the file to write.
            info: facts of the source.
            clock: the frames to write and their times.
            settings: container, codec and tags.
            draw: makes the encoder's frame, of the settings' pixel format and size.
            audio_source: file whose sound is carried, where `info` says that it has one.
            finish: a last touch on the complete file before it gets its name.
        """
        self._target, self._temporary = target, partial_path(target)
        self._clock, self._draw, self._finish = clock, draw, finish
        self._order = Order(clock, (info.width, info.height))
        self._colour = settings.colour
        self._durations: dict[int, int] = {}
        self._audio: AudioTrack | None = None
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._output = _open(self._temporary, clock, settings)
        try:
            self._stream = _add_video(self._output, info, clock, settings)
            if settings.audio is not None and audio_source is not None and info.audio is not None:
                # at the clip's own end nothing is cut: sound may outlast the picture
                end = None if clock.stop == info.frames else info.start + clock.end
                self._audio = AudioTrack(self._output, audio_source, settings.audio, info.start + clock.begin, end)
            with storage_errors(target):
                self._output.start_encoding()
        except BaseException:
            self.abort()
            raise

    def write(self, frame: DeliverFrame) -> None:
        """Encode the next frame, and the sound up to it."""
        self._order.check(frame)
        picture = self._draw(frame)
        picture.pts = self._clock.ticks(frame.index)
        picture.time_base = self._clock.time_base
        write_colour(picture, self._colour)  # ProRes writes the frame's tags, not the stream's
        self._durations[picture.pts] = self._clock.ticks(frame.index + 1) - picture.pts
        with storage_errors(self._target):
            self._mux(self._stream.encode(picture))
            self._pump(self._clock.seconds(frame.index) - self._clock.begin)

    def close(self) -> Path:
        """Finish the file and give it its name."""
        try:
            self._order.check_complete()
            with storage_errors(self._target):
                self._mux(self._stream.encode(None))
                self._pump(None)
                self._output.close()
                if self._finish is not None:
                    self._finish(self._temporary)
                commit_file(self._temporary, self._target)
        except BaseException:
            self.abort()
            raise
        self._close_audio()
        return self._target

    def abort(self) -> None:
        """Leave nothing of the file."""
        self._close_audio()
        with suppress(OSError):  # on a full disk even closing fails
            self._output.close()
        self._temporary.unlink(missing_ok=True)

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            # encoders guess a frame's duration from the rate; with a variable one only the source's times know
            packet.duration = self._durations.pop(cast(int, packet.pts), packet.duration)
            self._output.mux_one(packet)

    def _pump(self, until: Fraction | None) -> None:
        if self._audio is not None:
            self._audio.pump(until)

    def _close_audio(self) -> None:
        if self._audio is not None:
            self._audio.close()
            self._audio = None


def _open(path: Path, clock: Clock, settings: VideoSettings) -> OutputContainer:
    """Open a container without dates, random ids and versions: the same input gives the same file."""
    options = {"fflags": "+bitexact", **settings.container_options}
    if settings.container in ("mp4", "mov"):
        timescale = str(clock.time_base.denominator)
        options |= {"video_track_timescale": timescale, "movie_timescale": timescale}
    output = av.open(str(path), "w", format=settings.container, options=options)
    output.metadata.update(settings.metadata)
    return output


def _add_video(output: OutputContainer, info: VideoInfo, clock: Clock, settings: VideoSettings) -> VideoStream:
    rate = info.rate if max(info.rate.numerator, info.rate.denominator) <= _LARGEST_RATE else None
    rate = rate or info.rate.limit_denominator(1001)
    stream = cast(VideoStream, output.add_stream(settings.codec, rate=rate, options=dict(settings.options)))
    stream.width, stream.height = settings.size
    stream.pix_fmt = settings.pixel_format
    context = stream.codec_context
    context.time_base = clock.time_base
    context.sample_aspect_ratio = info.sample_aspect_ratio
    context.thread_type = ThreadType.AUTO
    context.flags |= int(Flags.bitexact)
    if settings.codec_tag:
        context.codec_tag = settings.codec_tag
    write_colour(context, settings.colour)
    stream.metadata.update(settings.stream_metadata)
    return stream
