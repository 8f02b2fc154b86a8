"""A project file, opened without trusting it: what is not exactly as we write it is refused with the reason."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from errors import ProjectError, SplazMatteError, storage_errors
from projects.manifest import MANIFEST, META, STATE, FileFacts, Manifest, check_json, manifest_store, quoted

MOST_MEMBERS = 400_000
"""Files of a project file: masks of some hours of video."""
_MOST_DIRECTORY = 60 << 20
"""Bytes of the zip's directory."""
MOST_TEXT = 100 << 20
"""Bytes of a JSON file."""
_BLOCK = 1 << 20

_SOURCE = r"session/source\.[A-Za-z0-9]{1,8}"
_RESULT = r"results/[a-z0-9-]{1,40}/[A-Za-z0-9_-]{1,120}\.[a-z0-9]{1,8}"
_SIDECAR = r"sidecars/[a-z0-9-]{1,40}\.json"
_COMMON = rf"session/(state|meta)\.json|{_SOURCE}|{_RESULT}|{_SIDECAR}"
MEMBERS = {
    "matting": re.compile(
        rf"{_COMMON}|session/masks/[1-9][0-9]{{0,8}}/(keyframes|propagated|drafts)/[0-9]{{6,9}}\.png"
        r"|session/masks/[1-9][0-9]{0,8}/bases/[0-9a-f]{16}\.png|session/alpha/[0-9]{6,9}-[0-9]{6,9}\.mkv"
    ),
    "tracking": re.compile(rf"{_COMMON}|session/raw_(tracks|visibility|confidence)\.npy"),
}
"""Names that members have, by kind of session: no other one ever becomes a path."""


class ProjectFile:
    """A project file whose directory and manifest are sound; members are checked as they are read.

    Args:
        path: the file.

    Raises:
        ProjectError: it is not a project file, cut off, damaged or hostile.
        StoreError: it was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_fifo():  # it would be waited for, for ever
            raise ProjectError(f"{path.name} is not a project file of SplazMatte")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ProjectError(f"{path.name} cannot be read: {error.strerror}") from None
        try:
            with _sound(path.name):
                _check_frame(self._file, path.name)
                self._zip = zipfile.ZipFile(self._file)
                entries = _entries(self._zip, path.stat().st_size, path.name)
            if MANIFEST not in entries:
                raise ProjectError(f"{path.name} is not a project file of SplazMatte: it has no {MANIFEST}")
            self.manifest = self._manifest(entries[MANIFEST])
            _check_members(self.manifest, entries)
        except BaseException:
            self._file.close()
            raise
        self._entries = entries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def source(self) -> str:
        """Return the member that is the video; empty where it is only referred to."""
        return next((name for name in self.manifest.members if re.fullmatch(_SOURCE, name)), "")

    def text(self, name: str) -> bytes:
        """Return a JSON file's bytes.

        Raises:
            ProjectError: it is damaged or too large.
        """
        if self.manifest.members[name].size > MOST_TEXT:
            raise ProjectError(f"the project file is damaged: {name} is too large")
        found = io.BytesIO()
        self._copy(name, found, None)
        return found.getvalue()

    def extract(self, name: str, target: Path, on_bytes: Callable[[int], None] | None = None) -> None:
        """Write a member as the file `target`, flushed to the disk; `on_bytes` gets the size of each block.

        Raises:
            ProjectError: it is damaged.
            StorageError: the disk is full, read-only or not writable.
        """
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        with file:
            self._copy(name, file, on_bytes)
            with storage_errors(target):
                file.flush()
                os.fsync(file.fileno())

    def _copy(self, name: str, target: IO[bytes], on_bytes: Callable[[int], None] | None) -> None:
        facts, found, size = self.manifest.members[name], hashlib.sha256(), 0
        for block in self._blocks(self._entries[name]):
            size += len(block)
            found.update(block)
            with storage_errors(Path(getattr(target, "name", name))):
                target.write(block)
            if on_bytes:
                on_bytes(len(block))
        if size != facts.size or found.hexdigest() != facts.sha256:
            raise ProjectError(f"the project file is damaged: {name} is not what was written; copy it again")

    def _blocks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        with _sound(self.path.name):
            opened = self._zip.open(entry)
        with opened:
            while True:
                with _sound(self.path.name):
                    block = opened.read(_BLOCK)
                if not block:
                    return
                yield block

    def _manifest(self, entry: zipfile.ZipInfo) -> Manifest:
        if entry.file_size > MOST_TEXT:
            raise ProjectError(f"the project file is damaged: {MANIFEST} is too large")
        raw = b"".join(self._blocks(entry))
        check_json(raw, MANIFEST)
        with _sound(self.path.name):
            manifest = manifest_store().decode(raw)
        if manifest.kind not in MEMBERS:
            raise ProjectError(
                "the project is of a kind that this version does not know: "
                f"'{quoted(manifest.kind)}'; update SplazMatte"
            )
        return manifest


@contextmanager
def _sound(name: str) -> Iterator[None]:
    """Turn whatever a damaged zip makes zipfile raise into an error for the user."""
    try:
        yield
    except SplazMatteError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError) as error:
        raise _damaged(name, error) from None
    except (ValueError, ArithmeticError, IndexError, AttributeError, TypeError) as error:
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> ProjectError:
    reason = str(error).partition("\n")[0][:200] or type(error).__name__
    return ProjectError(f"{name} is damaged or cut off; copy or download it again ({reason})")


def _check_frame(file: IO[bytes], name: str) -> None:
    """Look at the first and the last bytes before zipfile reads a directory of whatever size.

    Raises:
        ProjectError: it is no zip, or not whole, or its directory is larger than ours are.
    """
    if file.read(4) != b"PK\3\4":
        raise ProjectError(f"{name} is not a project file of SplazMatte")
    end = file.seek(0, 2)
    file.seek(max(0, end - 42 - 56))
    tail = file.read()
    if tail[-22:-18] != b"PK\5\6":
        raise ProjectError(f"{name} is cut off, or something was added to it; copy or download it again")
    count, size = struct.unpack("<HL", tail[-12:-6])
    if tail[-42:-38] == b"PK\6\7" and tail[-98:-94] == b"PK\6\6":  # Zip64: these numbers count
        count, size = struct.unpack("<QQ", tail[-66:-50])
    if count > MOST_MEMBERS or size > _MOST_DIRECTORY:
        raise ProjectError(f"{name} has more files than a project file may have")


def _entries(archive: zipfile.ZipFile, size: int, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name; only what we write ourselves passes: stored, plain, all different.

    Raises:
        ProjectError: one of them is not like that.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    for entry in archive.infolist():
        plain = entry.filename == entry.orig_filename and (entry.external_attr >> 16) & 0o170000 in (0, 0o100000)
        packed = entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size
        if not plain or packed or entry.flag_bits & 0x41 or entry.filename.casefold() in folded:
            raise ProjectError(
                f"{name} was not written by SplazMatte, or was packed again: '{quoted(entry.filename)}' "
                "is packed, encrypted, a link or there twice"
            )
        folded.add(entry.filename.casefold())
        found[entry.filename] = entry
    if sum(entry.file_size for entry in found.values()) > size:
        raise ProjectError(f"{name} was not written by SplazMatte: its files claim to be larger than itself")
    return found


def _check_members(manifest: Manifest, entries: dict[str, zipfile.ZipInfo]) -> None:
    """Compare the manifest with what is there.

    Raises:
        ProjectError: a member that is not named, or missing, or of another size, or of a name that is none of ours.
    """
    names = {*entries} - {MANIFEST}
    for name in sorted(names ^ {*manifest.members}):
        what = "is missing" if name in manifest.members else "does not belong to it"
        raise ProjectError(f"the project file is damaged: '{quoted(name)}' {what}")
    for name, facts in manifest.members.items():
        if not MEMBERS[manifest.kind].fullmatch(name):
            raise ProjectError(f"the project file has a file that no project has: '{quoted(name)}'")
        if entries[name].file_size != facts.size:
            raise ProjectError(f"the project file is damaged: {name} is not what was written; copy it again")
    sources = [name for name in names if re.fullmatch(_SOURCE, name)]
    if not {STATE, META} <= names or len(sources) != int(manifest.source.inside):
        raise ProjectError("the project file is damaged: its state, its facts or its source is missing")
    if sources and manifest.members[sources[0]] != FileFacts(size=manifest.source.size, sha256=manifest.source.sha256):
        raise ProjectError("the project file is damaged: its source is not the one that it names")
