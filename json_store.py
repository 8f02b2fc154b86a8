"""JSON files that survive a power cut, a newer version and a bad edit: atomic, versioned, migrated, typed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from atomic import write_bytes
from errors import StoreError, storage_errors

Model = TypeVar("Model", bound=BaseModel)
Migration = Callable[[dict[str, Any]], dict[str, Any]]


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
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        with storage_errors(self.path):
            write_bytes(self.path, text.encode())

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
