"""A file to upload, and the pieces that it goes in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

_MIB = 1 << 20
PART = 8 * _MIB
"""Bytes of a part, of files of up to about 75 GB. Stores want at least 5 MiB, and all parts but the last alike."""
_FEWER = 9_000
"""Parts of larger files; stores take 10,000."""


@dataclass(frozen=True)
class Source:
    """A file to upload, or something made while it is sent."""

    key: str
    name: str
    label: str
    size: int
    """In bytes; of what is made while it is sent, at least as many as it will have, and always the same."""
    identity: str
    """Another one when the bytes may be others."""
    content_type: str
    blocks: Callable[[], Generator[bytes]]
    """Gives the bytes, the same ones every time."""

    @property
    def part_size(self) -> int:
        """Return the bytes of each part but the last."""
        if self.size <= PART * _FEWER:
            return PART
        return (self.size // _FEWER // _MIB + 1) * _MIB


def cut(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the bytes of `blocks` in pieces of `size`; the last one may be shorter, and none is empty."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) >= size:
            yield _taken(held, size)
    if held:
        yield bytes(held)


def _taken(held: bytearray, size: int) -> bytes:
    """Return the first `size` bytes of `held`, copied once, and drop them there."""
    with memoryview(held) as view:
        piece = bytes(view[:size])
    del held[:size]
    return piece
