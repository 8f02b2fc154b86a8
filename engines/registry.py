"""The one table of engines, and the only place that imports one by name."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Mapping
from typing import Any

from engines import costs
from engines.spec import EngineSpec, Job, Licence, Load, Param, PromptKind
from errors import EngineUnavailableError, ParameterError

BUILT_IN = Licence("Apache-2.0", commercial=True)

ENGINES: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="grabcut",
        job=Job.SEGMENTER,
        target="engines.grabcut_engine:GrabCutSegmenter",
        title="GrabCut",
        help="Clicks, boxes, strokes or a rough mask to a mask; built in, no weights, any CPU.",
        version=1,
        licence=BUILT_IN,
        memory=costs.grabcut_memory,
        seconds=costs.grabcut_seconds,
        params=(
            Param(
                "detail",
                36_000,
                "Working pixels of a cut after the first click; more is finer and slower.",
                4_000,
                400_000,
                unit="px",
            ),
            Param("smoothness", 1.0, "More gives shorter, calmer edges; less follows thin parts and noise.", 0.1, 10),
            Param("threads", 2, "Cuts that run side by side; the result does not depend on it.", 1, 16),
        ),
        prompts=frozenset({PromptKind.POINTS, PromptKind.BOX, PromptKind.STROKES, PromptKind.MASK}),
    ),
    EngineSpec(
        name="flow",
        job=Job.PROPAGATOR,
        target="engines.flow_engine:FlowPropagator",
        title="Optical flow with colour models",
        help="Keyframe masks carried through the clip; built in, no weights, any CPU.",
        version=1,
        licence=BUILT_IN,
        memory=costs.flow_memory,
        seconds=costs.flow_seconds,
        params=(
            Param(
                "quality",
                "best",
                "'fast' works at two thirds of the size, for previews.",
                choices=("best", "fast"),
                lighter=("fast",),
            ),
        ),
    ),
    EngineSpec(
        name="guided",
        job=Job.MATTER,
        target="engines.guided_engine:GuidedMatter",
        title="Guided filter matting",
        help="Guide masks to soft alpha; built in, no weights, any CPU.",
        version=1,
        licence=BUILT_IN,
        memory=costs.guided_memory,
        seconds=costs.guided_seconds,
        params=(
            Param(
                "band",
                0.0,
                "How far outside the mask's edge alpha is unknown (half of it inside); 0 follows its uncertainty.",
                0,
                512,
                unit="px",
            ),
            Param(
                "detail",
                "auto",
                "clean keeps to the mask's edge, tracked moves it to the picture's, auto decides by region.",
                choices=("auto", "clean", "tracked"),
            ),
            Param("sharpness", 1.0, "Contrast of the soft edge; above 1 is harder, below 1 softer.", 0.25, 4),
        ),
        needs_every_mask=True,
    ),
)


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
        EngineUnavailableError: a package that it needs is not installed.
    """
    spec = get_spec(job, name)
    checked = check_params(spec, params or {})
    missing = missing_packages(spec)
    if missing:
        raise EngineUnavailableError(f"'{name}' needs {', '.join(missing)}; run: just setup")
    module, _, attribute = spec.target.partition(":")
    return getattr(importlib.import_module(module), attribute)(**checked)


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


__all__ = ["ENGINES", "Load", "check_params", "convert", "create", "engines", "get_spec", "missing_packages"]
