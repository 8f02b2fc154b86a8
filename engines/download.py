"""Fetch weights from the Hugging Face hub or a mirror of it: resumed, checked, and only when a user asks for it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from atomic import write_bytes
from engines.weights import RECORD, FileRecord, Record, file_sha256, folder, get_set, state
from engines.weights_table import WeightFile, WeightSet
from errors import Cancelled, EngineFailedError, EngineUnavailableError, StorageError, storage_errors
from machine import disk_free

RESERVE = 500_000_000
"""Bytes of the disk that are left free."""
TRIES = 4
"""Times that a file is gone on with after its connection was cut."""
REVISION = "main"

Progress = Callable[[int, int], None]
"""Called with the bytes that are there, and all there are."""


def download(name: str, on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> Path:
    """Fetch a set of weights, going on with what is there of it, and return its folder.

    Args:
        name: of the set.
        on_progress: see Progress.
        should_stop: asked now and then; True stops, and what was fetched is gone on with the next time.

    Raises:
        EngineUnavailableError: no network, no such files, or the hub does not let this user have them.
        EngineFailedError: what came is not what the hub announced.
        StorageError: the disk is full or not writable.
        Cancelled: `should_stop` said so.
    """
    entry, place = get_set(name), folder(name)
    if state(name) == "ready":
        return place
    with storage_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / ".lock"), _explained(entry):
        facts = {file.path: _facts(entry, file) for file in entry.files}
        total = sum(size for _, size, _ in facts.values())
        missing = total - sum(_held(place, file.path) for file in entry.files)
        if disk_free(place) < missing + RESERVE:
            raise StorageError(
                f"{name} needs {missing / 1e9:.1f} GB and {RESERVE / 1e9:g} GB to spare in {place}; "
                "free space or set SPLAZMATTE_MODELS_DIR"
            )
        made, done = {}, 0
        for file in entry.files:
            etag, size, _ = facts[file.path]
            path = _fetch(entry, file, place, partial(_tell, on_progress, should_stop, total, done))
            made[file.path] = _checked(path, file, etag, size)
            done += size
        revision = next(iter(facts.values()))[2]
        record = Record(repository=entry.repository, revision=revision, files=made)
        write_bytes(place / RECORD, record.model_dump_json(indent=1).encode())
        shutil.rmtree(place / ".cache", ignore_errors=True)  # what the hub's library notes beside the files
    _tell(on_progress, None, total, 0, total)
    return place


def _facts(entry: WeightSet, file: WeightFile) -> tuple[str, int, str]:
    """Return a file's hash, size and commit as the hub announces them."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(entry.repository, file.path, revision=REVISION, endpoint=_endpoint())
    facts = get_hf_file_metadata(url, endpoint=_endpoint())
    return facts.etag or "", facts.size or 0, facts.commit_hash or REVISION


def _fetch(entry: WeightSet, file: WeightFile, place: Path, tell: Callable[[int], None]) -> Path:
    """Fetch a file, going on where a connection was cut."""
    from huggingface_hub import hf_hub_download

    for attempt in range(TRIES):
        try:
            path = hf_hub_download(
                entry.repository,
                file.path,
                revision=REVISION,
                local_dir=place,
                endpoint=_endpoint(),
                tqdm_class=_meter(tell),
            )
            return Path(path)
        except Exception as error:
            if attempt == TRIES - 1 or not _is_cut(error):
                raise
            _pause(attempt)
    raise AssertionError


def _pause(attempt: int) -> None:
    """Wait before the next try, longer each time."""
    time.sleep(2.0**attempt)


def _is_cut(error: Exception) -> bool:
    """Tell whether a connection ended in the middle: then another one goes on."""
    from huggingface_hub.utils import httpx

    return isinstance(error, httpx.TransportError | ConnectionError) or "Consistency check failed" in str(error)


def _meter(tell: Callable[[int], None]) -> type[Any]:
    """Return a progress bar, as the hub's library wants one, that shows nothing and tells the bytes."""
    from tqdm import tqdm

    class Meter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            self._count = int(options.get("initial") or 0)
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            self._count += int(n or 0)
            tell(self._count)
            return None

    return Meter


def _checked(path: Path, file: WeightFile, etag: str, size: int) -> FileRecord:
    """Compare a file with what the hub announced; one that differs is removed.

    Large files are announced by their SHA-256, small ones by git's hash of a blob.
    """
    found = file_sha256(path)
    same = path.stat().st_size == size and found.startswith(file.sha256)
    if len(etag) == 64:
        same = same and found == etag
    elif len(etag) == 40:
        data = path.read_bytes()
        same = same and hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == etag
    if not same:
        path.unlink()
        raise EngineFailedError(f"{path.name} came with a wrong hash and was removed; download it again")
    return FileRecord(size=size, sha256=found)


def _held(place: Path, path: str) -> int:
    """Return the bytes of a file that are there, also where it is not whole."""
    unfinished = (place / ".cache/huggingface/download" / path).parent.glob("*.incomplete")
    parts = [place / path, *unfinished]
    return max((part.stat().st_size for part in parts if part.is_file()), default=0)


def _tell(
    on_progress: Progress | None, should_stop: Callable[[], bool] | None, total: int, before: int, count: int
) -> None:
    """Tell that `count` bytes of a file are there, after `before` bytes of other files; stop where that is asked."""
    if should_stop is not None and should_stop():
        raise Cancelled("stopped; the next download goes on from here")
    if on_progress is not None:
        on_progress(min(before + count, total), total)


def _endpoint() -> str | None:
    """Return the mirror that is set, as it is set now."""
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def _explained(entry: WeightSet) -> Iterator[None]:
    """Turn what the hub's library raises into one line that says what to do.

    Raises:
        EngineUnavailableError, StorageError: see there.
    """
    try:
        from huggingface_hub import errors
        from huggingface_hub.utils import httpx
    except ImportError:
        raise EngineUnavailableError("downloading needs huggingface_hub; run: just setup") from None
    try:
        with storage_errors(folder(entry.name)):
            yield
    except errors.GatedRepoError as error:
        raise EngineUnavailableError(_gated(entry)) from error
    except errors.RepositoryNotFoundError as error:  # the hub says so of private ones to who is not logged in, too
        raise EngineUnavailableError(
            f"{entry.page} is not there, or not for you; where it has moved, report it; else run: hf auth login"
        ) from error
    except errors.EntryNotFoundError as error:
        raise EngineUnavailableError(f"{entry.page} lacks a file that '{entry.name}' needs; report it") from error
    except errors.OfflineModeIsEnabled as error:
        raise EngineUnavailableError("downloads are switched off by HF_HUB_OFFLINE; unset it") from error
    except errors.HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else 0
        if code in (401, 403):
            raise EngineUnavailableError(_gated(entry)) from error
        raise EngineUnavailableError(f"{entry.page} answers {code}; try again later, or set HF_ENDPOINT") from error
    except (httpx.HTTPError, ConnectionError, TimeoutError, errors.LocalEntryNotFoundError) as error:
        raise EngineUnavailableError(
            f"no connection to {_endpoint() or 'huggingface.co'}; check the network, or set HF_ENDPOINT to a mirror"
        ) from error


def _gated(entry: WeightSet) -> str:
    terms = f"accept its terms at {entry.page}, then run: hf auth login" if entry.gated else "run: hf auth login"
    return f"the hub does not let you have '{entry.name}': {terms}"
