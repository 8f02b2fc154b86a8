"""Frames and guides as the network takes them, read ahead by one thread while it is busy."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from engines.base import FrameSource, GuideSource, Image, Mask
from engines.videomama.letterbox import Letterbox


@dataclass(eq=False)
class Frame:
    """A frame at its own size and at the network's."""

    rgb: Image
    picture: Image
    mask: Mask
    codes: Any = None
    """What the network made of picture and mask; None until it has."""


class Frames:
    """The frames of the windows at hand; only one thread reads source and guides.

    Args:
        source: the clip.
        guides: its masks.
        box: what makes pictures of the network's size.
    """

    def __init__(self, source: FrameSource, guides: GuideSource, box: Letterbox) -> None:
        self._source, self._guides, self._box = source, guides, box
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="videomama-frames")
        self._frames: dict[int, Future[Frame]] = {}

    def expect(self, indices: Iterable[int]) -> None:
        """Begin to read frames that are not there yet."""
        for index in indices:
            if index not in self._frames:
                self._frames[index] = self._pool.submit(self._read, index)

    def get(self, indices: Iterable[int]) -> list[Frame]:
        """Return frames, waiting for those that are still being read."""
        wanted = list(indices)
        self.expect(wanted)
        return [self._frames[index].result() for index in wanted]

    def forget(self, before: int) -> None:
        """Drop the frames before that one."""
        for index in [index for index in self._frames if index < before]:
            del self._frames[index]

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    def _read(self, index: int) -> Frame:
        rgb, mask = self._source.read(index), self._guides.read(index).mask
        return Frame(rgb, self._box.picture(rgb), self._box.mask(mask))
