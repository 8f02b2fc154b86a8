"""What nothing needs any more in a session: found, shown with its size, removed.

Never touched: the source, keyframes, deliverables, state.json, meta.json, and files that were set aside as unreadable.
"""

from __future__ import annotations

from pathlib import Path

from atomic import discard
from errors import storage_errors
from session_base.disk import leftovers, sizes
from session_store.provenance import Provenance
from session_store.session import MattingSession


def removable(session: MattingSession, *, deep: bool = False) -> dict[str, list[Path]]:
    """Return {part: files and folders} that nothing needs any more; a run makes again what it should need.

    Args:
        session: the session.
        deep: of a finished session also what takes long to make again: propagated masks and the lossless alpha.

    Returns:
        of `leftovers` (of killed writers), `drafts`, `found` (by a text), `frames`, `masks` and `alpha` those that are
        there.
    """
    finished = is_finished(session)
    objects = session.state.objects
    found = {
        "leftovers": list(leftovers(session.folder)),
        "drafts": [session.masks_dir(item.id, "drafts") for item in objects if finished or not item.drafts.spans],
        "found": [session.folder / "found"] if finished else [],
        "frames": [session.frames_dir] if finished else [],
        "masks": [session.masks_dir(item.id, "propagated") for item in objects] if finished and deep else [],
        "alpha": [session.alpha_dir] if finished and deep else [],
    }
    there = {part: [path for path in paths if path.exists()] for part, paths in found.items()}
    return {part: paths for part, paths in there.items() if paths}


def clean(session: MattingSession, *, deep: bool = False) -> dict[str, int]:
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
        if found.keys() - {"leftovers"}:
            _forget(session, found)
            session.save()
        with storage_errors(session.folder):
            for path in (path for paths in found.values() for path in paths):
                discard(path)
    return freed


def is_finished(session: MattingSession) -> bool:
    """Tell whether the last run was done and everything that was asked for is there."""
    state = session.state
    delivered = [state.delivered.get(name) for name in state.formats]
    return (
        state.last_run is not None
        and state.last_run.status == "done"
        and all(made is not None and (session.folder / made.path).exists() for made in delivered)
    )


def _forget(session: MattingSession, found: dict[str, list[Path]]) -> None:
    state = session.state
    if "frames" in found:
        state.extracted = 0
    if "alpha" in found:
        state.alpha = Provenance()
    for item in state.objects:
        if session.masks_dir(item.id, "drafts") in found.get("drafts", []):
            item.drafts = Provenance()
        if "masks" in found:
            item.propagated = Provenance()
