"""Opening a video file safely and decoding its packets: what `probe` and `VideoReader` stand on.

A file from anywhere must not make us read anything else. So the file is opened here and handed to libav as bytes: no
name that libav could interpret ('concat:', '%03d', '-', …), no protocol for a file that names others, and only
demuxers of self-contained formats (no HLS, DASH, SDP, concat, image sequences, scripts).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from errors import MediaError
from pipeline.sniff import explain

MAX_PIXELS = 16384 * 8640
"""Largest picture that is decoded, in pixels (16K); a header that claims more is broken or hostile."""

_VIDEO_FORMATS = (
    "mov matroska avi mpegts mpeg flv live_flv kux ivf gif apng asf asf_o mxf gxf ogg nut nsv nuv rm wtv dv swf "
    "h261 h263 h264 hevc vvc evc m4v mpegvideo cavsvideo avs2 avs3 dirac dnxhd vc1 vc1test mjpeg mjpeg_2000 obu av1 "
    "yuv4mpegpipe jpegxl_anim webp_anim film_cpk roq smk bink flic lxf pmp pva thp ty usm xmv rpl smjpeg amv "
    "dhav cine ser ipu"
)
_AUDIO_FORMATS = "mp3 wav w64 flac aac ac3 eac3 amr aiff caf wv ape tta dts au loas mpc mpc8 dsf"
_ALLOWED = ",".join(f"{_VIDEO_FORMATS} {_AUDIO_FORMATS}".split())
_BUFFER = 1 << 18


class OpenVideo:
    """One open file and the video stream of it that counts. A context manager; for one thread at a time."""

    def __init__(self, path: Path, *, threads: int = 0, stream_index: int | None = None) -> None:
        """Open `path` and choose a video stream.

        Args:
            path: a regular file.
            threads: for decoding; 0 takes one per core, up to 8.
            stream_index: the stream that an earlier probe chose; None chooses.

        Raises:
            MediaError: the file cannot be read, is no video, or is encrypted; with libav's own message.
        """
        self.path = path
        self.errors = 0
        self.last_error = ""
        self._file = _open_regular(path)
        try:
            self.container = _open_container(path, self._file)
            self.stream = _choose_stream(path, self.container, stream_index)
        except BaseException:
            self._file.close()
            raise
        context = self.stream.codec_context
        context.thread_type = "AUTO"
        context.thread_count = threads or min(os.cpu_count() or 1, 8)
        context.options = {"max_pixels": str(MAX_PIXELS)}

    def __enter__(self) -> Self:
        """Return the open video."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self.container.close()
        self._file.close()

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """Yield the stream's packets that hold data, from where the demuxer stands; damage ends them early.

        Raises:
            MediaError: a packet is encrypted.
        """
        try:
            for packet in self.container.demux(self.stream):
                # An empty packet would put the decoder into its final flush: AVI has them for repeated pictures.
                if packet.size:
                    if packet.has_sidedata("encryption_info"):
                        raise MediaError(f"{shown(self.path)} is encrypted (DRM); decrypt it first")
                    yield packet
        except av.FFmpegError as error:
            self._note(error)

    def decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        """Return the frames that `packet` completes, in display order; None gives those still held back.

        A packet that does not decode is counted in `errors` and gives no frame.
        """
        try:
            return self.stream.codec_context.decode(packet)
        except EOFError:
            return []
        except av.FFmpegError as error:
            self._note(error)
            return []

    def frames(self) -> Iterator[VideoFrame]:
        """Yield every frame that decodes, in display order, from where the demuxer stands."""
        for packet in self.packets():
            yield from self.decode(packet)
        yield from self.decode(None)

    def _note(self, error: av.FFmpegError) -> None:
        self.errors += 1
        self.last_error = error.strerror or str(error)


def shown(path: Path) -> str:
    """Return the file's name as it can stand in a one-line message."""
    return "".join(c if c.isprintable() else "?" for c in path.name or str(path))


def _open_regular(path: Path) -> _Bytes:
    """Open a regular file for reading; never wait for a pipe or a device."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "a device or pipe"
            raise MediaError(f"{shown(path)} is {kind}, not a video file")
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise MediaError(f"no such file: {path}") from None
    except ValueError as error:
        raise MediaError(f"not a file name: {error}") from None
    except OSError as error:
        raise MediaError(f"cannot read {shown(path)}: {error.strerror}") from error
    file = FileIO(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not os.fstat(descriptor).st_size:
        file.close()
        raise MediaError(f"{shown(path)} is empty (0 bytes)")
    return _Bytes(file)


class _Bytes:
    """A file without a name: libav judges by content, and cannot read a pattern or a protocol out of a name."""

    def __init__(self, file: FileIO) -> None:
        self.read, self.seek, self.tell, self.close = file.read, file.seek, file.tell, file.close


def _open_container(path: Path, file: _Bytes) -> InputContainer:
    options = {"protocol_whitelist": "none", "format_whitelist": _ALLOWED, "max_pixels": str(MAX_PIXELS)}
    try:
        return av.open(file, "r", options=options, metadata_errors="replace", buffer_size=_BUFFER)
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{shown(path)} {explain(path)} {reason}") from error


def _choose_stream(path: Path, container: InputContainer, index: int | None) -> VideoStream:
    """Return the default video track, or the largest one; never a cover picture or a thumbnail track."""
    pictures = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    tracks = [s for s in container.streams.video if not s.disposition & pictures]
    if not tracks:
        raise MediaError(f"{shown(path)} has no video, only {_other_content(container)}")
    decodable = [s for s in tracks if s.codec_context is not None]
    if not decodable:
        raise MediaError(f"{shown(path)}: no decoder for its video codec (tag '{_tag(tracks[0])}')")
    if index is not None:
        decodable = [s for s in decodable if s.index == index] or decodable
    return max(decodable, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height))


def _tag(stream: VideoStream) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(stream.codec_tag)).strip() or "unknown"


def _other_content(container: InputContainer) -> str:
    if container.streams.video:
        return "a picture" if not container.streams.audio else "audio and a cover picture"
    kinds = sorted({stream.type for stream in container.streams})
    return " and ".join(kinds) or "an empty container"
