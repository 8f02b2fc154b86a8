"""JSON files that survive a power cut, a newer version and a bad edit: atomic, versioned, migrated, typed."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from errors import StoreError, storage_errors

Model = TypeVar("Model", bound=BaseModel)
Migration = Callable[[dict[str, Any]], dict[str, Any]]


def fsync_dir(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut (a no-op where folders cannot be opened, as on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file beside `path`, flush it to the disk and rename it over `path`.

    Raises:
        StorageError: the disk is full, read-only or not writable; `path` is as it was.
    """
    with storage_errors(path):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        fsync_dir(path.parent)


class JsonStore(Generic[Model]):
    """One pydantic model in one JSON file with a `version`.

    Args:
        path: the file.
        model: its type.
        migrations: {version: function from that version's data to the next one's}; the current version is one more
            than the highest of them, or 1.
    """

    def __init__(self, path: Path, model: type[Model], migrations: Mapping[int, Migration] | None = None) -> None:
        self.path = path
        self.model = model
        self.migrations = dict(migrations or {})
        self.version = max(self.migrations, default=0) + 1

    def exists(self) -> bool:
        """Tell whether the file is there."""
        return self.path.is_file()

    def save(self, value: Model) -> None:
        """Write `value`; the file is the old or the new one at any moment, never a part.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        data = {"version": self.version, **value.model_dump(mode="json")}
        write_atomic(self.path, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())

    def load(self) -> Model:
        """Read, migrate and check the file.

        Raises:
            FileNotFoundError: there is none.
            StoreError: it is unreadable (then it is set aside under another name) or of a newer version.
        """
        raw = self.path.read_bytes()
        try:
            data = json.loads(raw)
            version = data.pop("version")
            if not isinstance(version, int) or isinstance(version, bool) or version < 1:
                raise ValueError("no version")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise self._set_aside(str(error)) from None
        if version > self.version:
            raise StoreError(
                f"{self.path} was written by a newer SplazMatte (version {version}, not {self.version}): update"
            )
        try:
            for number in range(version, self.version):
                data = self.migrations[number](data)
            return self.model.model_validate(data)
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            raise self._set_aside(_first_line(error)) from None

    def _set_aside(self, reason: str) -> StoreError:
        aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns()}")
        with storage_errors(self.path):
            self.path.replace(aside)
        return StoreError(f"{self.path} could not be read ({reason}); it is kept as {aside.name}")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).partition("\n")[0]
