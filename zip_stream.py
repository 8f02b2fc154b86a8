"""Zip archives that are made while they are sent: nothing is copied, memory stays flat, the size is known beforehand.

Members are stored, not packed: videos and pictures do not get smaller. The same files give the same bytes every time.
"""

from __future__ import annotations

import errno
import os
import time
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from atomic import commit_file, partial_path
from errors import SessionError, storage_errors
from machine import disk_free

BLOCK = 1 << 20
"""Bytes that are read at once."""
_DOS_TIMES = (315_532_800, 4_354_819_198)
"""Seconds since 1970 of the first and last time that a zip can hold: 1980 to 2107."""


@dataclass(frozen=True)
class Member:
    """A file of an archive.

    Attributes:
        name: its path in the archive, with `/`.
        size: bytes.
        modified: seconds since 1970.
        blocks: gives its bytes; called when its turn has come.
    """

    name: str
    size: int
    modified: float
    blocks: Callable[[], Iterator[bytes]]


def file_member(name: str, path: Path) -> Member:
    """Return the member that is the file `path` as it is now.

    Raises:
        SessionError: it is not there or cannot be read; and while it is sent, if it is another one by then.
    """
    try:
        found = path.stat()
    except OSError:
        raise changed(name) from None
    return Member(name, found.st_size, found.st_mtime, lambda: _read(name, path, found))


def data_member(name: str, data: bytes, modified: float) -> Member:
    """Return a member of those bytes."""
    return Member(name, len(data), modified, lambda: iter([data]))


def changed(name: str) -> SessionError:
    """Return the error for a file that is not any more what it was when its archive was begun."""
    return SessionError(f"{name} was changed or removed while it was being read; try again when no job works on it")


class ZipStream:
    """An archive to be sent; iterating gives its bytes, as often as that is asked for.

    Args:
        members: what is in it, in order; their names are all different.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = list(members)
        self.size = _size(self.members)
        """Bytes of the archive."""

    def __iter__(self) -> Generator[bytes]:
        """Yield the archive.

        Raises:
            SessionError: a file has changed since the archive was begun, or is gone.
        """
        sink = _Sink()
        with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_STORED) as archive:
            for member in self.members:
                left = member.size
                with archive.open(_info(member), "w") as entry:
                    for block in member.blocks():
                        left -= len(block)
                        if left < 0:
                            break
                        entry.write(block)
                        yield sink.take()
                if left:
                    raise changed(member.name)
            # what is written below is the directory; an archive that an error ends has none, and is no archive
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


def _info(member: Member) -> zipfile.ZipInfo:
    first, last = _DOS_TIMES
    moment = time.gmtime(min(max(member.modified, first), last))  # not local time: the same bytes everywhere
    info = zipfile.ZipInfo(member.name, moment[:6])
    info.create_system = 3  # Unix, whatever wrote it
    info.external_attr = 0o100644 << 16
    info.file_size = member.size  # decides on Zip64
    return info


def _size(members: list[Member]) -> int:
    """Return the bytes of the archive that zipfile makes of `members`; APPNOTE.TXT has the records' sizes."""
    limit = zipfile.ZIP64_LIMIT
    at = directory = 0
    for member in members:
        name = len(member.name.encode())
        wide = member.size * 1.05 > limit
        far = 16 * (member.size > limit) + 8 * (at > limit)
        directory += 46 + name + (4 + far if far else 0)
        at += 30 + name + member.size + (20 + 24 if wide else 16)
    grown = len(members) > zipfile.ZIP_FILECOUNT_LIMIT or max(at, directory) > limit
    return at + directory + (56 + 20 if grown else 0) + 22


def _read(name: str, path: Path, known: os.stat_result) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            if not _same(os.fstat(file.fileno()), known):
                raise changed(name)
            while block := file.read(BLOCK):
                yield block
            if not _same(os.fstat(file.fileno()), known):
                raise changed(name)
    except OSError:
        raise changed(name) from None


def _same(found: os.stat_result, known: os.stat_result) -> bool:
    return (found.st_size, found.st_mtime_ns, found.st_ino) == (known.st_size, known.st_mtime_ns, known.st_ino)


def save(stream: ZipStream, target: Path, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Write an archive as a file, whole or not at all.

    Args:
        stream: the archive.
        target: the file, which is replaced.
        on_progress: called with the bytes that are written, and all there are.

    Raises:
        StorageError: there is no room for it, or the disk is read-only or not writable.
        SessionError: a file has changed since the archive was begun, or is gone.
    """
    with storage_errors(target, "--out"):
        if disk_free(target.parent) < stream.size:
            raise OSError(errno.ENOSPC, "no room")
        temporary = partial_path(target)
        try:
            with temporary.open("wb") as file:
                done = 0
                for block in stream:
                    file.write(block)
                    done += len(block)
                    if on_progress:
                        on_progress(done, stream.size)
            commit_file(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
