"""A zip of results, made while it is sent."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, cast
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from results.entries import Result

_BLOCK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ENTRY, _END = 160, 100
"""Bytes, at most, that an archive has for each file beside its content and twice its name, and at its end."""


def zipped(chosen: Iterable[Result]) -> Generator[bytes]:
    """Yield a zip archive of files and folders, without a copy of them on the disk or in memory.

    Of the same files it gives the same bytes, whenever and wherever that is.
    """
    sink = _Sink()
    with ZipFile(cast(IO[bytes], sink), "w", ZIP_STORED) as archive:  # videos and pictures do not get smaller
        for path, name in _files(chosen):
            with path.open("rb") as file, archive.open(_info(name), "w", force_zip64=True) as entry:
                while block := file.read(_BLOCK):
                    entry.write(block)
                    yield sink.take()
    yield sink.take()


def zipped_size(chosen: Iterable[Result]) -> int:
    """Return how many bytes such an archive has at most; a little more than it will have."""
    return _END + sum(path.stat().st_size + 2 * len(name.encode()) + _ENTRY for path, name in _files(chosen))


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr = 3, 0o644 << 16  # as on Unix, whatever this is
    return info


class _Sink:
    """What ZipFile writes to: a stream that cannot seek, emptied as it fills."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self._blocks)
        self._blocks.clear()
        return taken


def _files(chosen: Iterable[Result]) -> Iterator[tuple[Path, str]]:
    for entry in chosen:
        if entry.path.is_dir():
            yield from ((file, f"{entry.name}/{file.name}") for file in sorted(entry.path.iterdir()))
        else:
            yield entry.path, entry.name
