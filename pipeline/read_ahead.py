"""Indexed reading that runs ahead: while one item is worked on, a thread reads the next in the same direction."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Readable(Protocol[T_co]):
    """Something that is read by index."""

    def read(self, index: int) -> T_co:
        """Return item `index`."""
        ...


class Source(Readable[NDArray[np.uint8]], Protocol):
    """A clip's frames, as engines.base.FrameSource has them."""

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height)."""
        ...


class ReadAhead(Generic[T]):
    """Read `source` in one thread of its own, one item ahead of who asks; a context that ends the thread.

    All reads happen in that thread, so that a source need not be safe for several.

    Args:
        source: what to read.
        start: first index that exists.
        stop: one past the last.
    """

    def __init__(self, source: Readable[T], start: int, stop: int) -> None:
        self._source = source
        self._range = range(start, stop)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._ahead: tuple[int, Future[T]] | None = None
        self._last: int | None = None

    def read(self, index: int) -> T:
        """Return item `index`; what reading it raises is raised here."""
        ahead, self._ahead = self._ahead, None
        future = ahead[1] if ahead and ahead[0] == index else self._pool.submit(self._source.read, index)
        step = -1 if self._last is not None and index < self._last else 1
        self._last = index
        if index + step in self._range:
            self._ahead = (index + step, self._pool.submit(self._source.read, index + step))
        return future.result()

    def __enter__(self) -> ReadAhead[T]:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the read that is under way, and end the thread."""
        self._pool.shutdown(cancel_futures=True)


class SourceAhead(ReadAhead[NDArray[np.uint8]]):
    """The same for a clip's frames, with their number and size."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, 0, len(source))
        self._frames = source

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._frames)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return self._frames.size

    def __enter__(self) -> SourceAhead:
        """Return itself."""
        return self
