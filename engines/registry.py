"""What the table of engines says: which there are, whether they can run here, and the only import of one by name."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections.abc import Mapping
from typing import Any

from config import get_settings
from engines import weights
from engines.devices import job_devices
from engines.spec import EngineSpec, Job, Load, Param
from engines.table import ENGINES
from engines.terms import forbidden_by
from errors import EngineUnavailableError, ParameterError
from log import LOG
from machine import RECIPES


def engines(job: Job) -> list[EngineSpec]:
    """Return the engines that do `job`, the default first."""
    return [spec for spec in ENGINES if spec.job is job]


def get_spec(job: Job, name: str) -> EngineSpec:
    """Return the engine `name` of `job`.

    Raises:
        ParameterError: there is none of that name.
    """
    for spec in engines(job):
        if spec.name == name:
            return spec
    known = ", ".join(spec.name for spec in engines(job)) or "none yet"
    raise ParameterError(f"no {job.value} named '{name}'; there is: {known}")


def missing_packages(spec: EngineSpec) -> list[str]:
    """Return the packages that `spec` needs and this environment lacks."""
    return [name for name in spec.packages if importlib.util.find_spec(name) is None]


def obstacle(spec: EngineSpec, params: Mapping[str, Any] | None = None) -> str:
    """Return why an engine cannot run here with these parameters, and the command that mends it; empty if it can."""
    if missing := missing_packages(spec):
        return f"'{spec.name}' needs {', '.join(missing)}; run: {RECIPES} setup"
    sdks = get_settings().sdks_path
    if absent := [name for name in spec.sources if not (sdks / name).is_dir()]:
        return f"'{spec.name}' needs the authors' sources in {sdks / absent[0]}; run: {RECIPES} setup"
    for name in spec.weights_for(params or {}):
        if weights.state(name) != "ready":
            return weights.mend(name)
    return ""


def usable(spec: EngineSpec) -> dict[str, Any] | None:
    """Return parameters with which an engine can run here, those that differ from the defaults; None if there are none.

    Of several models that are on the disk the default one is taken, else the lightest.
    """
    for params in ({}, *({"model": model} for model in spec.models)):
        if not obstacle(spec, params):
            return params
    return None


def preferred(job: Job) -> tuple[str, dict[str, Any]]:
    """Return the best engine of `job` that can run here, by rank and the order of the table, and its parameters.

    One whose licence forbids commercial use is never chosen for the user, nor one that wants a GPU where there is none.
    """
    has_gpu = job_devices()[0].startswith("cuda")
    for spec in sorted(engines(job), key=lambda spec: -spec.rank):
        params = usable(spec) if has_gpu or not spec.wants_gpu else None
        if params is not None and not forbidden_by(spec, params):
            return spec.name, params
    raise AssertionError("the built-in engines can run anywhere")


def check_params(spec: EngineSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter of `spec` with the given values converted and checked, the rest at their defaults.

    Raises:
        ParameterError: an unknown name, a wrong type or a value outside the range.
    """
    known = {param.name: param for param in spec.params}
    unknown = sorted(set(values) - set(known))
    if unknown:
        names = ", ".join(sorted(known)) or "none"
        raise ParameterError(f"'{spec.name}' has no parameter '{unknown[0]}'; it has: {names}")
    return {name: convert(spec, param, values.get(name, param.default)) for name, param in known.items()}


def create(job: Job, name: str, params: Mapping[str, Any] | None = None) -> Any:
    """Return a new engine of that job and name with checked parameters.

    Raises:
        ParameterError: no such engine or parameter.
        EngineUnavailableError: packages, sources or weights that it needs are not there.
    """
    spec = get_spec(job, name)
    return _made(spec, spec.target, params or {})


def create_finder(name: str, params: Mapping[str, Any] | None = None) -> Any:
    """Return a new `engines.base.InstanceFinder`: what the segmenter `name` finds instances by text with.

    Raises:
        ParameterError: no such segmenter or parameter, or one that reads no text.
        EngineUnavailableError: packages, sources or weights that it needs are not there.
    """
    spec = get_spec(Job.SEGMENTER, name)
    if not spec.finder:
        known = ", ".join(entry.name for entry in finders())
        raise ParameterError(f"'{name}' finds nothing by a text; these do: {known}")
    return _made(spec, spec.finder, params or {})


def finders() -> list[EngineSpec]:
    """Return the segmenters that can find instances by text through a clip."""
    return [spec for spec in engines(Job.SEGMENTER) if spec.finder]


def _made(spec: EngineSpec, target: str, params: Mapping[str, Any]) -> Any:
    """Return an object of `target` with checked parameters."""
    checked = check_params(spec, params)
    if reason := obstacle(spec, checked):
        raise EngineUnavailableError(reason)
    LOG.info("engine", engine=spec.name, job=str(spec.job), parameters=checked)
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)(**checked)


def release() -> None:
    """Free the network that the engine used last has left in memory, so that what comes next has room."""
    loading = sys.modules.get("engines.neural.loading")  # not imported: built-in engines need no torch
    if loading is not None:
        loading.release()


def convert(spec: EngineSpec, param: Param, value: Any) -> int | float | bool | str:
    """Return `value` (often text from a command line) as the type of the parameter's default, within its range."""
    where = f"'{param.name}' of '{spec.name}'"
    kind = type(param.default)
    try:
        result = _as_bool(value) if kind is bool else kind(value)
    except (TypeError, ValueError):
        raise ParameterError(f"{where} must be of type {kind.__name__}, not '{value}'") from None
    if param.choices and result not in param.choices:
        raise ParameterError(f"{where} must be one of {', '.join(param.choices)}, not '{value}'")
    if isinstance(result, int | float) and not _within(param, result):
        raise ParameterError(f"{where} must be from {param.minimum:g} to {param.maximum:g}, not {value}")
    return result


def _within(param: Param, value: float) -> bool:
    """Tell whether `value` lies in the parameter's range; nan lies in none, not even in an open one."""
    low = -math.inf if param.minimum is None else param.minimum
    high = math.inf if param.maximum is None else param.maximum
    return low <= value <= high


def _as_bool(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ValueError(text)


__all__ = [
    "ENGINES",
    "Load",
    "check_params",
    "convert",
    "create",
    "create_finder",
    "engines",
    "finders",
    "get_spec",
    "missing_packages",
    "obstacle",
    "preferred",
    "release",
    "usable",
]
