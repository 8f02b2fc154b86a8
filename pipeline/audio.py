"""Carry a source's sound into a deliverable: the same moments, packets copied or samples encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

_GAP = 0.01  # seconds; sources jitter by less, and a hole of more would put sound and picture apart
_SEEK_MARGIN = 5  # seconds before the range from which packets are read: seeking is coarse in some containers
_ENCODER_RATES = {
    "aac": (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000),
    "libopus": (48000,),
}
_ENCODER_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")
_BITS_PER_CHANNEL = {"aac": 128_000, "libopus": 96_000}


@dataclass(frozen=True)
class AudioRule:
    """How a container takes sound.

    Attributes:
        encoder: the codec for what is not copied; 'pcm' stands for 16 or 24 bits, as deep as the source.
        copied: codecs whose packets are copied as they are.
    """

    encoder: str
    copied: frozenset[str] = frozenset()


class AudioTrack:
    """The sound of a file between two moments, fed to a muxer as the picture goes on: little waits in memory."""

    def __init__(
        self, output: OutputContainer, source: Path, rule: AudioRule, begin: Fraction, end: Fraction | None
    ) -> None:
        """Add a stream to `output`, before its first packet.

        Args:
            output: the deliverable.
            source: a file with at least one sound stream.
            rule: what the container takes.
            begin: moment in the source's own time that becomes 0.
            end: moment at which to stop; None for all there is.
        """
        self._output, self._begin, self._end = output, begin, end
        self._input: InputContainer = av.open(str(source), metadata_errors="ignore")
        for stream in self._input.streams.video:
            stream.discard = av.stream.Discard.all
        self._source = cast(AudioStream, self._input.streams.best("audio") or self._input.streams.audio[0])
        if self._source.codec_context.name in rule.copied:
            self._stream = output.add_stream_from_template(self._source)
            self._packets = self._copied()
        else:
            self._stream = _add_encoder(output, rule, self._source)
            self._packets = self._encoded()
        self._stream.metadata.clear()
        if language := self._source.metadata.get("language"):
            self._stream.metadata["language"] = language
        self._waiting: Packet[AudioStream] | None = None

    def pump(self, until: Fraction | None) -> None:
        """Mux the packets that begin before `until`, in seconds of the deliverable; None for all that are left."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = packet
            if packet is None or (until is not None and _seconds(packet) >= until):
                return
            self._output.mux_one(packet)
            self._waiting = None

    def close(self) -> None:
        """Close the source."""
        self._packets.close()
        self._input.close()

    def _demuxed(self) -> Iterator[Packet[AudioStream]]:
        """Yield the source's packets, from a little before the beginning."""
        if self._begin > 2 * _SEEK_MARGIN:
            with suppress(av.FFmpegError):  # a file that cannot seek is read from its start
                self._input.seek(int((self._begin - _SEEK_MARGIN) * av.time_base))
        with suppress(av.EOFError):
            yield from self._input.demux(self._source)

    def _copied(self) -> Any:
        """Yield packets moved to the deliverable's time; one from before it comes along, as codecs overlap theirs."""
        for packet in self._demuxed():
            if packet.pts is None or packet.size == 0:
                continue
            time = packet.pts * packet.time_base - self._begin
            length = (packet.duration or 0) * packet.time_base
            if time + 2 * length <= 0:
                continue
            if self._end is not None and time >= self._end - self._begin:
                break
            shift = round(self._begin / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts
            packet.stream = self._stream
            yield packet

    def _encoded(self) -> Any:
        """Yield packets encoded from the samples between the two moments."""
        rate = self._source.codec_context.sample_rate
        written = 0
        for samples in self._samples():
            frame = AudioFrame.from_ndarray(samples, "fltp", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, written, Fraction(1, rate)
            written += samples.shape[1]
            yield from self._stream.encode(frame)
        if written:
            yield from self._stream.encode(None)

    @property
    def _layout(self) -> str:
        return self._source.codec_context.layout.name

    def _samples(self) -> Iterator[NDArray[np.float32]]:
        """Yield float32 [channels, n], gapless from the beginning on: silence where the source has none."""
        rate = self._source.codec_context.sample_rate
        resampler = AudioResampler("fltp", self._layout, rate)
        last = None if self._end is None else round((self._end - self._begin) * rate)
        done = 0
        for frame in self._decoded():
            position = done
            if frame.pts is not None and frame.time_base is not None:
                position = round((frame.pts * frame.time_base - self._begin) * rate)
            for piece in resampler.resample(frame):
                samples = cast(NDArray[np.float32], piece.to_ndarray())
                if done and abs(position - done) <= _GAP * rate:
                    position = done
                if position > done:
                    yield from _silence(samples.shape[0], min(position, last or position) - done, rate)
                    done = position
                samples = samples[:, done - position :]
                if last is not None:
                    samples = samples[:, : max(last - done, 0)]
                if samples.shape[1]:
                    yield np.ascontiguousarray(samples)
                done += samples.shape[1]
                position = done
            if last is not None and done >= last:
                return

    def _decoded(self) -> Iterator[AudioFrame]:
        """Yield decoded frames; a damaged packet is left out, and becomes a gap."""
        for packet in self._demuxed():
            with suppress(av.InvalidDataError):
                yield from packet.decode()


def _add_encoder(output: OutputContainer, rule: AudioRule, source: AudioStream) -> AudioStream:
    """Add a stream of the rule's encoder, as close to the source as the encoder allows."""
    context = source.codec_context
    codec = rule.encoder
    if codec == "pcm":
        codec = "pcm_s16le" if context.format.name.startswith(("s16", "u8")) else "pcm_s24le"
    rates = _ENCODER_RATES.get(codec, (context.sample_rate,))
    rate = context.sample_rate if context.sample_rate in rates else 48000
    stream = cast(AudioStream, output.add_stream(codec, rate=rate))
    layout = context.layout.name
    stream.codec_context.layout = layout if codec.startswith("pcm") or layout in _ENCODER_LAYOUTS else "stereo"
    if codec in _BITS_PER_CHANNEL:
        stream.codec_context.bit_rate = _BITS_PER_CHANNEL[codec] * stream.codec_context.layout.nb_channels
    return stream


def _silence(channels: int, samples: int, rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield `samples` of silence, a second at a time."""
    while samples > 0:
        yield np.zeros((channels, min(samples, rate)), np.float32)
        samples -= rate


def _seconds(packet: Packet[AudioStream]) -> Fraction:
    """Return when a packet begins, in seconds of the deliverable."""
    return (packet.pts or 0) * packet.time_base
