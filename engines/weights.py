"""Weights on the disk: which are there, whether they are whole, and how to get rid of them. Downloads nothing.

<models_dir>/<name>/            the files of a set, at their paths in its repository
<models_dir>/<name>/.made.json  sizes and hashes of what was downloaded; absent where somebody put the files there
<models_dir>/licences.json      terms that the user has accepted
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from atomic import write_bytes
from config import get_settings
from engines.weights_table import WEIGHTS, WeightSet
from errors import EngineFailedError, EngineUnavailableError, ParameterError, storage_errors

RECORD = ".made.json"
LICENCES = "licences.json"
State = Literal["missing", "partial", "ready"]


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
    return get_settings().models_dir / get_set(name).name


def accepted(name: str) -> bool:
    """Tell whether a set can be downloaded as far as its terms go: they are free, or the user has accepted them."""
    entry = get_set(name)
    return entry.is_free or _licences().get(entry.licence) == entry.terms


def accept(name: str) -> None:
    """Note that the user has accepted the terms of a set, and so of all sets under the same terms.

    Raises:
        StorageError: the folder of models is not writable.
    """
    entry = get_set(name)
    path = get_settings().models_dir / LICENCES
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(_licences() | {entry.licence: entry.terms}, indent=1).encode())


def _licences() -> dict[str, str]:
    try:
        return dict(json.loads((get_settings().models_dir / LICENCES).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def state(name: str) -> State:
    """Return whether a set is there, by names and sizes alone."""
    entry, place = get_set(name), folder(name)
    if not place.is_dir():
        return "missing"
    record = read_record(place)
    for file in entry.files:
        path = place / file.path
        if not path.is_file():
            return "partial"
        known = record.files.get(file.path) if record else None
        if known is not None and path.stat().st_size != known.size:
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
    return f"the weights '{name}' {how}; run: just download-models {name}"


def verify(name: str, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Read every file of a set and compare it with what was downloaded.

    Args:
        name: of the set.
        on_progress: called with the bytes that were read, and all there are.

    Raises:
        EngineUnavailableError: it is not there.
        EngineFailedError: a file is not what was downloaded; the message says what mends it.
    """
    place = find(name)
    record = read_record(place)
    files = get_set(name).files
    done, total = 0, sum((place / file.path).stat().st_size for file in files)
    for file in files:
        path = place / file.path
        found = file_sha256(path, partial(_tell, on_progress, total, done))
        done += path.stat().st_size
        known = record.files[file.path].sha256 if record and file.path in record.files else file.sha256
        if not found.startswith(known):
            raise EngineFailedError(
                f"{path} is damaged; run: run.py models remove {name}, then run.py models download {name}"
            )


def _tell(on_progress: Callable[[int, int], None] | None, total: int, before: int, count: int) -> None:
    if on_progress is not None:
        on_progress(before + count, total)


def is_known(name: str) -> bool:
    """Tell whether there is anything to compare a set with; not where somebody put the files there."""
    record = read_record(folder(name))
    return all((record is not None and file.path in record.files) or file.sha256 for file in get_set(name).files)


def held_bytes(name: str) -> int:
    """Return the bytes that a set takes on the disk, unfinished files among them; it may be in use meanwhile."""
    total = 0
    for place, _, files in os.walk(folder(name)):
        for file in files:
            with suppress(FileNotFoundError):  # renamed or removed since it was listed
                total += Path(place, file).lstat().st_size
    return total


def remove(name: str) -> int:
    """Remove a set and return the bytes that this freed."""
    place = folder(name)
    if not place.is_dir():
        return 0
    freed = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    with storage_errors(place):
        shutil.rmtree(place)
    return freed


def read_record(place: Path) -> Record | None:
    """Return what was downloaded into a folder; None where that is not known."""
    try:
        return Record.model_validate_json((place / RECORD).read_bytes())
    except (OSError, ValidationError):
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
