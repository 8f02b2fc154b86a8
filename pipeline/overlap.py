"""Threads that let decoding, computing and encoding overlap: bounded, exceptions carried over, stopped cleanly.

The heavy parts (FFmpeg, OpenCV, numpy) release the interpreter's lock, so that threads are enough.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_HEARTBEAT = 0.2  # seconds; a wait without end could not be interrupted by Ctrl-C on every system


def prefetch(items: Iterable[T], depth: int = 2) -> Generator[T]:
    """Yield `items`, made in a thread that is at most `depth` of them ahead.

    What the thread raises is raised here, after the items before it. Closing the generator (leaving the loop over it,
    or an exception there) stops the thread and closes `items` in it before it returns.
    """
    channel: _Channel[T] = _Channel(depth)
    thread = threading.Thread(target=_produce, args=(items, channel), name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = channel.get()
            except _Finished:
                break
            yield item
    finally:
        channel.cancel()
        thread.join()
    channel.raise_error()


class WriteBehind(Generic[T]):
    """Hand items to a slow `write` in a thread, at most `depth` of them waiting, in order.

    As a context it waits for the rest at the end; when the block failed it drops what has not been written.
    """

    def __init__(self, write: Callable[[T], object], depth: int = 2) -> None:
        """Start the thread that calls `write`."""
        self._write = write
        self._channel: _Channel[T] = _Channel(depth)
        self._thread = threading.Thread(target=self._consume, name="write-behind", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue `item`, waiting for room; raises what an earlier `write` raised. The item must not change any more."""
        if not self._channel.put(item):
            self._thread.join()
            self._channel.raise_error()
            raise RuntimeError("put after close")

    def close(self) -> None:
        """Wait until everything is written; raises what `write` raised."""
        self._channel.finish()
        self._join()
        self._channel.raise_error()

    def abort(self) -> None:
        """Drop what is not written yet, and wait for the `write` that is under way."""
        self._channel.cancel()
        self._join()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, or abort when the block failed."""
        if kind is None:
            self.close()
        else:
            self.abort()

    def _consume(self) -> None:
        try:
            while True:
                self._write(self._channel.get())
        except _Finished:
            pass
        except BaseException as error:
            self._channel.fail(error)

    def _join(self) -> None:
        while self._thread.is_alive():
            self._thread.join(_HEARTBEAT)


class _Finished(Exception):  # noqa: N818 - not an error: the channel's end
    """Nothing more will come."""


class _Channel(Generic[T]):
    """A bounded queue with an end: finished by its writer, or cancelled by either side."""

    def __init__(self, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth is {depth}, must be at least 1")
        self._depth = depth
        self._items: deque[T] = deque()
        self._finished = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Add an item, waiting for room; False when the channel has ended."""
        with self._changed:
            while len(self._items) >= self._depth and not self._finished:
                self._changed.wait(_HEARTBEAT)
            if self._finished:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self) -> T:
        """Take the next item, waiting for it; raises _Finished at the end."""
        with self._changed:
            while not self._items and not self._finished:
                self._changed.wait(_HEARTBEAT)
            if not self._items:
                raise _Finished
            self._changed.notify_all()
            return self._items.popleft()

    def finish(self) -> None:
        """End after the items that are waiting."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """End after the items that are waiting, with an error for the other side."""
        with self._changed:
            self._error = error
        self.finish()

    def cancel(self) -> None:
        """End now; what is waiting is dropped."""
        with self._changed:
            self._items.clear()
        self.finish()

    def raise_error(self) -> None:
        """Raise what the other side failed with, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error


def _produce(items: Iterable[T], channel: _Channel[T]) -> None:
    """Fill `channel` from `items` until either ends, then close `items` where it can be closed."""
    try:
        try:
            for item in items:
                if not channel.put(item):
                    break
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
    except BaseException as error:
        channel.fail(error)
    else:
        channel.finish()
