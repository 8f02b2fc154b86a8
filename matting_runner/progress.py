"""The stages of a matting run, in order."""

from __future__ import annotations

from enum import StrEnum

from runner_base.progress import Progress, Reporter


class Stage(StrEnum):
    """The stages of a matting run, in order."""

    FRAMES = "frames"
    KEYFRAMES = "keyframes"
    PROPAGATE = "propagate"
    MATTE = "matte"
    DELIVER = "deliver"


__all__ = ["Progress", "Reporter", "Stage"]
