"""uploads.json of a session: what is up, and which multipart uploads were begun. No link, no signature, no key."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from errors import StoreError
from json_store import JsonStore

FILE_NAME = "uploads.json"


class Begun(BaseModel):
    """A multipart upload that is not complete."""

    upload_id: str
    identity: str
    """Of the file that it is of."""
    part_size: int
    place: str
    """Mark of the bucket."""
    label: str = ""
    """As of Uploaded; empty in the notes of older versions."""


class Uploaded(BaseModel):
    """An object that is up, whole and checked."""

    key: str
    name: str
    """What the user's file is called."""
    label: str
    """What it is to whoever uploads: its format."""
    size: int
    checksum: str
    identity: str
    place: str
    at: datetime


class Uploads(BaseModel):
    """What uploads.json holds, by key."""

    begun: dict[str, Begun] = {}
    done: dict[str, Uploaded] = {}


class Ledger:
    """The uploads of a session; whoever writes holds the session's lock.

    Args:
        folder: the session's.
    """

    def __init__(self, folder: Path) -> None:
        self._store = JsonStore(folder / FILE_NAME, Uploads)

    def read(self) -> Uploads:
        """Return what there is; nothing where the file is not there or was damaged: then it is all asked for anew.

        Raises:
            StoreError: it was written by a newer version.
        """
        try:
            return self._store.load()
        except FileNotFoundError:
            return Uploads()
        except StoreError:
            if self._store.path.exists():  # else it was set aside
                raise
            return Uploads()

    def begin(self, key: str, begun: Begun) -> None:
        """Note a multipart upload that was begun."""
        uploads = self.read()
        uploads.begun[key] = begun
        self._store.save(uploads)

    def give_up(self, key: str) -> None:
        """Forget a multipart upload; what is up under its key stays so."""
        uploads = self.read()
        if uploads.begun.pop(key, None):
            self._store.save(uploads)

    def forget(self, key: str, place: str) -> None:
        """Forget all that there was under a key in that bucket."""
        uploads = self.read()
        notes: tuple[dict[str, Any], ...] = (uploads.begun, uploads.done)
        there = [note for note in notes if key in note and note[key].place == place]
        for note in there:
            del note[key]
        if there:
            self._store.save(uploads)

    def finish(self, uploaded: Uploaded) -> None:
        """Note an object that is up."""
        uploads = self.read()
        uploads.begun.pop(uploaded.key, None)
        uploads.done[uploaded.key] = uploaded
        self._store.save(uploads)


def now() -> datetime:
    """Return the time that is shown to people."""
    return datetime.now(UTC)
