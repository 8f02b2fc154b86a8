"""What a session has in the cloud store by its own notes, handed out or not; and all of that deleted again."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from errors import StorageError, StoreError, UploadError, storage_errors
from integrations.cloud_settings import CloudSettings, cloud_settings, required_settings
from integrations.ledger import FILE_NAME, Ledger
from integrations.removal import remove
from integrations.sending import Retry
from integrations.stores import open_bucket
from session_base import SIDECAR, set_aside
from session_base.lock import held

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KEY_LIMIT = 1024
"""Bytes of a key that a store can have."""


@dataclass(frozen=True)
class Up:
    """Something of a session that is in the store."""

    format: str
    """Empty for the parts of an upload that an older version has begun."""
    name: str
    key: str
    size: int | None
    """Bytes; None for the parts of an upload that is not complete."""


def uploads_of(folder: Path, formats: Collection[str] = ()) -> list[Up]:
    """Return what the session in `folder` has in the store that is set, whole or begun; asks nobody.

    Unlike `links`, it has also what a session for commercial use does not hand out.

    Args:
        folder: the session's, whatever state it is in.
        formats: only these, with their sidecars; all if none is named.

    Raises:
        ParameterError: the settings make no sense.
        StoreError: what is up was noted by a newer version.
    """
    settings = cloud_settings()
    return _there(settings, folder, formats) if settings else []


def delete_uploads(folder: Path, formats: Collection[str] = (), *, retry: Retry | None = None) -> list[Up]:
    """Delete what `uploads_of` tells of in the store, and return it; what is not there any more is no error.

    The session's lock is held meanwhile: no upload of it runs.

    Raises:
        ParameterError: no cloud store is set, or its settings make no sense.
        SessionError: there is no such session, or another process works on it.
        UploadError: the store does not do it, or cannot be reached; what is gone is noted, the next time goes on.
        StoreError: what is up was noted by a newer version, or in a file that could not be read.
    """
    settings = required_settings()
    with held(folder):
        return _delete(settings, folder, formats, retry)


def delete_before_session(folder: Path, *, retry: Retry | None = None) -> list[Up]:
    """Delete all of a session's uploads before it is deleted itself; who calls holds its lock.

    Raises:
        ParameterError: as `delete_uploads`.
        StorageError, StoreError: likewise, saying that the session stays; also where some are in another bucket.
    """
    try:
        settings = required_settings()
        gone = _delete(settings, folder, (), retry)
        if count := elsewhere(folder):  # with the session their notes would go
            raise UploadError(
                f"{count} of them are in another bucket than the one that is set; set that one, try again"
            )
        return gone
    except (StorageError, StoreError) as error:
        told = f"session {folder.name} stays, as its uploads cannot be deleted: {error}; or delete it without them"
        raise type(error)(told) from error


def elsewhere(folder: Path) -> int:
    """Return how many uploads of the session in `folder` are noted as in another bucket than the one that is set."""
    settings = cloud_settings()
    noted = Ledger(folder).read()
    keys = {
        key for made in (noted.done, noted.begun) for key, of in made.items() if settings and of.place != settings.place
    }
    return sum(is_own(key, folder.name) for key in keys)


def is_own(key: str, session_id: str) -> bool:
    """Tell whether a key is one of that session's: a copy has the notes of what it was made of, with that one's keys.

    Its prefix may be one that was set before; the last two parts are the session and a name without slashes.
    """
    *before, owner, name = "", *key.split("/")
    odd = {"", ".", ".."} & {*before[1:], name} or _CONTROL.search(key) or len(key.encode()) > _KEY_LIMIT
    return owner == session_id and not odd


def _there(settings: CloudSettings, folder: Path, formats: Collection[str]) -> list[Up]:
    noted = Ledger(folder).read()
    whole = {
        key: Up(made.label, made.name, key, made.size)
        for key, made in noted.done.items()
        if made.place == settings.place
    }
    begun = {
        key: Up(of.label, key.rpartition("/")[2], key, None)
        for key, of in noted.begun.items()
        if of.place == settings.place
    }
    return [
        up
        for up in {**begun, **whole}.values()
        if is_own(up.key, folder.name) and (not formats or up.format.removesuffix(SIDECAR) in formats)
    ]


def _delete(settings: CloudSettings, folder: Path, formats: Collection[str], retry: Retry | None) -> list[Up]:
    gone = _there(settings, folder, formats)
    with storage_errors(folder):
        if gone:
            remove(open_bucket(settings), Ledger(folder), [up.key for up in gone], retry)
    if not (formats and gone):
        _refuse_lost_notes(settings, folder)
    return gone


def _refuse_lost_notes(settings: CloudSettings, folder: Path) -> None:
    """Say so where it is not known what else may be up."""
    lost = [path for path in set_aside(folder) if path.name.startswith(FILE_NAME)]
    if lost:
        place = "/".join(part for part in (settings.prefix, folder.name) if part)
        raise StoreError(
            f"what session {folder.name} has uploaded was noted in {lost[0].name}, which cannot be read; "
            f"delete what is under {place}/ in the store's console, then that file"
        )
