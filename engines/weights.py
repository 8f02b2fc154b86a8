"""Weights on the disk: which are there, whether they are whole, and how to get rid of them. Downloads nothing.

<models_dir>/<name>/            the files of a set, at their paths in its repository
<models_dir>/<name>/.made.json  sizes and hashes of what was downloaded; absent where somebody put the files there
<models_dir>/<name>/*.partial   what is there of a file; the next download goes on with it
<models_dir>/.<name>.lock       held while the set is downloaded or removed
<models_dir>/licences.json      terms that the user has accepted (engines/licences.py)
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from config import get_settings
from engines import licences
from engines.licences import SETTING
from engines.weights_table import WEIGHTS, WeightSet
from errors import EngineFailedError, EngineUnavailableError, ParameterError, StorageError, storage_errors
from machine import RECIPES

RECORD = ".made.json"
State = Literal["missing", "partial", "ready"]
Progress = Callable[[int, int], None]
"""Called with the bytes that are there or were read, and all there are; the first never becomes less."""


class FileRecord(BaseModel):
    """What a downloaded file was."""

    size: int
    sha256: str


class Record(BaseModel):
    """What was downloaded."""

    repository: str
    revision: str
    """The commit."""
    files: dict[str, FileRecord]


def get_set(name: str) -> WeightSet:
    """Return a row of the table of weights.

    Raises:
        ParameterError: there is none of that name.
    """
    for entry in WEIGHTS:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in WEIGHTS)
    raise ParameterError(f"there are no weights named '{name}'; there are: {known}")


def folder(name: str) -> Path:
    """Return where a set lies or would lie."""
    return get_settings().models_path / get_set(name).name


def accepted(name: str) -> bool:
    """Tell whether a set can be downloaded as far as its terms go: they are free, or the user has accepted them."""
    return licences.is_accepted(get_set(name))


def accept(name: str) -> None:
    """Note that the user has accepted the terms of a set, and so of all sets under the same terms.

    Raises:
        StorageError: the folder of models is not writable.
    """
    licences.accept(get_set(name))


def state(name: str) -> State:
    """Return whether a set is there, by names and sizes alone."""
    entry, place = get_set(name), folder(name)
    if file_size(place) is None:
        return "missing"
    record = read_record(place)
    for file in entry.files:
        size = file_size(place / file.path)
        known = record.files.get(file.path) if record else None
        if size is None or not (place / file.path).is_file() or (known is not None and size != known.size):
            return "partial"
    return "ready"


def find(name: str) -> Path:
    """Return the folder of a set that is there.

    Raises:
        EngineUnavailableError: it is not, or not whole.
    """
    if state(name) != "ready":
        raise EngineUnavailableError(mend(name))
    return folder(name)


def mend(name: str) -> str:
    """Return the line that says that a set is not there, and the command that fetches it."""
    how = "are not complete" if state(name) == "partial" else "are not there"
    return f"the weights '{name}' {how}; run: {RECIPES} download-models {name}"


def verify(name: str, on_progress: Progress | None = None) -> None:
    """Read every file of a set and compare it with what was downloaded.

    Args:
        name: of the set.
        on_progress: called with the bytes that were read, and all there are.

    Raises:
        EngineUnavailableError: it is not there.
        EngineFailedError: a file is not what was downloaded; the message says what mends it.
    """
    if bad := damaged(name, on_progress):
        raise EngineFailedError(f"{bad[0]} is damaged; run: {RECIPES} download-models {name} --verify")


def damaged(name: str, on_progress: Progress | None = None) -> list[Path]:
    """Return the files of a set that are not what was downloaded. Arguments and errors as for `verify`."""
    place = find(name)
    record = read_record(place)
    files = get_set(name).files
    bad = []
    done, total = 0, sum((place / file.path).stat().st_size for file in files)
    for file in files:
        path = place / file.path
        found = file_sha256(path, partial(_tell, on_progress, total, done))
        done += path.stat().st_size
        known = record.files[file.path].sha256 if record and file.path in record.files else file.sha256
        if not found.startswith(known):
            bad.append(path)
    return bad


def is_known(name: str) -> bool:
    """Tell whether there is anything to compare a set with; not where somebody put the files there."""
    record = read_record(folder(name))
    return all((record is not None and file.path in record.files) or file.sha256 for file in get_set(name).files)


def _tell(on_progress: Progress | None, total: int, before: int, count: int) -> None:
    if on_progress is not None:
        on_progress(before + count, total)


def held_bytes(name: str) -> int:
    """Return the bytes that a set takes on the disk, unfinished files among them; it may be in use meanwhile."""
    total = 0
    for place, _, files in os.walk(folder(name)):
        for file in files:
            with suppress(FileNotFoundError):  # renamed or removed since it was listed
                total += Path(place, file).lstat().st_size
    return total


def remove(name: str) -> int:
    """Remove a set and return the bytes that this freed.

    Raises:
        EngineUnavailableError: it is being downloaded.
        StorageError: the disk is read-only, or not this user's.
    """
    place = folder(name)
    if not place.is_dir():
        return 0
    with storage_errors(place, SETTING), lock(name):
        freed = held_bytes(name)
        if place.is_symlink():  # to another disk: what is there stays, it may be somebody else's too
            place.unlink()
            return 0
        shutil.rmtree(place)
    return freed


@contextmanager
def lock(name: str, wait: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold the lock of a set, for downloading and removing it.

    Args:
        name: of the set.
        wait: called every now and then while another process holds it, and may raise; None does not wait.

    Raises:
        EngineUnavailableError: another process holds it.
        StorageError: a file lies in the place of the folder of models.
    """
    models = get_settings().models_path
    try:
        models.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise StorageError(f"{models} is no folder; remove it or set {SETTING}") from None
    held = FileLock(models / f".{get_set(name).name}.lock")
    while not held.is_locked:
        try:
            held.acquire(timeout=0.2, poll_interval=0.02)
        except Timeout:
            if wait is None:
                raise EngineUnavailableError(f"'{name}' is being downloaded; stop that or wait for it") from None
            wait()
    try:
        yield
    finally:
        held.release()


def read_record(place: Path) -> Record | None:
    """Return what was downloaded into a folder; None where that is not known."""
    try:
        return Record.model_validate_json((place / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def file_size(path: Path) -> int | None:
    """Return the size of a file; None where there is none that can be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def file_sha256(path: Path, on_progress: Callable[[int], None] | None = None) -> str:
    """Return a file's SHA-256; `on_progress` is called with the bytes that were read."""
    found, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            found.update(block)
            done += len(block)
            if on_progress:
                on_progress(done)
    return found.hexdigest()
