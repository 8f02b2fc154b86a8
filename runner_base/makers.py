"""Which engine made something: read from the mark that was kept of it, whatever is chosen now."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from engines.registry import check_params, get_spec
from engines.spec import EngineSpec, Job
from errors import ParameterError


@dataclass(frozen=True)
class Maker:
    """An engine as a mark names it."""

    job: Job
    name: str
    version: int | None = None
    """None where the mark does not say."""
    params: dict[str, Any] = field(default_factory=dict)
    """As far as the mark says: all of them, or the model alone."""

    @property
    def spec(self) -> EngineSpec | None:
        """Return its row of the table; None for an engine, or a model of one, of another version of SplazMatte."""
        try:
            spec = get_spec(self.job, self.name)
        except ParameterError:
            return None
        return spec if not (spec.models and self.model) or self.model in spec.models else None

    @property
    def model(self) -> str:
        """Return which of the engine's models it was; empty where it has but one."""
        return str(self.params.get("model", ""))

    def is_choice(self, name: str, params: dict[str, Any]) -> bool:
        """Tell whether that choice of an engine can be what the mark names."""
        if self.spec is None or name != self.name:
            return False
        checked = check_params(self.spec, params)
        return all(checked.get(key) == value for key, value in self.params.items())


def read_mark(job: Job, mark: str) -> Maker | None:
    """Return the engine that a mark begins with; None where it names none, one of no table where it is damaged.

    Args:
        job: of the engine.
        mark: 'name@version{parameters} …' or 'name[:model] …', as matting_runner.marks makes them.
    """
    head = mark.partition(" ")[0].partition("{")[0]
    name, _, version = head.partition("@")
    name, _, model = name.partition(":")
    if name in ("", "key"):  # 'key': of a keyframe that is gone
        return None
    params: dict[str, Any] = {"model": model} if model else {}
    try:
        if version and "{" in mark:
            params, _ = json.JSONDecoder().raw_decode(mark, mark.index("{"))
        return Maker(job, name, int(version) if version.isdecimal() else None, params)
    except (ValueError, RecursionError):
        return Maker(job, mark[:40])


def read_named_mark(mark: str) -> Maker | None:
    """Return the engine of a mark that begins with the engine's job; see session_store.Keyframe.engine."""
    wanted, _, rest = mark.partition(" ")
    job = next((job for job in Job if job.value == wanted), None)
    return read_mark(job, rest) if job else None
