from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pipeline.overlap import WriteBehind, prefetch


class Items:
    """Counts what was made of it, and whether and where it was closed."""

    def __init__(self, count: int, fail_at: int | None = None) -> None:
        self.made = 0
        self.closed_in: str | None = None
        self._count, self._fail_at = count, fail_at

    def __iter__(self) -> Iterator[int]:
        for index in range(self._count):
            if index == self._fail_at:
                raise OSError(28, "No space left on device")
            self.made += 1
            yield index

    def close(self) -> None:
        self.closed_in = threading.current_thread().name


def test_prefetch_keeps_order_and_ends() -> None:
    items = Items(100)
    assert list(prefetch(items, depth=3)) == list(range(100))
    assert items.closed_in == "prefetch"


def test_prefetch_raises_after_the_items_before() -> None:
    seen = []
    with pytest.raises(OSError, match="No space left") as caught:
        for item in prefetch(Items(10, fail_at=4), depth=2):
            seen.append(item)
    assert seen == [0, 1, 2, 3]
    assert caught.value.errno == 28


def test_prefetch_is_bounded_and_stops_when_left() -> None:
    items = Items(1000)
    ahead = prefetch(items, depth=2)
    assert [next(ahead), next(ahead)] == [0, 1]
    ahead.close()
    assert items.made <= 2 + 2 + 1  # taken, waiting, in the thread's hand
    assert items.closed_in == "prefetch"
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_prefetch_of_nothing() -> None:
    assert list(prefetch([])) == []
    with pytest.raises(ValueError, match="depth"):
        list(prefetch([1], depth=0))


def test_write_behind_keeps_order() -> None:
    written: list[int] = []
    with WriteBehind(written.append, depth=2) as behind:
        for item in range(50):
            behind.put(item)
    assert written == list(range(50))


def test_write_behind_is_bounded() -> None:
    room, taken = threading.Semaphore(0), []

    def write(item: int) -> None:
        room.acquire()
        taken.append(item)

    behind = WriteBehind(write, depth=1)
    behind.put(0)
    behind.put(1)  # at most: one in the thread's hand, one waiting
    blocked = threading.Thread(target=lambda: list(map(behind.put, (2, 3))))
    blocked.start()
    assert blocked.is_alive()
    for _ in range(4):
        room.release()
    blocked.join()
    behind.close()
    assert taken == [0, 1, 2, 3]


def test_write_behind_raises_where_the_caller_is() -> None:
    def write(item: int) -> None:
        if item == 3:
            raise OSError(28, "No space left on device")

    behind = WriteBehind(write, depth=1)
    with pytest.raises(OSError, match="No space left"):
        for item in range(100):
            behind.put(item)
    with pytest.raises(RuntimeError, match="put after close"):
        behind.put(0)


def test_write_behind_raises_at_the_end() -> None:
    def write(item: int) -> None:
        raise ValueError(f"bad {item}")

    with pytest.raises(ValueError, match="bad 0"), WriteBehind(write) as behind:
        behind.put(0)


def test_write_behind_drops_the_rest_when_the_block_fails() -> None:
    held, written = threading.Semaphore(0), []

    def write(item: int) -> None:
        held.acquire()
        written.append(item)

    with pytest.raises(KeyboardInterrupt), WriteBehind(write, depth=8) as behind:
        for item in range(8):
            behind.put(item)
        held.release()
        held.release()
        raise KeyboardInterrupt
    assert len(written) <= 2
