"""Uploads: streamed to the disk, probed, and then a session; what does not get that far leaves nothing."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from errors import MediaError, StorageError, TooLargeError, storage_errors
from machine import disk_free
from session_base import StoredSession, safe_name

SPARE = 512 << 20
"""Bytes that an upload leaves free on the disk."""
__all__ = ["SPARE", "Uploads", "safe_name"]
Create = Callable[[Path, str], StoredSession[Any]]
"""(video, its user's name for it) -> a session that has it."""


class Uploads:
    """Takes files into a workspace.

    Args:
        workspace: whose folder uploads/ holds what is on its way.
        limit: bytes of a file.
    """

    def __init__(self, workspace: Path, limit: int) -> None:
        self._folder = workspace / "uploads"
        self._limit = limit

    def sweep(self) -> None:
        """Remove what a killed app has left; for its start, when nothing is on its way."""
        for path in self._folder.glob("*.part"):
            path.unlink(missing_ok=True)

    def check(self, size: int | None) -> None:
        """Refuse a file of that size in bytes, before it is sent; None where that is not known.

        Raises:
            TooLargeError: it is over the limit.
            StorageError: there is no room for it.
        """
        if size is not None and size > self._limit:
            raise TooLargeError(
                f"the file is over the limit of {self._limit / 1e9:g} GB; SPLAZMATTE_UPLOAD_LIMIT_GB sets it"
            )
        self._check_room(size or 0)

    async def receive(self, body: AsyncIterator[bytes]) -> Path:
        """Write `body` to a file of ours, and return that; cut off at any point, nothing is left.

        Raises:
            TooLargeError: it is over the limit.
            StorageError: the disk is full or not writable.
        """
        path = self._folder / f"{secrets.token_hex(8)}.part"
        try:
            with storage_errors(path):
                self._folder.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    await self._write(body, file.write)
                    file.flush()
                    os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def accept(self, path: Path, name: str, create: Create) -> StoredSession[Any]:
        """Make a session of a file that was received.

        Args:
            path: the file.
            name: what its user calls it.
            create: makes the session of a video that it may move.

        Raises:
            MediaError: it is not a video.
            StorageError: the disk is full or not writable.
        """
        name = safe_name(name)
        try:
            return create(path, name)
        except MediaError as error:  # it knows the file by our name for it
            raise MediaError(str(error).replace(str(path), name).replace(path.name, name)) from None
        finally:
            path.unlink(missing_ok=True)

    async def _write(self, body: AsyncIterator[bytes], write: Callable[[bytes], object]) -> None:
        written = checked = 0
        async for chunk in body:
            written += len(chunk)
            if written > self._limit:
                self.check(written)
            if written - checked > SPARE // 4:
                checked = written
                self._check_room(0)
            write(chunk)

    def _check_room(self, size: int) -> None:
        free = disk_free(self._folder.parent)
        if free - size < SPARE:
            raise StorageError(
                f"there is no room for the file: {free / 1e9:.1f} GB is free; free space or set SPLAZMATTE_WORKSPACE"
            )
