"""A new session of a project file: all of it, or nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atomic import sync_folder
from config import get_settings
from errors import ParameterError, ProjectError, SplazMatteError, StorageError, storage_errors
from machine import disk_free
from pipeline.formats import FORMATS
from pipeline.info import VideoInfo
from projects.checks import KINDS, drop_formats, load_state
from projects.contents import neutral
from projects.engines import differences
from projects.manifest import META, STATE, Manifest, quoted
from projects.pictures import check_mask, check_tracks, settled_info
from projects.placing import STAGED, place_results, take_back
from projects.reading import ProjectFile
from runner_base.facts import save_info
from session_base import (
    SIDECAR,
    Delivered,
    SessionFolders,
    StoredSession,
    checked_name,
    new_id,
    safe_name,
    sidecar_path,
)
from session_base.store import LONGEST_NAME
from session_store import MattingState

SPARE = 256 << 20
"""Bytes that an import leaves free on the disk."""
OnBytes = Callable[[int, int], None]
"""Called with the bytes that are done, and all there are."""


@dataclass(frozen=True)
class Imported:
    """A session that came from a project file."""

    kind: str
    session: StoredSession[Any]
    notices: list[str]
    """What a user should know: of each that fits otherwise than at home."""


@dataclass(frozen=True)
class Shown:
    """What a project file holds, and whether it can be imported here."""

    manifest: Manifest
    obstacle: str
    """Why it cannot; empty if it can, with its source where that is not inside."""
    notices: list[str] = field(default_factory=list)


def show_project(path: Path) -> Shown:
    """Say what is in a project file, and whether it fits; its media are not read.

    Raises:
        ProjectError: it is not a project file, cut off or damaged so far that it does not say what it is.
        StoreError: it was written by a newer version.
    """
    with ProjectFile(path) as project:
        try:
            state, _ = load_state(project)
        except SplazMatteError as error:
            return Shown(project.manifest, str(error))
        return Shown(project.manifest, "", _notices(project.manifest, state))


def import_project(
    path: Path,
    stores: Mapping[str, SessionFolders[Any]],
    *,
    source: Path | None = None,
    name: str = "",
    on_progress: OnBytes | None = None,
) -> Imported:
    """Make a session of a project file; what fails, at any moment, leaves no session.

    Args:
        path: the project file.
        stores: of sessions by kind.
        source: the video, for a project that only refers to it; it is copied.
        name: of the session; its own if empty.
        on_progress: called with the bytes that are read, and all there are.

    Raises:
        ProjectError: it is damaged, hostile or does not fit here; or the source is missing, or another one.
        StoreError: it was written by a newer version.
        ParameterError: a name that cannot be one, or a source for a project that has its own.
        StorageError: there is no room, or the disk is read-only or not writable.
    """
    with ProjectFile(path) as project:
        state, info = load_state(project)
        notices = _notices(project.manifest, state)
        _check_source(project, source)
        store = stores[project.manifest.kind]
        _check_room(project, store.root)
        state.name = _free_name(store, checked_name(name or state.name))
        session_id = new_id()
        results = _settle_state(state, session_id, project.manifest.source.sha256)
        with store.incoming(session_id) as hidden:
            hidden.mkdir()
            _fill(project, hidden, state, info, source, _Progress(project, source, on_progress))
        session = store.open(session_id)
        try:
            place_results(session, results, project.manifest.results)
        except BaseException:
            take_back(store, session)
            raise
    return Imported(project.manifest.kind, session, notices)


def _settle_state(state: Any, session_id: str, source_sha256: str) -> dict[str, Delivered]:
    """Make `state` a new session's, and return the results that have to find their places yet."""
    neutral(state)
    state.id, state.original_name, state.created = session_id, safe_name(state.original_name), datetime.now(UTC)
    state.commercial = state.commercial or get_settings().commercial  # as for every new session here
    state.source_sha256 = source_sha256  # it is compared with the source itself
    results = dict(state.delivered)
    is_matting = isinstance(state, MattingState)  # its results lie in the session's folder
    state.delivered = (
        {name: Delivered(path=FORMATS[name].file_name, mark=made.mark) for name, made in results.items()}
        if is_matting
        else {}
    )
    return {} if is_matting else results


class _Progress:
    """Counts the bytes of an import, those of a source from outside too."""

    def __init__(self, project: ProjectFile, source: Path | None, on_progress: OnBytes | None) -> None:
        outside = project.manifest.source.size if source is not None else 0
        self._total = sum(facts.size for facts in project.manifest.members.values()) + outside
        self._done = 0
        self._tell = on_progress

    def __call__(self, count: int) -> None:
        """Count what was read."""
        self._done += count
        if self._tell:
            self._tell(self._done, self._total)


def _notices(manifest: Manifest, state: Any) -> list[str]:
    """Return what fits otherwise than at home, and take out of `state` what this version does not have."""
    lines = differences(manifest, state)
    if unknown := drop_formats(state):
        lines.append(f"formats that this version does not have are left out: {quoted(', '.join(unknown))}")
    return lines


def _check_source(project: ProjectFile, source: Path | None) -> None:
    """Refuse a source that is missing or another one, by its size; its content is compared as it is copied.

    Raises:
        ProjectError: it is.
        ParameterError: the project has its own.
    """
    facts = project.manifest.source
    if facts.inside:
        if source is not None:
            raise ParameterError("the project has its source inside; leave --source out")
        return
    if source is None:
        raise ProjectError(
            f"the project needs its source '{safe_name(facts.name)}' ({facts.size} bytes): give it, --source FILE"
        )
    try:
        size = source.stat().st_size if source.is_file() else None
    except OSError:
        size = None
    if size is None:
        raise ProjectError(f"there is no file {source}")
    if size != facts.size:
        raise ProjectError(
            f"'{source.name}' is not the project's source '{safe_name(facts.name)}': "
            f"it has {size} bytes, not {facts.size}"
        )


def _check_room(project: ProjectFile, root: Path) -> None:
    facts = project.manifest.source
    needed = sum(member.size for member in project.manifest.members.values()) + (0 if facts.inside else facts.size)
    free = disk_free(root)
    if free < needed + SPARE:
        raise StorageError(
            f"there is no room for the project: it needs {(needed + SPARE) / 1e9:.2f} GB, "
            f"and {free / 1e9:.2f} GB is free; free space or set SPLAZMATTE_WORKSPACE"
        )


def _fill(
    project: ProjectFile, hidden: Path, state: Any, info: VideoInfo, source: Path | None, progress: _Progress
) -> None:
    """Put everything into the hidden folder of a session to be, its state last."""
    for name in project.manifest.members:
        target = _target(name, hidden, state)
        if target is not None:
            project.extract(name, target, progress)
            if target.suffix == ".png" and name.startswith("session/"):
                check_mask(target, info)
    if source is not None:
        _copy_source(source, hidden / state.source, project.manifest, progress)
    if getattr(state, "columns", None):
        check_tracks(hidden, len(state.columns), info)
    info = settled_info(hidden / state.source, info, state.original_name)
    for folder, _, _ in os.walk(hidden):
        sync_folder(Path(folder))
    session = KINDS[project.manifest.kind](hidden, state)
    save_info(session, info)
    session.save()


def _target(name: str, hidden: Path, state: Any) -> Path | None:
    """Return where a member goes; None where it is not taken as a file."""
    room, _, rest = name.partition("/")
    if room == "session":
        return None if name in (STATE, META) else hidden / rest
    format_name, _, file_name = rest.removesuffix(".json").partition("/") if room == "sidecars" else rest.partition("/")
    if not isinstance(state, MattingState):
        return hidden / STAGED / (f"{format_name}{SIDECAR}" if room == "sidecars" else rest)
    if format_name not in FORMATS:
        return None
    spec = FORMATS[format_name]
    if room == "sidecars":
        return sidecar_path(hidden / spec.file_name)
    return hidden / spec.file_name / file_name if spec.folder else hidden / spec.file_name


def _copy_source(source: Path, target: Path, manifest: Manifest, progress: _Progress) -> None:
    found = hashlib.sha256()
    with storage_errors(target), source.open("rb") as file, target.open("xb") as copy:
        while block := file.read(1 << 20):
            found.update(block)
            copy.write(block)
            progress(len(block))
        copy.flush()
        os.fsync(copy.fileno())
    if found.hexdigest() != manifest.source.sha256:
        raise ProjectError(
            f"'{source.name}' is not the project's source '{safe_name(manifest.source.name)}': its SHA-256 is "
            f"{found.hexdigest()[:16]}…, not {manifest.source.sha256[:16]}…"
        )


def _free_name(store: SessionFolders[Any], name: str) -> str:
    """Return a session's name, with an addition where another session has it."""
    taken = set()
    for session_id in store.ids():
        with suppress(SplazMatteError):
            taken.add(store.open(session_id).state.name)
    found, number = name, 1
    while found in taken:
        ending = " (imported)" if number == 1 else f" (imported {number})"
        found, number = name[: LONGEST_NAME - len(ending)] + ending, number + 1
    return found
