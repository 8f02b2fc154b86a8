"""Which terms a user has accepted: <models_dir>/licences.json. Terms that change are asked about again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from filelock import FileLock
from pydantic import BaseModel, Field

from config import get_settings
from engines.weights_table import WeightSet
from errors import StoreError, storage_errors
from json_store import JsonStore

SETTING = "SPLAZMATTE_MODELS_DIR"
FILE = "licences.json"


class Acceptance(BaseModel):
    """When which version of a licence's terms was accepted."""

    when: datetime
    terms: str
    """Digest of the words that the user saw."""


class Licences(BaseModel):
    """What was accepted, by the licence's name: sets of one licence are asked about once."""

    accepted: dict[str, Acceptance] = Field(default_factory=dict)


def is_accepted(entry: WeightSet) -> bool:
    """Tell whether the terms of `entry` are free of conditions, or were accepted as they are now."""
    if entry.is_free:
        return True
    known = _read(_store()).accepted.get(entry.licence)
    return known is not None and known.terms == terms_digest(entry)


def accept(entry: WeightSet) -> None:
    """Note that the user has accepted the terms of `entry`.

    Raises:
        StorageError: the folder of models is not writable.
        StoreError: the file is of a newer version.
    """
    if is_accepted(entry):
        return
    store = _store()
    with storage_errors(store.path, SETTING):
        store.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(store.path.with_name(f".{FILE}.lock")):
            value = _read(store)
            value.accepted[entry.licence] = Acceptance(when=datetime.now(UTC), terms=terms_digest(entry))
            store.save(value)


def terms_digest(entry: WeightSet) -> str:
    """Return a name for the words that a user is shown about the licence of `entry`."""
    return hashlib.sha256(f"{entry.licence}\n{entry.terms}".encode()).hexdigest()[:16]


def _store() -> JsonStore[Licences]:
    return JsonStore(get_settings().models_path / FILE, Licences, setting=SETTING)


def _read(store: JsonStore[Licences]) -> Licences:
    try:
        return store.load()
    except (FileNotFoundError, StoreError):  # an unreadable one was set aside: the questions are asked again
        return Licences()
