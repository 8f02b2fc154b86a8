"""Project files for tests: small sessions of both kinds, and forgeries that are sound but for one thing."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from projects.manifest import MANIFEST, META, STATE
from session_base import SessionFolders
from session_store import MattingSession, SessionStore
from tests.clip_sessions import prompted_session
from tracking_runner import create_session
from tracking_session_store import TrackingSession, TrackingSessionStore
from zip_stream import ZipStream, data_member

Members = dict[str, bytes]


def stores(workspace: Path) -> dict[str, SessionFolders[Any]]:
    """Return the stores of a workspace by kind."""
    return {
        "matting": SessionStore(workspace / "sessions"),
        "tracking": TrackingSessionStore(workspace / "tracking_sessions"),
    }


def matting(workspace: Path, clip: Path, formats: tuple[str, ...] = ("alpha", "png")) -> MattingSession:
    """Return a matting session that has every stage to do."""
    return prompted_session(workspace / "sessions", clip, formats, keyframe=9)


def tracking(workspace: Path, clip: Path) -> TrackingSession:
    """Return a tracking session that has every stage to do."""
    session = create_session(TrackingSessionStore(workspace / "tracking_sessions"), clip)
    for frame, x, y in ((0, 30, 30), (0, 36, 38), (10, 60, 20)):
        session.add_point(frame, x, y)
    session.state.formats = ["video", "csv", "ae-keyframes"]
    session.save()
    return session


def read(path: Path) -> Members:
    """Return the members of a project file."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(target: Path, members: Members, *, seal: bool = True) -> Path:
    """Write members as a project file, by default with a manifest that has their sizes and hashes."""
    if seal:
        manifest = json.loads(members[MANIFEST])
        facts = {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != MANIFEST
        }
        manifest["members"] = facts
        for name, own in facts.items():
            if name.startswith("session/source."):
                manifest["source"] |= own
        members = {**members, MANIFEST: json.dumps(manifest).encode()}
    stream = ZipStream(data_member(name, data, 1e9) for name, data in members.items())
    target.write_bytes(b"".join(stream))
    return target


def edited(name: str, change: Callable[[Any], object]) -> Callable[[Members], Members]:
    """Return what changes one of the JSON files of a project."""

    def edit(members: Members) -> Members:
        data = json.loads(members[name])
        change(data)
        return {**members, name: json.dumps(data).encode()}

    return edit


def state(change: Callable[[Any], object]) -> Callable[[Members], Members]:
    """Return what changes a project's state.json."""
    return edited(STATE, change)


def meta(change: Callable[[Any], object]) -> Callable[[Members], Members]:
    """Return what changes a project's meta.json."""
    return edited(META, change)


def manifest(change: Callable[[Any], object]) -> Callable[[Members], Members]:
    """Return what changes a project's project.json."""
    return edited(MANIFEST, change)


def nothing_left(workspace: Path) -> bool:
    """Tell whether a workspace holds no session, no result, nothing half done."""
    rooms = [workspace / name for name in ("sessions", "tracking_sessions", "tracking_results")]
    return not [path for room in rooms if room.exists() for path in room.iterdir()]
