"""What of a session goes to the cloud, under which names, and the links to what is up."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from errors import storage_errors
from integrations.cloud_settings import CloudSettings, cloud_settings, required_settings
from integrations.ledger import Ledger, Uploaded, now
from integrations.sending import Amount, Retry
from integrations.source import Source
from integrations.storage import link
from integrations.stores import open_bucket
from integrations.upload import Uploader, check
from results.archive import zipped
from results.entries import Result
from results.sessions import AnySession, chosen
from results.several import delivered
from results.uploaded import is_own
from session_base import SIDECAR, StoredSession

_BLOCK = 1 << 20
_NAME_LIMIT = 600
"""Bytes of a name: keys have at most 1,023, with the prefix and the session's id."""
_TYPES = {
    ".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".zip": "application/zip",
    ".json": "application/json", ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8",
}  # fmt: skip
"""What browsers do with a file depends on it; all else is downloaded."""


@dataclass(frozen=True)
class Link:
    """A link to something that is up."""

    format: str
    name: str
    key: str
    size: int
    url: str
    expires: datetime | None
    """When the link is over; None for one that holds for ever."""
    at: datetime
    """When it was uploaded."""
    current: bool
    """Whether it is what the session has delivered now; not where that was made anew since, or is gone."""


def upload_results(
    session: AnySession,
    formats: Iterable[str] = (),
    *,
    on_progress: Callable[[Amount], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    retry: Retry | None = None,
) -> list[Uploaded]:
    """Upload deliverables of a session: those asked for, or all. What is up already is not sent again.

    The session's lock is held meanwhile: nobody makes its files anew under the upload.

    Raises:
        ParameterError: no cloud store is set or its settings make no sense, or there is no such format.
        SessionError: nothing is delivered, or another process works on the session.
        UploadError: the store does not take it, or cannot be reached; what was sent is kept.
        Cancelled: `should_stop` said so; likewise.
    """
    settings = required_settings()
    with session.lock(), storage_errors(session.folder):
        bucket = open_bucket(settings)
        results = chosen(session, formats)
        sources = [
            source for name, result in results.items() for source in _sources(settings, session.state.id, name, result)
        ]
        uploader = Uploader(
            bucket, Ledger(session.folder), on_progress=on_progress, should_stop=should_stop, retry=retry
        )
        return uploader.upload(sources)


def links(session: StoredSession[Any]) -> list[Link]:
    """Return links to what is up of a session in the store that is set, made anew; asks nobody.

    A session for commercial use has links only to what it would hand out itself.

    Raises:
        ParameterError: the settings make no sense.
        StoreError: what is up was noted by a newer version.
    """
    settings = cloud_settings()
    if settings is None:
        return []
    noted = Ledger(session.folder).read().done.values()
    there = [made for made in noted if made.place == settings.place and is_own(made.key, session.state.id)]
    identities = _current(settings, session) if there else {}
    current = {made.key for made in there if identities.get(made.key) == made.identity}
    if session.state.commercial:
        there = [made for made in there if made.key in current]
    if not there:
        return []
    bucket = open_bucket(settings)
    expires = None if settings.domain else now() + timedelta(seconds=settings.link_seconds)
    return [
        Link(made.label, made.name, made.key, made.size, link(bucket, made.key), expires, made.at, made.key in current)
        for made in there
    ]


def _current(settings: CloudSettings, session: Any) -> dict[str, str]:
    """Return {key: identity} of what a session has delivered and may hand out."""
    found: dict[str, str] = {}
    for label, result in delivered(session).items():
        with suppress(OSError):  # it goes, or is made anew, at this moment
            for _, name, own in _files(label, result):
                found[key_of(settings.prefix, session.state.id, name)] = _identity(own)
    return found


def try_store(settings: CloudSettings) -> None:
    """Try what an upload needs, with a tiny file that is deleted again.

    Raises:
        UploadError: something of it does not work.
    """
    name = f".splazmatte-check-{secrets.token_hex(4)}"
    check(open_bucket(settings), "/".join(part for part in (settings.prefix, name) if part))


def key_of(prefix: str, session_id: str, name: str) -> str:
    """Return the key of a file: prefix, session and the name that a download has."""
    return "/".join(part for part in (prefix, session_id, safe_name(name)) if part)


def safe_name(name: str) -> str:
    """Return a file's name as it may stand in a key: in one spelling, without slashes and control characters."""
    plain = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    plain = re.sub(r"[/\\\x00-\x1f\x7f-\x9f]", "_", plain)
    stem, dot, ending = plain.rpartition(".")
    while len(plain.encode()) > _NAME_LIMIT:
        stem = stem[:-1]
        plain = f"{stem}{dot}{ending}" if stem else plain[-100:]
    return plain


def _sources(settings: CloudSettings, session_id: str, label: str, result: Result) -> Iterator[Source]:
    """Yield what a deliverable is uploaded as: a file and its sidecar, or a zip that has both."""
    for tag, name, own in _files(label, result):
        archive = zipped([own]) if own.path.is_dir() else None
        size = own.path.stat().st_size if archive is None else archive.size
        blocks = partial(_blocks, own.path) if archive is None else archive.__iter__
        yield _source(settings, session_id, tag, name, size, _identity(own), blocks)


def _files(label: str, result: Result) -> Iterator[tuple[str, str, Result]]:
    """Yield (label, name, what is in it) of what a deliverable is uploaded as."""
    if result.path.is_dir():
        yield label, f"{result.name}.zip", result
        return
    for tag, name, path in ((label, result.name, result.path), (label + SIDECAR, result.sidecar_name, result.sidecar)):
        if path is not None:
            yield tag, name, Result(path, name, result.stem)


def _source(
    settings: CloudSettings,
    session_id: str,
    label: str,
    name: str,
    size: int,
    identity: str,
    blocks: Callable[[], Generator[bytes]],
) -> Source:
    return Source(
        key=key_of(settings.prefix, session_id, name),
        name=name,
        label=label,
        size=size,
        identity=identity,
        content_type=_TYPES.get(Path(name).suffix.lower(), "application/octet-stream"),
        blocks=blocks,
    )


def _blocks(path: Path) -> Generator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _identity(result: Result) -> str:
    """Return a mark of what a deliverable holds: its files' names, sizes and times."""
    digest = hashlib.sha256(result.name.encode(errors="replace"))
    files = sorted(result.path.iterdir()) if result.path.is_dir() else [result.path]
    for file in (*files, *([result.sidecar] if result.sidecar else [])):
        facts = file.stat()
        digest.update(f"\n{file.name}\0{facts.st_size}\0{facts.st_mtime_ns}".encode(errors="replace"))
    return digest.hexdigest()
