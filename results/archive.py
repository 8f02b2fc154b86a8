"""A zip of results, made while it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast
from zipfile import ZIP_STORED, ZipFile

from results.entries import Result

_BLOCK = 1 << 20


def zipped(chosen: Iterable[Result]) -> Iterator[bytes]:
    """Yield a zip archive of files and folders, without a copy of them on the disk or in memory."""
    sink = _Sink()
    with ZipFile(cast(IO[bytes], sink), "w", ZIP_STORED) as archive:  # videos and pictures do not get smaller
        for path, name in _files(chosen):
            with path.open("rb") as file, archive.open(name, "w", force_zip64=True) as entry:
                while block := file.read(_BLOCK):
                    entry.write(block)
                    yield sink.take()
    yield sink.take()


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
