"""Which files of a session go into a project file, and its state without what only this machine needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atomic import PARTIAL
from errors import SessionError, StoreError
from runner_base.terms import check_result
from session_base import RunRecord, StoredSession, sidecar_path
from session_store import MattingSession, Provenance, SessionObject
from tracking_runner.raw import settle
from tracking_session_store import RAW, TrackingSession


@dataclass(frozen=True)
class Wanted:
    """What of a session is exported; prompts, keyframes and choices always are."""

    source: bool = True
    """The video itself, not only its name, size and hash."""
    masks: bool = True
    """Propagated masks."""
    alpha: bool = True
    """The lossless alpha."""
    results: bool = False
    """Deliverables."""


@dataclass
class Contents:
    """What goes into a project file, but for its manifest."""

    state: Any
    """A copy of the session's."""
    files: dict[str, Path] = field(default_factory=dict)
    """{member: file}."""
    results: dict[str, bool] = field(default_factory=dict)
    """{format: whether it is a folder}."""


def contents(session: StoredSession[Any], wanted: Wanted) -> Contents:
    """Return what of `session`, whose lock the caller holds, goes into a project file.

    Raises:
        SessionError: its source is gone.
        StoreError: a keyframe's mask is gone.
        StorageError: raw tracks that a killed run left under another name cannot be given theirs.
    """
    if not session.source.is_file():
        raise SessionError(f"the source of session {session.folder.name} is gone; it cannot be exported")
    found = Contents(session.state.model_copy(deep=True))
    if wanted.source:
        found.files[f"session/{found.state.source}"] = session.source
    neutral(found.state)
    if isinstance(session, MattingSession):
        _matting(session, found, wanted)
        place = session.folder
    else:
        assert isinstance(session, TrackingSession)
        _tracking(session, found)
        place = session.results_dir
    _results(place, found, wanted)
    return found


def neutral(state: Any) -> None:
    """Drop what belongs to this machine: frames that are made again, times, messages with its paths."""
    state.extracted = 0
    is_done = state.last_run is not None and state.last_run.status == "done"
    state.last_run = RunRecord(status="done") if is_done else None


def _matting(session: MattingSession, found: Contents, wanted: Wanted) -> None:
    for item in found.state.objects:
        if not wanted.masks:
            item.propagated, item.drafts, item.confidence = Provenance(), Provenance(), {}
        for name, path in _masks(session, item):
            found.files[f"session/masks/{item.id}/{name}"] = path
    if not wanted.alpha:
        found.state.alpha = Provenance()
    if found.state.alpha.spans:
        for path in sorted(session.alpha_dir.glob("[0-9]*-[0-9]*.mkv")):
            found.files[f"session/alpha/{path.name}"] = path


def _masks(session: MattingSession, item: SessionObject) -> Iterator[tuple[str, Path]]:
    """Yield (name below the object's folder, file) of the masks that its state counts on."""
    keyframes, bases = session.masks_dir(item.id, "keyframes"), session.masks_dir(item.id, "bases")
    needed = [keyframes / f"{index:06d}.png" for index in sorted(item.keyframes)]
    needed += [bases / f"{name}.png" for name in sorted({entry.base for entry in item.prompts.values()} - {""})]
    for path in needed:
        if not path.is_file():
            raise StoreError(f"{path} is gone; give that keyframe again")
        yield f"{path.parent.name}/{path.name}", path
    for folder, made in (("propagated", item.propagated), ("drafts", item.drafts)):
        there = session.folder / "masks" / str(item.id) / folder
        for span in made.spans:
            for index in range(span.start, span.stop):
                path = there / f"{index:06d}.png"
                if path.is_file():  # a mask that was lost is made again
                    yield f"{folder}/{path.name}", path


def _tracking(session: TrackingSession, found: Contents) -> None:
    found.state.carry = None
    if not found.state.columns:
        return
    settle(session)
    for name in RAW:
        path = session.raw_path(name)
        if path.is_file():
            found.files[f"session/{path.name}"] = path
    if len([name for name in found.files if name.endswith(".npy")]) != len(RAW):
        found.state.columns, found.state.tracked = [], {}


def _results(place: Path, found: Contents, wanted: Wanted) -> None:
    """Add the deliverables that are wanted, there and may be handed out; the state forgets the others."""
    kept = {}
    for name, made in found.state.delivered.items():
        path = place / made.path
        if wanted.results and path.exists() and _may_go(found.state, path, name):
            kept[name] = made
            found.results[name] = path.is_dir()
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                if file.is_file() and not file.name.startswith(".") and not file.name.endswith(PARTIAL):
                    found.files[f"results/{name}/{file.name.replace(f'_{found.state.id}', '')}"] = file
            if sidecar_path(path).is_file():
                found.files[f"sidecars/{name}.json"] = sidecar_path(path)
    found.state.delivered = kept


def _may_go(state: Any, path: Path, name: str) -> bool:
    with suppress(SessionError):
        check_result(state, path, name)
        return True
    return False
