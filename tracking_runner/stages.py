"""The stages of a run, in order."""

from __future__ import annotations

from errors import ParameterError
from runner_base import frames
from tracking_runner import deliver_stage, track_stage

STAGES = (frames.STAGE, track_stage.STAGE, deliver_stage.STAGE)


def check_stage(name: str) -> str:
    """Return the name of a stage.

    Raises:
        ParameterError: there is none of that name.
    """
    if name not in STAGES:
        raise ParameterError(f"'until' must be one of {', '.join(STAGES)}, not '{name}'")
    return name
