"""A video file as a source of RGB frames: random access that is exact to the pixel, and quick in sequence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.container import shown
from pipeline.convert import FrameConverter
from pipeline.cursor import FrameCursor
from pipeline.info import VideoInfo

_CACHE_BYTES = 48 << 20


class VideoReader:
    """A clip's frames as they are shown: an engine's `FrameSource`. A context manager; for one thread at a time.

    Every frame is the same whether it is read in sequence or at random; see `FrameCursor` for how.
    """

    def __init__(self, path: Path, info: VideoInfo) -> None:
        """Open the file.

        Args:
            path: the video.
            info: its facts from `scan`; those of `probe` do too, then `len` is an estimate and going back is slow.

        Raises:
            MediaError: the file cannot be read.
        """
        self._path = path
        self._info = info
        self._cursor = FrameCursor(path, info)
        self._converter = FrameConverter(info)
        self._cache: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._cache_size = max(2, _CACHE_BYTES // (info.width * info.height * 3))

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._info.frames

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, after rotation."""
        return self._info.width, self._info.height

    def read(self, index: int) -> NDArray[np.uint8]:
        """Return frame `index` as RGB uint8 [H, W, 3]; read-only, as it is kept for the next call.

        Raises:
            IndexError: there is no such frame.
            MediaError: the file ends before it.
        """
        self._check(index)
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        image = self._converter.to_rgb(self._cursor.frame(index))
        image.flags.writeable = False
        self._cache[index] = image
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        return image

    def read_float(self, index: int) -> NDArray[np.float32]:
        """Return frame `index` as RGB float32 [H, W, 3], 0..1, with all the bits of a 10 or 12-bit source.

        Raises:
            IndexError: there is no such frame.
            MediaError: the file ends before it.
        """
        self._check(index)
        return self._converter.to_float(self._cursor.frame(index))

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames `start` <= index < `stop` (to the end for None) as `read` gives them."""
        return (self.read(index) for index in range(start, len(self) if stop is None else stop))

    def frames_float(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield the frames `start` <= index < `stop` (to the end for None) as `read_float` gives them."""
        return (self.read_float(index) for index in range(start, len(self) if stop is None else stop))

    def close(self) -> None:
        """Close the file and forget its frames; a second call does nothing."""
        self._cursor.close()
        self._cache.clear()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {shown(self._path)}, which has {len(self)}")
