"""A session as one file, made while it is sent or written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import VERSION
from errors import ParameterError
from json_store import JsonStore
from pipeline.info import VideoInfo
from pipeline.probe import probe
from projects.contents import Contents, Wanted, contents
from projects.engines import engine_facts
from projects.manifest import MANIFEST, META, STATE, SUFFIX, FileFacts, Manifest, SourceFacts, manifest_store
from projects.reading import MOST_MEMBERS
from runner_base.facts import load_info
from session_base import StoredSession
from session_base.names import safe, shortened
from session_store import MattingSession
from zip_stream import Member, ZipStream, data_member, file_member, save

__all__ = ["Export", "Wanted", "file_name", "plan_export", "write_export"]

_UNKNOWN = "0" * 64
"""In the place of a hash until its file has been read: as long, so that the size is known beforehand."""


@dataclass(frozen=True)
class Export:
    """A project file to be sent."""

    name: str
    """Of the file."""
    stream: ZipStream
    manifest: Manifest
    """As it will be, but for the hashes."""
    hashes: Mapping[str, str]
    """Of the members, and of the source, that were read by now."""
    source: str
    """The source's name in the archive, whether it is in it or not."""

    @property
    def sealed(self) -> Manifest:
        """Return the manifest with its hashes, once all is sent."""
        return _sealed(self.manifest, self.source, self.hashes)


def plan_export(session: StoredSession[Any], wanted: Wanted) -> Export:
    """Return a session's project file, ready to be sent: what it was at this moment, or an error while it is sent.

    Raises:
        SessionBusyError: a process works on it.
        SessionNotFoundError: it was deleted.
        SessionError: its source or a keyframe is gone; and while it is sent, when a file of it has changed.
        ParameterError: more files than a project file may have.
    """
    with session.lock():
        return _planned(session, wanted)


def write_export(
    session: StoredSession[Any],
    wanted: Wanted,
    target: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Write a session's project file whole or not at all; nobody works on the session meanwhile. Return its manifest.

    Args:
        session: the session.
        wanted: what of it.
        target: the file, which is replaced.
        on_progress: called with the bytes that are written, and all there are.

    Raises:
        StorageError: the disk is full, read-only or not writable.
        SplazMatteError: see `plan_export`.
    """
    with session.lock():
        export = _planned(session, wanted)
        save(export.stream, target, on_progress)
    return export.sealed


def _planned(session: StoredSession[Any], wanted: Wanted) -> Export:
    found = contents(session, wanted)
    members = _members(session, found)
    if len(members) >= MOST_MEMBERS:
        raise ParameterError(f"a project file has at most {MOST_MEMBERS} files; leave propagated masks out")
    source = file_member(f"session/{session.state.source}", session.source)
    kind = "matting" if isinstance(session, MattingSession) else "tracking"
    manifest = Manifest(
        splazmatte=VERSION,
        kind=kind,
        name=found.state.name,
        exported=datetime.now(UTC),
        source=SourceFacts(name=found.state.original_name, size=source.size, sha256=_UNKNOWN, inside=wanted.source),
        engines=engine_facts(kind, found.state),
        results=found.results,
        members={member.name: FileFacts(size=member.size, sha256=_UNKNOWN) for member in members},
    )
    hashes: dict[str, str] = {}
    stream = _stream(manifest, members, source, hashes)
    return Export(file_name(found.state.name), stream, manifest, hashes, source.name)


def _members(session: StoredSession[Any], found: Contents) -> list[Member]:
    try:
        info = load_info(session)
    except FileNotFoundError:
        info = probe(session.source)
    moment = session.state.created.timestamp()
    state = JsonStore(Path("state.json"), type(session).model, type(session).migrations).encode(found.state)
    meta = JsonStore(Path("meta.json"), VideoInfo).encode(info)
    members = [data_member(STATE, state, moment), data_member(META, meta, moment)]
    return members + [file_member(name, path) for name, path in found.files.items()]


def _stream(manifest: Manifest, members: list[Member], source: Member, hashes: dict[str, str]) -> ZipStream:
    """Return the zip: its members, and at its end the manifest with the hashes of what was sent by then."""

    def last() -> Iterator[bytes]:
        if not manifest.source.inside:
            for _ in _hashed(source, hashes).blocks():
                pass
        yield manifest_store().encode(_sealed(manifest, source.name, hashes))

    size = len(manifest_store().encode(manifest))
    moment = manifest.exported.timestamp()
    return ZipStream([*(_hashed(member, hashes) for member in members), Member(MANIFEST, size, moment, last)])


def _sealed(manifest: Manifest, source: str, hashes: Mapping[str, str]) -> Manifest:
    """Return the manifest with the hashes of its members, and of the source."""
    members = {name: FileFacts(size=facts.size, sha256=hashes[name]) for name, facts in manifest.members.items()}
    own = manifest.source.model_copy(update={"sha256": hashes[source]})
    return manifest.model_copy(update={"members": members, "source": own})


def _hashed(member: Member, hashes: dict[str, str]) -> Member:
    """Return the member, which leaves the hash of its bytes in `hashes` when they are sent."""

    def blocks() -> Iterator[bytes]:
        found = hashlib.sha256()
        for block in member.blocks():
            found.update(block)
            yield block
        hashes[member.name] = found.hexdigest()

    return replace(member, blocks=blocks)


def file_name(name: str) -> str:
    """Return what the project file of a session of that name is called, on any system."""
    return shortened(safe(name), SUFFIX)
