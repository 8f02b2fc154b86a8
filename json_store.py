"""JSON files that survive a power cut, a newer version and a bad edit: atomic, versioned, migrated, typed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from atomic import write_bytes
from errors import StoreError, storage_errors

Model = TypeVar("Model", bound=BaseModel)
Migration = Callable[[dict[str, Any]], dict[str, Any]]

SET_ASIDE = ".unreadable-"
"""What the names of files that were set aside have between the file's name and a digest of their content."""


class JsonStore(Generic[Model]):
    """One pydantic model in one JSON file with a `version`.

    Args:
        path: the file.
        model: its type.
        migrations: {version: function from that version's data to the next one's}; the current version is one more
            than the highest of them, or 1.
        backup: keep a second copy beside the file, as <name>.backup, that takes its place when it cannot be read or is
            gone. Whoever shares such a file between processes holds a lock of its own around `load` and `save`.
        setting: that moves the file to another disk, for the error of one that is full.
    """

    def __init__(
        self,
        path: Path,
        model: type[Model],
        migrations: Mapping[int, Migration] | None = None,
        *,
        backup: bool = False,
        setting: str = "SPLAZMATTE_WORKSPACE",
    ) -> None:
        self.path = path
        self.model = model
        self.migrations = dict(migrations or {})
        self.version = max(self.migrations, default=0) + 1
        self.notice = ""
        """What a user should know about how the last `load` got its value; empty if nothing."""
        self._backup = path.with_name(path.name + ".backup") if backup else None
        self._setting = setting
        self._seen: bytes | None = None

    def exists(self) -> bool:
        """Tell whether the file, or its backup, is there."""
        return any(path.is_file() for path in self._files())

    def changed(self) -> bool:
        """Tell whether the file holds something else than this store last read or wrote, or is gone since."""
        return _content(self.path) != self._seen

    def save(self, value: Model) -> None:
        """Write `value`; the file is the old or the new one at any moment, never a part.

        Raises:
            StorageError: the disk is full, read-only or not writable.
            StoreError: the file was written by a newer version, and stays as it is.
        """
        raw = self.encode(value)
        for path in self._files():
            self._guard(path)
        with storage_errors(self.path, self._setting):
            for path in reversed(self._files()):  # the backup first: it is never older, and a full disk stops before
                write_bytes(path, raw)
        self._seen = raw

    def encode(self, value: Model) -> bytes:
        """Return what `save` writes."""
        data = {"version": self.version, **value.model_dump(mode="json")}
        return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()

    def decode(self, raw: bytes) -> Model:
        """Return what a file of these bytes holds, migrated and checked; no file is touched.

        Raises:
            StoreError: it is unreadable, or of a newer version.
        """
        try:
            return self._parse(self.path, raw)
        except ValueError as error:
            raise StoreError(f"{self.path} could not be read ({error})") from None

    def load(self) -> Model:
        """Read, migrate and check the file; see `notice` where there is a backup.

        Raises:
            FileNotFoundError: there is none.
            StoreError: it is unreadable (then it is set aside under another name) or of a newer version.
        """
        self.notice = ""
        raw = _content(self.path)
        if raw is None:
            if not self.exists():
                raise FileNotFoundError(self.path)
            return self._restore(f"{self.path} is gone")
        try:
            value = self._parse(self.path, raw)
        except ValueError as error:
            aside = self._set_aside(self.path, raw)
            return self._restore(f"{self.path} could not be read ({error}); it is kept as {aside.name}")
        self._seen = raw
        return value

    def _files(self) -> list[Path]:
        return [self.path, self._backup] if self._backup else [self.path]

    def _restore(self, reason: str) -> Model:
        """Put the backup in the place of a file that is gone, and return what it holds."""
        raw = _content(self._backup) if self._backup else None
        if raw is None or self._backup is None:
            raise StoreError(reason)
        try:
            value = self._parse(self._backup, raw)
        except ValueError as error:
            self._set_aside(self._backup, raw)
            raise StoreError(f"{reason}; its backup could not be read either ({error})") from None
        with storage_errors(self.path, self._setting):
            write_bytes(self.path, raw)
        self._seen = raw
        self.notice = f"{reason}; its backup took its place"
        return value

    def _guard(self, path: Path) -> None:
        """Keep what another program may have put in the place of `path`: a newer version, or something unreadable."""
        raw = _content(path)
        if raw is None or raw == self._seen:
            return
        try:
            self._parse(path, raw)
        except ValueError:
            self._set_aside(path, raw)

    def _parse(self, path: Path, raw: bytes) -> Model:
        """Return what `raw` holds.

        Raises:
            StoreError: it is of a newer version.
            ValueError: it is unreadable; the message says why in one line.
        """
        try:
            data = json.loads(raw)
            version = data.pop("version")
            if not isinstance(version, int) or isinstance(version, bool) or version < 1:
                raise ValueError("no version")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise ValueError(str(error)) from None
        if version > self.version:
            raise StoreError(
                f"{path} was written by a newer SplazMatte (version {version}, not {self.version}): update"
            )
        try:
            for number in range(version, self.version):
                data = self.migrations[number](data)
            return self.model.model_validate(data)
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            raise ValueError(_first_line(error)) from None

    def _set_aside(self, path: Path, raw: bytes) -> Path:
        """Rename an unreadable file; the name is made from its content, so that none ever takes another's place."""
        aside = path.with_name(f"{path.name}{SET_ASIDE}{hashlib.sha256(raw).hexdigest()[:16]}")
        with storage_errors(path, self._setting):
            path.replace(aside)
        return aside


def _content(path: Path) -> bytes | None:
    """Return what the file holds; None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).partition("\n")[0]
