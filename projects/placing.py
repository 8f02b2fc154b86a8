"""Results of a tracking session that was imported: they lie beside all others', outside of its folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from atomic import PARTIAL, discard, sync_folder
from errors import storage_errors
from session_base import SIDECAR, Delivered, SessionFolders, StoredSession, sidecar_path

STAGED = f"results{PARTIAL}"
"""Folder of a new session whose results are not in their places yet."""


def place_results(session: StoredSession[Any], delivered: Mapping[str, Delivered], folders: Mapping[str, bool]) -> None:
    """Give tracking's results their places beside all others', each with its word in the state, one by one.

    A kill in between leaves a whole session with fewer results, and the rest for `session clean`.
    """
    staged = session.folder / STAGED
    place = _place(session)
    for name, made in delivered.items():
        found = staged / name
        if not folders[name]:
            found = next(found.iterdir())
        with storage_errors(place):
            place.mkdir(parents=True, exist_ok=True)
            target = f"{name if folders[name] else found.stem}_{session.state.id}{found.suffix}"
            session.state.delivered[name] = Delivered(path=target, mark=made.mark)
            shutil.move(found, place / target)  # it may be on another disk
            if (sidecar := staged / f"{name}{SIDECAR}").is_file():
                shutil.move(sidecar, sidecar_path(place / target))
            sync_folder(place)
        session.save()
    with suppress(OSError):
        discard(staged)


def take_back(store: SessionFolders[Any], session: StoredSession[Any]) -> None:
    """Remove a new session whose results found no place, and those that did."""
    for made in session.state.delivered.values():
        with suppress(OSError):
            discard(_place(session) / made.path)
            discard(sidecar_path(_place(session) / made.path))
    store.delete(session.state.id)


def _place(session: StoredSession[Any]) -> Path:
    """Return the folder that has the results of a tracking session."""
    return session.folder.parents[1] / "tracking_results"
