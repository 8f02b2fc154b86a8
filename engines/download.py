"""Fetch weights from the Hugging Face hub or a mirror: gone on with, checked, and only when a user asks for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atomic import PARTIAL, commit_file, write_bytes
from config import get_settings
from engines import hub
from engines.hub import Facts
from engines.licences import SETTING
from engines.weights import (
    RECORD,
    FileRecord,
    Progress,
    Record,
    accepted,
    file_sha256,
    file_size,
    folder,
    get_set,
    held_bytes,
    lock,
    state,
)
from engines.weights_table import WeightFile, WeightSet
from errors import Cancelled, EngineFailedError, EngineUnavailableError, StorageError, storage_errors
from machine import RECIPES, disk_free

RESERVE = 500_000_000
"""Bytes of the disk that are left free."""
TRIES = 5
"""Times in a row that nothing new may come of a file before that is an error."""
FIRST_TRIES = 2
"""Times that the hub is asked about a file."""


def download(name: str, on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> Path:
    """Fetch a set of weights, going on with what is there of it, and return its folder.

    Another process that downloads the same set is waited for.

    Args:
        name: of the set.
        on_progress: see Progress.
        should_stop: asked now and then; True stops, and what was fetched is gone on with the next time.

    Raises:
        EngineUnavailableError: its terms are not accepted; no network, no such files, or the hub does not let this
            user have them.
        EngineFailedError: what came is not what the hub announced.
        StorageError: the disk is full or not writable.
        Cancelled: `should_stop` said so.
    """
    entry, place = get_set(name), folder(name)
    if state(name) == "ready":
        return place
    if not accepted(name):
        raise EngineUnavailableError(
            f"the terms of '{name}' ({entry.licence}) are not accepted yet; run: {RECIPES} download-models {name}"
        )
    meter = _Meter(on_progress, should_stop)
    with _writing(place), hub.explained(entry), lock(name, meter.check):
        if state(name) != "ready":  # another process may have fetched it meanwhile
            place.mkdir(parents=True, exist_ok=True)
            _fetch_all(entry, place, meter)
    meter.finish()
    return place


def check_room(entries: Iterable[WeightSet]) -> None:
    """Refuse sets that together do not fit on the disk, by the sizes in the table.

    Raises:
        StorageError: they do not.
    """
    place = get_settings().models_path
    missing = sum(max(0, entry.size - held_bytes(entry.name)) for entry in entries)
    if missing:
        _check_room(place, missing, "this download")


class _Meter:
    """Tells how far a set is, never backwards, and stops where that is asked."""

    def __init__(self, on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        self.total = 0
        self.before = 0
        """Bytes of the files that are done."""
        self._told = -1
        self._on_progress = on_progress
        self._should_stop = should_stop

    def check(self) -> None:
        """Raise Cancelled where the user wants to stop."""
        if self._should_stop is not None and self._should_stop():
            raise Cancelled("stopped; the next download goes on from here")

    def __call__(self, count: int) -> None:
        """Tell that `count` bytes of the current file are there."""
        self.check()
        done = min(self.before + count, self.total)
        if done > self._told:
            self._told = done
            if self._on_progress is not None:
                self._on_progress(done, self.total)

    def finish(self) -> None:
        """Tell that all is there."""
        if self._on_progress is not None and self._told < self.total:
            self._on_progress(self.total, self.total)


def _fetch_all(entry: WeightSet, place: Path, meter: _Meter) -> None:
    """Fetch what is missing of a set, check it, and note what it was."""
    facts: dict[str, Facts] = {}
    revision = hub.REVISION
    for file in entry.files:
        facts[file.path] = _ask(entry, file, revision, meter)
        revision = facts[file.path].revision
    sizes = {file.path: facts[file.path].size or file.size for file in entry.files}
    meter.total = sum(sizes.values())
    _check_room(place, meter.total - _held(place, facts, sizes), f"'{entry.name}'")
    made = {}
    for file in entry.files:
        made[file.path] = _fetch(entry, file, facts[file.path], place, meter)
        meter.before += sizes[file.path]
    record = Record(repository=entry.repository, revision=revision, files=made)
    write_bytes(place / RECORD, record.model_dump_json(indent=1).encode())


def _ask(entry: WeightSet, file: WeightFile, revision: str, meter: _Meter) -> Facts:
    """Return what the hub announces about a file; without any network that fails at once."""
    for attempt in range(FIRST_TRIES):
        meter.check()
        try:
            return hub.get_facts(entry, file.path, revision)
        except hub.errors() as error:
            last = attempt == FIRST_TRIES - 1
            if last or hub.is_unreachable(error) or not hub.is_passing(error):
                raise
            _pause(max(2.0**attempt, hub.wanted_wait(error)), meter)
    raise AssertionError


def _held(place: Path, facts: dict[str, Facts], sizes: dict[str, int]) -> int:
    """Return the bytes of a set that need not be fetched any more."""
    held = 0
    for path, size in sizes.items():
        target = place / path
        there = file_size(target) if file_size(target) == facts[path].size else file_size(_part(target, facts[path]))
        held += min(there or 0, size)
    return held


def _check_room(place: Path, missing: int, what: str) -> None:
    """Refuse what does not fit on the disk, before any of it is fetched."""
    if disk_free(place) < missing + RESERVE:
        raise StorageError(
            f"{what} needs {missing / 1e9:.1f} GB and {RESERVE / 1e9:g} GB to spare in {place}; "
            f"free space or set {SETTING}"
        )


def _fetch(entry: WeightSet, file: WeightFile, facts: Facts, place: Path, meter: _Meter) -> FileRecord:
    """Return what a file is, fetching it unless it is there already."""
    target = place / file.path
    part = _part(target, facts)
    target.parent.mkdir(parents=True, exist_ok=True)
    for path in target.parent.glob(f"{target.name}.*{PARTIAL}"):
        if path != part:  # of another version
            path.unlink()
    if target.is_dir():
        raise StorageError(f"{target} is a folder where a file should be; remove it")
    if file_size(target) is not None:
        made = _as_announced(target, file, facts)
        if made is not None:
            return made
        target.unlink()
    _fetch_part(entry, file, facts, part, meter)
    made = _as_announced(part, file, facts)
    if made is None:
        part.unlink()
        raise EngineFailedError(f"{file.path} came with a wrong hash and was removed; download it again")
    commit_file(part, target)
    return made


def _part(target: Path, facts: Facts) -> Path:
    """Return where a file is collected: what is there of another version is not gone on with."""
    return target.with_name(f"{target.name}.{hashlib.sha256(facts.etag.encode()).hexdigest()[:12]}{PARTIAL}")


def _fetch_part(entry: WeightSet, file: WeightFile, facts: Facts, part: Path, meter: _Meter) -> None:
    """Collect a file, in as many goes as it takes, as long as each brings something new."""
    most, tries = file_size(part) or 0, 0
    while True:
        failure: Exception | None = None
        try:
            ended = _go_on(entry, file, facts, part, meter)
        except hub.errors() as error:
            if not hub.is_passing(error):
                raise
            failure, ended = error, False
        have = file_size(part) or 0
        if ended and (facts.size is None or have == facts.size):
            return
        tries = 0 if have > most else tries + 1
        most = max(most, have)
        if tries == TRIES:
            if failure is not None:
                raise failure
            raise EngineFailedError(
                f"{file.path} ends after {have} of {facts.size} bytes; try again later, or another mirror"
            )
        _pause(max(2.0**tries, hub.wanted_wait(failure)), meter)


def _go_on(entry: WeightSet, file: WeightFile, facts: Facts, part: Path, meter: _Meter) -> bool:
    """Add to the end of `part` until the connection ends; tell whether it ended in order."""
    have = 0 if facts.size is None else file_size(part) or 0
    if facts.size is not None and have > facts.size:
        have = 0
    meter(have)
    if have == facts.size:
        return True
    with hub.stream(entry, file.path, facts.revision, have) as (start, blocks), part.open("ab") as out:
        if start != file_size(part):
            out.truncate(start)
        have = start
        for block in blocks:
            out.write(block)
            have += len(block)
            if facts.size is not None and have > facts.size:
                out.truncate(0)
                raise EngineFailedError(f"{file.path} is longer than announced and was removed; try another mirror")
            meter(have)
    return True


def _pause(seconds: float, meter: _Meter) -> None:
    """Wait before the next try; a wish to stop is noticed meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        meter.check()
        time.sleep(min(left, 0.2))


def _as_announced(path: Path, file: WeightFile, facts: Facts) -> FileRecord | None:
    """Return what a file is; None if it is not what the hub announced.

    Large files are announced by their SHA-256, small ones by git's hash of a blob.
    """
    size = path.stat().st_size
    found = file_sha256(path)
    same = (facts.size is None or size == facts.size) and found.startswith(file.sha256)
    if len(facts.etag) == 64:
        same = same and found == facts.etag
    elif len(facts.etag) == 40:
        blob = hashlib.sha1(b"blob %d\0" % size + path.read_bytes(), usedforsecurity=False)
        same = same and blob.hexdigest() == facts.etag
    return FileRecord(size=size, sha256=found) if same else None


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Turn whatever the disk refuses into one line."""
    try:
        with storage_errors(place, SETTING):
            yield
    except OSError as error:
        raise StorageError(f"cannot write {place}: {error.strerror or error}; set {SETTING}") from error
