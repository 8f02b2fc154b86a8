"""What nothing needs any more in a tracking session: found, shown with its size, removed.

Never touched: the source, state.json, meta.json, results, and files that were set aside as unreadable.
"""

from __future__ import annotations

from pathlib import Path

from atomic import discard
from errors import storage_errors
from session_base.disk import leftovers, sizes
from tracking_session_store.session import TrackingSession


def removable(session: TrackingSession, *, deep: bool = False) -> dict[str, list[Path]]:
    """Return {part: files and folders} that nothing needs any more; a run makes again what it should need.

    Args:
        session: the session.
        deep: of a finished session also the raw tracks, which take long to make again.

    Returns:
        of `leftovers` (of killed writers), `frames` and `tracks` those that are there.
    """
    finished = is_finished(session)
    found = {
        "leftovers": list(leftovers(session.folder)),
        "frames": [session.frames_dir] if finished else [],
        "tracks": sorted(session.folder.glob("raw_*")) if finished and deep else [],
    }
    there = {part: [path for path in paths if path.exists()] for part, paths in found.items()}
    return {part: paths for part, paths in there.items() if paths}


def clean(session: TrackingSession, *, deep: bool = False) -> dict[str, int]:
    """Remove what `removable` finds, and return {part: bytes}.

    The state forgets it first: cut off in between, the session makes it again, and never takes a part for the whole.

    Raises:
        SessionBusyError: another process works on the session.
        SessionNotFoundError: it was deleted.
        StorageError: the disk is read-only or not writable.
    """
    with session.lock():
        found = removable(session, deep=deep)
        freed = sizes(found)
        if "frames" in found:
            session.state.extracted = 0
        if "tracks" in found:
            session.state.columns, session.state.tracked = [], {}
        if found.keys() - {"leftovers"}:
            session.save()
        with storage_errors(session.folder):
            for path in (path for paths in found.values() for path in paths):
                discard(path)
    return freed


def is_finished(session: TrackingSession) -> bool:
    """Tell whether the last run was done and everything that was asked for is there."""
    state = session.state
    delivered = [state.delivered.get(name) for name in state.formats]
    return (
        state.last_run is not None
        and state.last_run.status == "done"
        and all(made is not None and (session.results_dir / made.path).exists() for made in delivered)
    )
