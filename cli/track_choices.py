"""What `track` and `run` are told of engine, range, refinement and formats, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.options import split_formats

if TYPE_CHECKING:
    from engines.spec import Job
    from session_base import EngineChoice
    from tracking_session_store import Refinement


def choices(
    tracker: str, params: list[str], direction: str, formats: str, refinement: tuple[float, float, int]
) -> dict[str, Any]:
    """Return what was chosen, as fields of the session's state.

    Raises:
        ParameterError: no such engine, parameter or format, or a value outside its range.
        EngineUnavailableError: the engine cannot run here.
    """
    from engines.registry import preferred
    from engines.spec import Job
    from errors import ParameterError
    from tracking_runner import check_formats

    if direction not in ("forward", "both"):
        raise ParameterError(f"--direction must be forward or both, not '{direction}'")
    return {
        **(engine_field(tracker or preferred(Job.TRACKER)[0], params) if tracker or params else {}),
        "direction": direction,
        "refinement": _refinement(*refinement),
        **({"formats": check_formats(split_formats(formats))} if formats else {}),
    }


def engine_field(name: str, params: list[str], before: EngineChoice | None = None) -> dict[str, Any]:
    """Return the tracker as a field of the state, with the parameters of `before` where the engine stays."""
    from cli.prompts import parse_params
    from engines.spec import Job

    given: dict[str, Any] = dict(parse_params(params))
    kept = before.params if before is not None and before.name == name else {}
    return {"tracker": checked_engine(Job.TRACKER, name, {**kept, **given})}


def checked_engine(job: Job, name: str, params: dict[str, Any]) -> EngineChoice:
    """Return an engine with those of its parameters that are given.

    Raises:
        ParameterError: no such engine or parameter, or a value outside its range.
        EngineUnavailableError: it cannot run here.
    """
    from engines.registry import check_params, get_spec, obstacle
    from errors import EngineUnavailableError
    from session_base import EngineChoice

    spec = get_spec(job, name)
    checked = check_params(spec, params)
    choice = EngineChoice(name=spec.name, params={key: checked[key] for key in params})
    if reason := obstacle(spec, choice.params):
        raise EngineUnavailableError(reason)
    return choice


def _refinement(smooth: float, reject: float, fill: int) -> Refinement:
    from pydantic import ValidationError

    from errors import ParameterError
    from tracking_session_store import Refinement

    try:
        return Refinement(smooth=smooth, reject=reject, fill=fill)
    except ValidationError as error:
        first = error.errors()[0]
        raise ParameterError(f"--{first['loc'][0]}: {first['msg']}") from None


def span_field(frames: str) -> dict[str, Any]:
    """Return the range as a field of the state; nothing where it is not given."""
    from cli.prompts import parse_range

    return {"range": parse_range(frames)} if frames else {}
