"""Requests in threads of their own: tried again, told of, and stopped at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from errors import Cancelled, UploadError
from integrations.storage import Passing
from log import LOG

Value = TypeVar("Value")
GO_ON_LATER = "what was sent is kept, try again later"
_LOOK = 0.2
"""Seconds between two looks at whether to stop."""


@dataclass(frozen=True)
class Retry:
    """How often, and after what pauses, a request is tried again."""

    tries: int = 8
    base: float = 1.0
    """Seconds of the first pause; each is twice the one before, give or take half of it."""
    cap: float = 60.0

    def pause(self, failures: int, wanted: float) -> float:
        """Return the seconds to wait after so many failures in a row; `wanted` is what the store asks for."""
        pause = min(self.cap, self.base * 2 ** (failures - 1))
        return max(wanted, pause * random.uniform(0.5, 1.5))


class Stopped(Exception):  # noqa: N818 - nobody's error
    """Raised in the threads: nobody waits for what they do any more."""


@dataclass
class Amount:
    """Bytes of an upload."""

    done: int = 0
    """That the store has."""
    total: int = 0
    sent: int = 0
    """Of `done`, those that went over the network now."""


class Meter:
    """Counts the bytes of one upload or several; parts under way count as far as they have gone out."""

    def __init__(self, on_progress: Callable[[Amount], None] | None = None) -> None:
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._done = self._sent = 0
        self._under_way: dict[object, int] = {}
        self._told: tuple[int, int] = (-1, -1)
        self.total = 0

    def under_way(self, part: object, count: int) -> None:
        """Note that `count` bytes of a part have gone out; it may begin again."""
        with self._lock:
            self._under_way[part] = count

    def drop(self, part: object) -> None:
        """Forget what of a part has gone out."""
        with self._lock:
            self._under_way.pop(part, None)

    def there(self, count: int, part: object = None) -> None:
        """Note that the store has `count` bytes more: of `part` if that was sent now, else it had them."""
        with self._lock:
            self._done += count
            if part is not None:
                self._sent += count
                self._under_way.pop(part, None)

    def take_back(self, done: int) -> None:
        """Note that what the store had beyond `done` bytes counts no more."""
        with self._lock:
            self._done = min(self._done, done)

    @property
    def done(self) -> int:
        """Return the bytes that the store has for certain."""
        return self._done

    def tell(self) -> None:
        """Tell how far it is, where that has changed."""
        with self._lock:
            moving = sum(self._under_way.values())
            amount = Amount(min(self._done + moving, self.total), self.total, self._sent + moving)
        if self._on_progress and (amount.done, amount.total) != self._told:
            self._told = amount.done, amount.total
            self._on_progress(amount)


class Requests:
    """Runs requests while the block lasts. The main thread asks whether to stop and tells the progress meanwhile.

    Args:
        retry: how to try again.
        should_stop: asked several times a second.
        meter: told as often.
        hint: what to do where trying again does not help.
    """

    def __init__(
        self, retry: Retry, should_stop: Callable[[], bool] | None, meter: Meter, hint: str = GO_ON_LATER
    ) -> None:
        self._retry = retry
        self._hint = hint
        self._should_stop = should_stop
        self._meter = meter
        self._ended = threading.Event()

    def __enter__(self) -> Requests:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()

    def start(self, call: Callable[[], Value]) -> Future[Value]:
        """Begin a request; its thread keeps nobody from ending, however long a dead connection takes to notice."""
        future: Future[Value] = Future()
        threading.Thread(target=copy_context().run, args=(self._run, call, future), name="upload", daemon=True).start()
        return future

    def first(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Wait until at least one has ended, and return those that have.

        Raises:
            Cancelled: the user wants to stop.
        """
        while True:
            self.look()
            ended = wait(futures, _LOOK, return_when=FIRST_COMPLETED).done
            if ended:
                return ended

    def __call__(self, call: Callable[[], Value]) -> Value:
        """Run one request to its end.

        Raises:
            Cancelled: the user wants to stop.
            UploadError: it cannot be done.
        """
        future = self.start(call)
        self.first([future])
        return future.result()

    def look(self) -> None:
        """Tell the progress, and raise Cancelled where the user wants to stop."""
        self._meter.tell()
        if self._should_stop is not None and self._should_stop():
            raise Cancelled("stopped; what was sent is kept, the next upload goes on from there")

    def check(self) -> None:
        """Raise Stopped, in a request's thread, when nobody waits for it any more."""
        if self._ended.is_set():
            raise Stopped

    def _run(self, call: Callable[[], Value], future: Future[Value]) -> None:
        try:
            future.set_result(self._tried(call))
        except BaseException as error:
            future.set_exception(error)

    def _tried(self, call: Callable[[], Value]) -> Value:
        for failures in range(1, self._retry.tries + 1):
            self.check()
            try:
                return call()
            except Passing as error:
                reason, wanted = str(error), error.wait
            if failures < self._retry.tries:
                pause = self._retry.pause(failures, wanted)
                LOG.warning(
                    "the cloud store failed; trying again", reason=reason, failures=failures, seconds=round(pause, 1)
                )
                if self._ended.wait(pause):
                    raise Stopped
        times = self._retry.tries
        raise UploadError(f"the cloud store failed {times} times ({reason}); {self._hint}")
