"""Facts of a session's engines and weights, and how this machine's differ from those of a project file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config import VERSION
from engines import weights
from engines.registry import check_params, get_spec, obstacle
from engines.spec import EngineSpec, Job
from engines.terms import forbidden_by
from errors import ParameterError, ProjectError
from projects.manifest import EngineFacts, Manifest, WeightFacts, quoted
from session_base import EngineChoice


def jobs_of(kind: str) -> tuple[Job, ...]:
    """Return the jobs that engines do in sessions of that kind; each is a field of their state."""
    return (Job.SEGMENTER, Job.TRACKER) if kind == "tracking" else (Job.SEGMENTER, Job.PROPAGATOR, Job.MATTER)


def engine_facts(kind: str, state: Any) -> list[EngineFacts]:
    """Return what a manifest says of a session's engines."""
    return [_facts(job, getattr(state, job)) for job in jobs_of(kind)]


def check_engines(kind: str, state: Any) -> None:
    """Refuse engines that this version does not have.

    Raises:
        ProjectError: there is one, or one with parameters that it does not have here.
    """
    for job in jobs_of(kind):
        choice: EngineChoice = getattr(state, job)
        try:
            check_params(get_spec(job, choice.name), choice.params)
        except ParameterError as error:
            raise ProjectError(f"the project needs what this version lacks: {error}") from None


def differences(manifest: Manifest, state: Any) -> list[str]:
    """Return what a user should know about this version and machine against those that the project comes from."""
    lines = []
    if _number(manifest.splazmatte) > _number(VERSION):
        lines.append(
            f"the project was made by SplazMatte {quoted(manifest.splazmatte)}, which is newer than this ({VERSION})"
        )
    then = {facts.job: facts for facts in manifest.engines}
    for job in jobs_of(manifest.kind):
        choice: EngineChoice = getattr(state, job)
        spec = get_spec(job, choice.name)
        facts = then.get(job)
        if facts is not None and facts.name == spec.name:
            lines += _changes(spec, choice, facts)
        if reason := obstacle(spec, choice.params):
            lines.append(f"an engine cannot run here yet: {reason}")
        if licence := forbidden_by(spec, choice.params):
            lines.append(f"the licence of '{spec.name}' does not allow commercial use ({licence})")
    return lines


def _facts(job: Job, choice: EngineChoice) -> EngineFacts:
    spec = get_spec(job, choice.name)
    params = check_params(spec, choice.params)
    return EngineFacts(
        job=job,
        name=spec.name,
        version=spec.version,
        params=params,
        licence=spec.licence.name,
        commercial=not forbidden_by(spec, params),
        weights=[_weights(name) for name in spec.weights_for(params)],
    )


def _weights(name: str) -> WeightFacts:
    record = weights.read_record(weights.folder(name))
    if record is None:
        return WeightFacts(name=name)
    hashes = {path: file.sha256 for path, file in record.files.items()}
    return WeightFacts(
        name=name, repository=record.repository, revision=record.revision, files=hashes, verified=bool(hashes)
    )


def _changes(spec: EngineSpec, choice: EngineChoice, facts: EngineFacts) -> Iterator[str]:
    if facts.version != spec.version:
        yield (
            f"'{spec.name}' has version {spec.version} here, not {facts.version}: "
            "what it made counts as stale, and a run makes it again"
        )
    used = spec.weights_for(check_params(spec, choice.params))
    for known in facts.weights:
        if known.name in used:
            here = _weights(known.name).files
            if any(here.get(path, digest) != digest for path, digest in known.files.items()):
                yield f"the weights '{known.name}' are other ones here: what is made from now on may differ"


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:3] if part.isdecimal() and len(part) < 9]
