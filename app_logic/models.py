"""The page of models without widgets: what weights there are, their download, check and removal, and the disk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from app_logic.errands import Errand, Line, Progress, Work
from engines import weights
from engines.table import ENGINES
from engines.weights_table import WEIGHTS, WeightSet
from errors import Cancelled, EngineUnavailableError
from machine import disk_free

Checked = Literal["", "whole", "unknown"]


@dataclass(frozen=True)
class ModelRow:
    """One set of weights as the page shows it."""

    entry: WeightSet
    state: weights.State
    held: int
    """Bytes of it on the disk."""
    needed: int
    """Bytes that are still to come."""
    accepted: bool
    """Nothing has to be accepted any more before it is downloaded."""
    engines: tuple[tuple[str, str], ...]
    """(title, job) of every engine that uses it."""
    download: Errand | None
    check: Errand | None
    problem: str
    """Why the last errand failed, in one line."""
    checked: Checked
    """'whole': every file is what was downloaded; 'unknown': there is nothing to compare them with."""
    fits: bool
    """There is room for it on the disk."""


@dataclass(frozen=True)
class Place:
    """Where weights lie and come from."""

    folder: str
    free: int
    missing: int
    """Bytes of all sets that are not there."""
    hub: str
    is_mirror: bool
    offline: bool


class ModelsDesk:
    """What can be done about weights; one for all pages and tabs, and it goes on when they close.

    Args:
        fetch: downloads one set; see engines.download.
        clock: seconds; tests bring their own.
    """

    def __init__(self, fetch: Work | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._problems: dict[str, str] = {}
        self._checked: dict[str, Checked] = {}
        self._downloads = Line("download", fetch or _fetch, self._downloaded, clock)
        self._checks = Line("check", _verify, self._was_checked, clock)

    def rows(self) -> list[ModelRow]:
        """Return every set of the table as it is now on the disk, whoever has put it there."""
        free = self._free()
        return [self._row(entry, free) for entry in WEIGHTS]

    def place(self) -> Place:
        """Return where weights lie and come from."""
        hub = os.environ.get("HF_ENDPOINT", "").strip()
        missing = sum(_needed(entry) for entry in WEIGHTS)
        offline = any(os.environ.get(name, "").upper() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
        folder = weights.folder(WEIGHTS[0].name).parent
        return Place(str(folder), self._free(), missing, _shown_address(hub) or "huggingface.co", bool(hub), offline)

    def accept(self, name: str) -> None:
        """Note that the user accepts the terms of a set.

        Raises:
            ParameterError: there is no such set.
            StorageError: the folder of models is not writable.
        """
        weights.accept(name)

    def download(self, name: str) -> None:
        """Fetch a set, going on with what is there of it, after those that were asked for before.

        Raises:
            ParameterError: there is no such set.
            EngineUnavailableError: its terms are not accepted.
        """
        if not weights.accepted(name):
            raise EngineUnavailableError(f"the terms of '{name}' are not accepted yet; read and accept them first")
        self._forget(name)
        self._downloads.add(name)

    def stop(self, name: str) -> None:
        """Stop what is being done about a set; what has come of it is kept."""
        self._downloads.stop(name)
        self._checks.stop(name)

    def verify(self, name: str) -> None:
        """Read all files of a set and compare them with what was downloaded.

        Raises:
            EngineUnavailableError: it is not there.
        """
        weights.find(name)
        self._forget(name)
        self._checks.add(name)

    def remove(self, name: str) -> int:
        """Remove a set and return the bytes that this freed.

        Raises:
            EngineUnavailableError: it is being downloaded or checked.
            StorageError: the folder is not writable.
        """
        if self._downloads.find(name) or self._checks.find(name):
            raise EngineUnavailableError(f"'{name}' is being downloaded or checked; stop that or wait for it")
        self._forget(name)
        return weights.remove(name)

    def close(self) -> None:
        """Stop everything, for the app's end; the next download goes on from there."""
        self._downloads.close()
        self._checks.close()

    def _row(self, entry: WeightSet, free: int) -> ModelRow:
        from engines.download import RESERVE

        name, needed = entry.name, _needed(entry)
        with self._lock:
            problem, checked = self._problems.get(name, ""), self._checked.get(name, "")
        return ModelRow(
            entry=entry,
            state=weights.state(name),
            held=weights.held_bytes(name),
            needed=needed,
            accepted=weights.accepted(name),
            engines=_users(name),
            download=self._downloads.find(name),
            check=self._checks.find(name),
            problem=problem,
            checked=checked,
            fits=free >= needed + RESERVE,
        )

    def _free(self) -> int:
        return disk_free(weights.folder(WEIGHTS[0].name))

    def _forget(self, name: str) -> None:
        with self._lock:
            self._problems.pop(name, None)
            self._checked.pop(name, None)

    def _downloaded(self, name: str, problem: str | None) -> None:
        if problem:
            with self._lock:
                self._problems[name] = problem

    def _was_checked(self, name: str, problem: str | None) -> None:
        with self._lock:
            if problem:
                self._problems[name] = problem
            elif problem is not None:
                self._checked[name] = "whole" if weights.is_known(name) else "unknown"


def _needed(entry: WeightSet) -> int:
    return 0 if weights.state(entry.name) == "ready" else max(0, entry.size - weights.held_bytes(entry.name))


def _users(name: str) -> tuple[tuple[str, str], ...]:
    return tuple((spec.title, spec.job.value) for spec in ENGINES if name in (*spec.weights, *spec.models.values()))


def _fetch(name: str, on_progress: Progress, should_stop: Callable[[], bool]) -> None:
    from engines.download import download

    download(name, on_progress, should_stop)


def _verify(name: str, on_progress: Progress, should_stop: Callable[[], bool]) -> None:
    def told(done: int, total: int) -> None:
        if should_stop():
            raise Cancelled("the check was stopped")
        on_progress(done, total)

    weights.verify(name, told)


_TRUE = ("1", "ON", "YES", "TRUE")
"""Values that the hub's library takes for yes."""


def _shown_address(address: str) -> str:
    """Return an address without the name and password that may be in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else address
