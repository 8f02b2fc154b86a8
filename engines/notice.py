"""What an engine tells whoever listens, the runner and through it the user: what goes another way; that it lives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("splazmatte.notice")
_followers: list[Callable[[], None]] = []


def notice(text: str) -> None:
    """Tell the user, in one line, that an engine went another way: a smaller window for want of memory, say."""
    LOGGER.warning(text)


def alive() -> None:
    """Tell that work goes on, where an engine computes for minutes without reading a frame or yielding anything.

    Raises:
        Cancelled: the user wants to stop.
    """
    for follower in _followers:
        follower()


@contextmanager
def followed(by: Callable[[], None]) -> Iterator[None]:
    """Have `by` called at each `alive` while the block runs."""
    _followers.append(by)
    try:
        yield
    finally:
        _followers.remove(by)
