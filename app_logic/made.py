"""How a result was made, as a page shows it: read from its sidecar."""

from __future__ import annotations

from dataclasses import dataclass

from results import Result
from runner_base.sidecar import EngineUse, read_sidecar


@dataclass(frozen=True)
class EngineLine:
    """An engine that took part."""

    title: str
    job: str
    params: str
    objects: str
    """Empty for all of them."""
    frames: int
    licences: tuple[str, ...]
    weights: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """How a result was made."""

    file: str
    source: str
    frames: tuple[int, int]
    engines: tuple[EngineLine, ...]
    notices: tuple[str, ...]
    commercial: bool
    forbidden_by: tuple[str, ...]


def made(result: Result) -> Made | None:
    """Return how a result was made; None for one that an older version has made."""
    sidecar = read_sidecar(result.path)
    if sidecar is None:
        return None
    return Made(
        file=result.name,
        source=sidecar.source.name,
        frames=sidecar.frames,
        engines=tuple(_line(use) for use in sidecar.engines),
        notices=tuple(sidecar.notices),
        commercial=sidecar.commercial_use,
        forbidden_by=tuple(sidecar.forbidden_by),
    )


def _line(use: EngineUse) -> EngineLine:
    return EngineLine(
        title=use.title,
        job=use.job,
        params=", ".join(f"{name}={value}" for name, value in use.params.items()),
        objects=", ".join(use.objects),
        frames=use.frames,
        licences=tuple(dict.fromkeys(term.licence for term in use.terms)),
        weights=tuple(
            f"{row.repository}@{row.revision[:10]}" if row.revision else row.repository for row in use.weights
        ),
    )
