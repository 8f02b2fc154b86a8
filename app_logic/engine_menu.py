"""What the menus of engines offer: which can run here, and what mends it where one cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engines import weights
from engines.registry import engines, get_spec, obstacle, usable
from engines.spec import EngineSpec, Job
from engines.terms import forbidden_by


@dataclass(frozen=True)
class MenuEntry:
    """One engine of a menu."""

    name: str
    title: str
    obstacle: str
    """Why it cannot run here with any of its models, and the command that mends it; empty where it can."""
    lacks_weights: bool
    """Nothing but weights is missing, which the Models page fetches."""
    commercial: bool
    licence: str
    models: tuple[tuple[str, str], ...] = ()
    """(value of the parameter 'model', obstacle) of each model."""

    @property
    def blocked_models(self) -> frozenset[str]:
        """Return the models that cannot be chosen."""
        return frozenset(model for model, reason in self.models if reason)


Menus = dict[Job, tuple[MenuEntry, ...]]


def engine_menus() -> Menus:
    """Return the menus of all jobs, as packages, sources and weights are now."""
    return {job: tuple(_entry(spec) for spec in engines(job)) for job in Job}


def first_params(job: Job, name: str) -> dict[str, Any]:
    """Return parameters with which an engine that is newly chosen can run, those that differ from its defaults.

    Raises:
        ParameterError: there is none of that name.
    """
    return usable(get_spec(job, name)) or {}


def _entry(spec: EngineSpec) -> MenuEntry:
    reason = "" if usable(spec) is not None else obstacle(spec)
    return MenuEntry(
        name=spec.name,
        title=spec.title,
        obstacle=reason,
        lacks_weights=bool(reason) and reason in {weights.mend(name) for name in spec.weights_for({})},
        commercial=not forbidden_by(spec),
        licence=spec.licence.name,
        models=tuple((model, obstacle(spec, {"model": model})) for model in spec.models),
    )
