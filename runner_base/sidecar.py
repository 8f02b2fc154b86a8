"""The sidecar of a deliverable: how it was made, by what, and on whose terms; <file>.sidecar.json beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from atomic import discard, write_bytes
from config import VERSION
from engines.registry import check_params
from engines.terms import Term, terms
from engines.weights import folder, get_set, read_record
from errors import storage_errors
from pipeline.info import VideoInfo
from runner_base.makers import Maker
from session_base import EngineChoice, StoredSession, sidecar_path

_BLOCK = 1 << 20


class SourceFacts(BaseModel):
    """The video that a deliverable was made from."""

    name: str
    bytes: int
    sha256: str
    width: int
    height: int
    frames: int
    rate: Fraction
    """Frames a second: exact for a constant rate, the mean for a variable one."""
    constant_rate: bool


class WeightsUsed(BaseModel):
    """The weights that a network ran with."""

    name: str
    repository: str
    revision: str = ""
    """Empty where somebody put the files there."""
    sha256: dict[str, str] = {}
    """By file, as downloaded; likewise."""


class EngineUse(BaseModel):
    """An engine that took part."""

    job: str
    name: str
    title: str
    version: int | None
    params: dict[str, Any]
    frames: int
    """That it made, of all objects together."""
    objects: list[str] = []
    """What it made them for; empty where it is all of them at once."""
    weights: list[WeightsUsed] = []
    terms: list[Term]


class Sidecar(BaseModel):
    """How a deliverable was made."""

    version: int = 1
    splazmatte: str = VERSION
    kind: str
    """matting or tracking."""
    session: str
    format: str
    """Name in the table of formats."""
    file: str
    """Name of the file or folder beside which this lies."""
    source: SourceFacts
    frames: tuple[int, int]
    """Of the source, half-open, that it has."""
    made_of: dict[str, Any]
    """What the user decided: objects with their keyframes, or points, and how they are delivered."""
    engines: list[EngineUse]
    notices: list[str] = []
    """What engines did other than they were asked to, in the run that delivered it."""
    commercial_use: bool
    """Whether the licences of all engines and weights that took part allow it."""
    forbidden_by: list[str] = []
    """'what: licence' of those that do not."""


def write_sidecar(deliverable: Path, sidecar: Sidecar) -> None:
    """Write a deliverable's sidecar, whole or not at all.

    Raises:
        StorageError: the disk is full, read-only or not writable.
    """
    path = sidecar_path(deliverable)
    with storage_errors(path):
        write_bytes(path, (sidecar.model_dump_json(indent=1) + "\n").encode())


def drop_sidecar(deliverable: Path) -> None:
    """Remove the sidecar of a deliverable that is about to be replaced: it must not speak of the next one.

    Raises:
        StorageError: the disk is read-only or not writable.
    """
    path = sidecar_path(deliverable)
    with storage_errors(path):
        discard(path)


def read_sidecar(deliverable: Path) -> Sidecar | None:
    """Return a deliverable's sidecar; None where there is none that can be read."""
    try:
        return Sidecar.model_validate_json(sidecar_path(deliverable).read_bytes())
    except (OSError, ValidationError):
        return None


def compose(
    session: StoredSession[Any],
    info: VideoInfo,
    used: list[EngineUse],
    alive: Callable[[], None],
    **fields: Any,
) -> Sidecar:
    """Return a sidecar.

    Args:
        session: whose deliverable it is; the digest of its source is kept in its state.
        info: the source's facts.
        used: engines that took part.
        alive: called now and then while the source is read.
        fields: kind, format, file, frames, made_of and notices of the sidecar.
    """
    source = SourceFacts(
        name=session.state.original_name,
        bytes=session.source.stat().st_size,
        sha256=source_digest(session, alive),
        width=info.width,
        height=info.height,
        frames=info.frames,
        rate=info.rate,
        constant_rate=info.times is None,
    )
    against = [f"{term.of}: {term.licence}" for use in used for term in use.terms if not term.commercial]
    return Sidecar(
        session=session.state.id,
        source=source,
        engines=used,
        commercial_use=not against,
        forbidden_by=list(dict.fromkeys(against)),
        **fields,
    )


def source_digest(session: StoredSession[Any], alive: Callable[[], None] | None = None) -> str:
    """Return the SHA-256 of a session's video: read once, then kept in its state, which the caller saves.

    Args:
        session: the session.
        alive: called after each block.
    """
    if not session.state.source_sha256:
        digest = hashlib.sha256()
        with session.source.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                if alive:
                    alive()
        session.state.source_sha256 = digest.hexdigest()
    return session.state.source_sha256


def engine_use(maker: Maker, chosen: EngineChoice, frames: int, objects: Iterable[str] = ()) -> EngineUse:
    """Return what a sidecar says of an engine.

    Args:
        maker: what the mark of its results says.
        chosen: the session's choice for its job, which fills in what the mark leaves out.
        frames: that it made.
        objects: for which it made them.
    """
    spec, names = maker.spec, sorted(set(objects))
    if spec is None:
        unknown = [Term(of=maker.name, licence="not known to this version", commercial=False)]
        return EngineUse(job=maker.job.value, name=maker.name, title=maker.name, version=maker.version,
                         params=maker.params, frames=frames, objects=names, terms=unknown)  # fmt: skip
    is_choice = maker.is_choice(chosen.name, chosen.params)
    params = {**(check_params(spec, chosen.params) if is_choice else {}), **maker.params}
    return EngineUse(
        job=maker.job.value,
        name=maker.name,
        title=spec.title,
        version=maker.version or (spec.version if is_choice else None),
        params=params,
        frames=frames,
        objects=names,
        weights=[_weights(name) for name in spec.weights_for(params)],
        terms=terms(spec, params),
    )


def _weights(name: str) -> WeightsUsed:
    record = read_record(folder(name))
    if record is None:
        return WeightsUsed(name=name, repository=get_set(name).repository)
    hashes = {path: file.sha256 for path, file in record.files.items()}
    return WeightsUsed(name=name, repository=record.repository, revision=record.revision, sha256=hashes)
