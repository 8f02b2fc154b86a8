"""Alphas of a run that goes back in time, kept on the disk until the forward run has come to them."""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path

import numpy as np

from config import get_settings
from engines.base import Alpha
from errors import storage_errors

WHITE = 65535


class Spill:
    """A temporary file of alphas with 16 bits each, compressed without further loss; gone when it is closed.

    It lies in the workspace, as the system's folder for temporary files is often memory.
    """

    def __init__(self) -> None:
        workspace = get_settings().workspace_dir
        self._place = workspace if workspace.is_dir() else Path(tempfile.gettempdir())
        with storage_errors(self._place):
            # Without a name where the system can do that, so that nothing is left behind when the process is killed.
            self._file = tempfile.TemporaryFile(dir=self._place, prefix=".alpha-")  # noqa: SIM115 - closed by close()
        self._entries: dict[int, tuple[int, int, tuple[int, ...]]] = {}
        self._end = 0

    def write(self, index: int, alpha: Alpha) -> None:
        """Keep the alpha, float32 [H, W] 0..1, of frame `index`.

        Raises:
            StorageError: the disk is full.
        """
        values = np.rint(alpha * WHITE).astype("<u2")
        # Bytes of equal weight side by side: large even parts become almost nothing, at any level.
        data = zlib.compress(values.view(np.uint8).reshape(-1, 2).T.tobytes(), 1)
        with storage_errors(self._place):
            self._file.seek(self._end)
            self._file.write(data)
        self._entries[index] = (self._end, len(data), alpha.shape)
        self._end += len(data)

    def read(self, index: int) -> Alpha:
        """Return the alpha of frame `index`, to within 1/131070."""
        place, size, shape = self._entries[index]
        self._file.seek(place)
        planes = np.frombuffer(zlib.decompress(self._file.read(size)), np.uint8).reshape(2, -1)
        values = np.ascontiguousarray(planes.T).view("<u2").reshape(shape)
        return values.astype(np.float32) / np.float32(WHITE)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
        self._entries.clear()
