"""Decoded frames by index: walk forward, seek to a keyframe, or start over, whichever gives exactly the right frame."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from errors import MediaError
from pipeline.container import OpenVideo, shown
from pipeline.info import VideoInfo

_WALK = 24
"""Frames that are rather decoded than skipped by seeking."""
_BACK_SECONDS = (0, 2, 10, 60)
"""How far before a frame to look for a keyframe that it can be decoded from, before starting over."""
_ROUNDING = 2
"""Ticks that a frame of a constant rate may be off by: what `timeline` lets pass."""

Numbered = tuple[int | None, VideoFrame]


class FrameCursor:
    """One position in a video file that moves to any frame.

    A frame is decoded either from the start or from a keyframe after which nothing refers to pictures before it, and is
    told by its timestamp. Where `VideoInfo.seekable` says that timestamps do not identify frames, and where a file is
    damaged, going back means starting over.
    """

    def __init__(self, path: Path, info: VideoInfo) -> None:
        """Open `path`; MediaError if it cannot be read."""
        self._path = path
        self._info = info
        self._seekable = info.seekable and info.exact
        self._first = int(info.start / info.time_base)
        self._at = -1
        self._frame: VideoFrame | None = None
        self._open()

    def frame(self, index: int) -> VideoFrame:
        """Return the decoded frame `index`, as it is stored.

        Raises:
            MediaError: the file ends before it.
        """
        if index == self._at and self._frame is not None:
            return self._frame
        if index < self._at or (index > self._at + _WALK and self._keyframe_ahead(index)):
            self._go_to(index)
        found = self._walk(index)
        if found is None and self._seekable:  # timestamps that did not keep their promise: count from the start
            self._seekable = False
            self._start_over()
            found = self._walk(index)
        if found is None:
            raise MediaError(f"{shown(self._path)} ends before frame {index} of {self._info.frames}; was it changed?")
        return found

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._frames.close()
        self._video.close()
        self._frame = None

    def _walk(self, index: int) -> VideoFrame | None:
        """Decode forward to frame `index`; None if it does not come."""
        for number, frame in self._frames:
            if number is None or number > index or (self._frame is not None and number != self._at + 1):
                return None
            self._at, self._frame, self._primed = number, frame, True
            if number == index:
                return frame
        return None

    def _start_over(self) -> None:
        self.close()
        self._open()

    def _open(self) -> None:
        self._video = OpenVideo(self._path, threads=1 if self._info.damaged else 0, stream_index=self._info.stream)
        self._primed = False
        self._set_frames(_numbered(self._video))

    def _set_frames(self, frames: Generator[Numbered]) -> None:
        self._frames = frames
        self._at = -1
        self._frame = None

    def _go_to(self, index: int) -> None:
        """Make the next frames come from a keyframe at or before frame `index`, or else from the start."""
        if not self._primed:
            # The first packet may say which encoder's bugs to allow for (x264 before build 151 in 4:4:4, Xvid).
            next(self._frames, None)
            self._primed = True
        for seconds in _BACK_SECONDS if self._seekable else ():
            back = int(seconds / self._info.time_base)
            if self._stamp(index) - back < self._first:
                break
            if self._land(index, back):
                return
        self._start_over()

    def _land(self, index: int, back: int) -> bool:
        """Seek to a keyframe `back` ticks before frame `index`; False where that would not give the frame."""
        self._frames.close()
        try:
            self._video.container.seek(self._stamp(index) - back, stream=self._video.stream)
        except av.FFmpegError:
            return False
        frames = self._identified(frames_from_keyframe(self._video, self._stamp(index) + _ROUNDING))
        first = next(frames, None)
        if first is None or first[0] is None or first[0] > index:
            frames.close()
            return False
        self._set_frames(_prepend(first, frames))
        return True

    def _identified(self, frames: Iterator[VideoFrame]) -> Generator[Numbered]:
        for frame in frames:
            yield self._index(frame.pts), frame

    def _stamp(self, index: int) -> int:
        """Return the timestamp of frame `index` in the file: exact for a variable rate, else within `_ROUNDING`."""
        info = self._info
        return self._first + (info.times[index] if info.times else round(index / (info.rate * info.time_base)))

    def _index(self, pts: int | None) -> int | None:
        """Return which frame has this timestamp, or None for none."""
        if pts is None:
            return None
        info, ticks = self._info, pts - self._first
        index = bisect_left(info.times, ticks) if info.times else round(ticks * info.time_base * info.rate)
        if not 0 <= index < info.frames:
            return None
        return index if abs(self._stamp(index) - pts) <= (0 if info.times else _ROUNDING) else None

    def _keyframe_ahead(self, index: int) -> bool:
        """Tell whether seeking to frame `index` would skip anything over decoding on from here."""
        if not self._seekable:
            return False
        entries = self._video.stream.index_entries
        found = entries.search_timestamp(self._stamp(index))
        return found < 0 or entries[found].timestamp > self._stamp(max(self._at, 0))


def frames_from_keyframe(video: OpenVideo, latest: int) -> Iterator[VideoFrame]:
    """Yield the frames that decode exactly after a seek: those from the first clean keyframe on, in display order.

    Pictures that precede a keyframe in display but follow it in the file (open GOP) may refer to what was skipped, so
    they are left out. So are those up to the next keyframe when the first one is a kind that later pictures may refer
    across. Ends at once where there is no clean keyframe up to `latest`, in ticks.
    """
    clean: int | None = None
    started = False
    for packet in video.packets():
        if packet.is_keyframe and clean is None and packet.pts is not None:
            if started or is_clean_start(packet):
                clean = packet.pts
                if clean > latest:
                    return
            started = True
        if not started and packet.pts is not None and packet.pts > latest:
            return
        if started:
            frames = video.decode(packet)
            yield from (f for f in frames if clean is not None and f.pts is not None and f.pts >= clean)
    yield from (f for f in video.decode(None) if clean is not None and f.pts is not None and f.pts >= clean)


def is_clean_start(packet: Packet[VideoStream]) -> bool:
    """Tell whether nothing after this keyframe (in display) can refer to pictures before it.

    True of the keyframes of every codec but H.264, where only IDR pictures promise it, and a container calls others
    (recovery points) keyframes too.
    """
    context = packet.stream.codec_context
    if context.name != "h264":
        return True
    extradata, data = context.extradata or b"", bytes(packet)
    lengths = extradata[4] % 4 + 1 if len(extradata) > 4 and extradata[0] == 1 else 0
    return 5 in (_units_with_lengths(data, lengths) if lengths else _units_with_start_codes(data))


def _units_with_lengths(data: bytes, size: int) -> Iterator[int]:
    """Yield the types of the NAL units of an MP4 packet (ISO/IEC 14496-15)."""
    at = 0
    while at + size < len(data):
        yield data[at + size] & 31
        at += size + int.from_bytes(data[at : at + size], "big")


def _units_with_start_codes(data: bytes) -> Iterator[int]:
    """Yield the types of the NAL units of a byte stream (ITU-T H.264, annex B)."""
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        yield data[at + 3] & 31
        at = data.find(b"\0\0\1", at + 3)


def _numbered(video: OpenVideo) -> Generator[Numbered]:
    yield from enumerate(video.frames())


def _prepend(first: Numbered, rest: Iterator[Numbered]) -> Generator[Numbered]:
    yield from chain((first,), rest)
