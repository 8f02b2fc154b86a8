"""A session's meta.json: the facts of its source."""

from __future__ import annotations

from typing import Any

from errors import StoreError
from json_store import JsonStore
from pipeline.info import VideoInfo
from session_base import StoredSession


def load_info(session: StoredSession[Any]) -> VideoInfo:
    """Return the facts of the session's video: exact once its frames are extracted."""
    return _store(session).load()


def known_info(session: StoredSession[Any]) -> VideoInfo | None:
    """Return the facts of the session's video; None where they are gone or unreadable, which stay as they are."""
    store = _store(session)
    try:
        return store.decode(store.path.read_bytes())
    except (OSError, StoreError):
        return None


def save_info(session: StoredSession[Any], info: VideoInfo) -> None:
    """Keep the facts of the session's video."""
    _store(session).save(info)


def _store(session: StoredSession[Any]) -> JsonStore[VideoInfo]:
    return JsonStore(session.folder / "meta.json", VideoInfo)
