"""The lossless alpha between matting and delivery: intra-only FFV1, 12-bit grey, in chunks that exist whole or not.

12 bits, because half a code is 1/8190: below what any delivery resolves (ProRes' alpha plane has 10 bits here, a half
float near 1 has 11), at about 60 % of the size and three quarters of the time of 16 bits. Each chunk is a Matroska
file that any player opens, 25 frames a second whatever the clip's rate is; times belong to the source, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
from av.codec.context import Flags, ThreadType
from av.container import OutputContainer
from numpy.typing import NDArray

from atomic import PARTIAL, commit_file, discard, sync_folder
from errors import StoreError, storage_errors

Alpha = NDArray[np.float32]

PEAK = 4095
"""The code of alpha 1."""
_PIXEL_FORMAT = "gray12le"
_TICKS = 40  # milliseconds a frame: Matroska counts in them, and 25 a second is exact
_NAME = re.compile(r"(\d{6,})-(\d{6,})\.mkv")


class AlphaStore:
    """A folder of committed chunks, `000000-000047.mkv` (first and last frame). One object per thread."""

    def __init__(self, folder: Path) -> None:
        """Look at `folder`, which is made when the first chunk is written."""
        self.folder = folder
        self._chunks: list[tuple[int, int]] = []
        self._reader: _ChunkReader | None = None

    def chunks(self) -> list[tuple[int, int]]:
        """Return the committed chunks as half-open (start, stop), in order."""
        found = []
        for path in self.folder.glob("*.mkv"):
            if match := _NAME.fullmatch(path.name):
                found.append((int(match[1]), int(match[2]) + 1))
        self._chunks = sorted(found)
        return self._chunks

    def spans(self) -> list[tuple[int, int]]:
        """Return the committed frames half-open (start, stop) with gaps between them, in order."""
        merged: list[tuple[int, int]] = []
        for start, stop in self.chunks():
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        return merged

    def __contains__(self, index: int) -> bool:
        """Tell whether frame `index` is committed."""
        return self._find(index) is not None

    def writer(self, start: int) -> ChunkWriter:
        """Begin a chunk at frame `start`; nothing of it counts before its `commit`.

        Raises:
            ValueError: that frame is committed already; `remove` it first.
        """
        if start in self:
            raise ValueError(f"alpha of frame {start} is there already; remove it first")
        return ChunkWriter(self, start)

    def write_chunk(self, start: int, alphas: Iterable[Alpha]) -> tuple[int, int]:
        """Write and commit a chunk from frame `start` on; return its half-open range."""
        with self.writer(start) as writer:
            for alpha in alphas:
                writer.append(alpha)
        return start, writer.stop

    def read(self, index: int) -> Alpha:
        """Return frame `index` as float32 [H, W], 0..1; the next frame after the last one read is the fastest.

        Raises:
            KeyError: the frame is not committed.
            StoreError: its chunk is damaged.
        """
        if self._reader is None or not self._reader.start <= index < self._reader.stop:
            chunk = self._find(index)
            if chunk is None:
                raise KeyError(index)
            self.close()
            self._reader = _ChunkReader(self.path(*chunk), *chunk)
        return self._reader.read(index)

    def frames(self, start: int, stop: int) -> Iterator[Alpha]:
        """Yield the frames of `start` .. `stop`, as `read` would return them."""
        for index in range(start, stop):
            yield self.read(index)

    def remove(self, start: int, stop: int) -> None:
        """Forget the frames of `start` .. `stop`; what else was in their chunks stays.

        Interrupted, it may leave the frames in place, but never loses one outside the range: call it again.
        """
        self.close()
        for first, last in self.chunks():
            if last <= start or stop <= first:
                continue
            with storage_errors(self.folder):
                if first < start:
                    self._keep(first, start, (first, last))
                if stop < last:
                    self._keep(stop, last, (first, last))
                discard(self.path(first, last))
        if self.folder.is_dir():
            sync_folder(self.folder)
        self.chunks()

    def clean(self) -> None:
        """Delete what a killed writer left half done; only for the process that owns the folder."""
        for path in self.folder.glob(f"*{PARTIAL}"):
            discard(path)

    def close(self) -> None:
        """Close the chunk that `read` keeps open."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def path(self, start: int, stop: int) -> Path:
        """Return the file of the chunk `start` .. `stop`."""
        return self.folder / f"{start:06d}-{stop - 1:06d}.mkv"

    def _find(self, index: int) -> tuple[int, int] | None:
        for chunks in (self._chunks, self.chunks()):
            for start, stop in chunks:
                if start <= index < stop and self.path(start, stop).exists():
                    return start, stop
        return None

    def _keep(self, start: int, stop: int, chunk: tuple[int, int]) -> None:
        """Copy a part of a chunk into one of its own."""
        reader = _ChunkReader(self.path(*chunk), *chunk)
        try:
            with ChunkWriter(self, start) as writer:
                for index in range(start, stop):
                    writer.append(reader.read(index))
        finally:
            reader.close()


class ChunkWriter:
    """One chunk being written, a frame at a time; as a context it commits at the end, or leaves nothing on an error."""

    def __init__(self, store: AlphaStore, start: int) -> None:
        """Prepare a chunk of `store` that begins at frame `start`."""
        self._store = store
        self.start = start
        self.stop = start
        self._size: tuple[int, ...] = ()
        self._temporary = store.folder / f"{start:06d}{PARTIAL}"
        self._output: OutputContainer | None = None
        self._stream: av.VideoStream | None = None

    def append(self, alpha: Alpha) -> None:
        """Add the next frame: float [H, W], clipped to 0..1, all frames of one size.

        Raises:
            StorageError: the disk is full or not writable.
            ValueError: another size than the frames before, or not a number.
        """
        codes = quantise(alpha)
        if self._output is None:
            self._open(codes.shape)
        if codes.shape != self._size or self._output is None or self._stream is None:
            raise ValueError(f"alpha of frame {self.stop} is {codes.shape}, the chunk's frames are {self._size}")
        frame = av.VideoFrame.from_ndarray(codes, format=_PIXEL_FORMAT)
        frame.pts = self.stop - self.start
        with storage_errors(self._store.folder):
            self._output.mux(self._stream.encode(frame))
        self.stop += 1

    def commit(self) -> Path | None:
        """Give the chunk its name and return it; None if it has no frames."""
        if self._output is None or self._stream is None:
            return None
        target = self._store.path(self.start, self.stop)
        try:
            with storage_errors(self._store.folder):
                self._output.mux(self._stream.encode(None))
                self._output.close()
                commit_file(self._temporary, target)
        except BaseException:
            self.abort()
            raise
        self._output = None
        return target

    def abort(self) -> None:
        """Leave nothing of the chunk."""
        if self._output is not None:
            _close_quietly(self._output)
            self._output = None
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or abort when the block failed."""
        if kind is None:
            self.commit()
        else:
            self.abort()

    def _open(self, size: tuple[int, ...]) -> None:
        height, width = self._size = size
        with storage_errors(self._store.folder):
            self._store.folder.mkdir(parents=True, exist_ok=True)
            # bitexact leaves out Matroska's random ids and the library's version: the same input, the same bytes
            self._output = av.open(
                str(self._temporary), "w", format="matroska", container_options={"fflags": "+bitexact"}
            )
        self._stream = self._output.add_stream("ffv1", rate=1000 // _TICKS, options=_options(width, height))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, _PIXEL_FORMAT
        context = self._stream.codec_context
        context.gop_size = 1
        context.thread_type = ThreadType.SLICE
        context.flags |= int(Flags.bitexact)


class _ChunkReader:
    """One committed chunk, open at the frame after the last one read."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        self._path = path
        with _damage_named(path):
            self._input = av.open(str(path))
            self._stream = self._input.streams.video[0]
        self._stream.codec_context.thread_type = ThreadType.SLICE
        self._frames = self._input.decode(self._stream)
        self._next = start

    def read(self, index: int) -> Alpha:
        time = (index - self.start) * _TICKS
        with _damage_named(self._path):
            if index != self._next:
                self._input.seek(time, stream=self._stream)
                self._frames = self._input.decode(self._stream)
            frame = next(self._frames)
            if frame.pts != time:
                raise av.InvalidDataError(0, f"frame {index} is missing")
        self._next = index + 1
        codes = frame.to_ndarray()
        return np.divide(codes, PEAK, dtype=np.float32)

    def close(self) -> None:
        self._input.close()


def quantise(alpha: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Round alpha [H, W], 0..1 (values beyond are clipped), to codes uint16 0..`PEAK`."""
    if not np.isfinite(alpha.sum(dtype=np.float64)):
        raise ValueError("alpha is not a number somewhere")
    codes = np.clip(alpha, 0, 1)
    codes *= PEAK
    codes += 0.5
    return cast(NDArray[np.uint16], codes.astype(np.uint16))


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn what the decoder says about a chunk into an error that says what to do."""
    try:
        yield
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete that file and run the session again") from error


def _options(width: int, height: int) -> dict[str, str]:
    """Return FFV1's options: four slices, so that two to four cores share a frame, with checksums."""
    if min(width, height) < 16:  # too small to slice
        return {"level": "1"}
    return {"level": "3", "slices": "4", "slicecrc": "1"}


def _close_quietly(output: OutputContainer) -> None:
    """Close a container that will be thrown away; on a full disk even that fails."""
    with suppress(OSError):
        output.close()
