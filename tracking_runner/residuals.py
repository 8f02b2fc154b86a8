"""How well a motion fits the points that it was solved from, as plain values: for pages and the command line."""

from __future__ import annotations

from typing import Any

import numpy as np

from runner_base.facts import load_info
from tracking_export.motion.result import POINTS_NEEDED, Motion
from tracking_runner.motion import solve
from tracking_runner.result import session_tracks
from tracking_session_store import MotionChoice, TrackingSession


def session_residuals(session: TrackingSession, span: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the residuals of all motions of a session whose points have been tracked.

    Raises:
        ParameterError: a motion cannot be solved, or there is no point that is not hidden.
    """
    tracks = session_tracks(session, load_info(session), span)
    return [residual(choice, solve(session.state, tracks, choice)) for choice in session.state.motions]


def residual(choice: MotionChoice, motion: Motion) -> dict[str, Any]:
    """Return the residual of a motion.

    Returns:
        id, kind, name; `reference` frame; `rms` pixels over all frames that were solved, and of the `worst` frame,
        `worst_frame`, both None where no other frame than the reference was; `solved` frames of `frames`; `reduced`:
        how many got less than was asked for; `note`: where, and what they need.
    """
    solved = motion.solved & np.isfinite(motion.residual)
    others = solved.copy()
    others[motion.reference - motion.first_frame] = False
    row = int(np.argmax(np.where(others, motion.residual, -1))) if others.any() else None
    return {
        "id": choice.id,
        "kind": motion.kind.value,
        "name": choice.name,
        "stabilises": motion.stabilises,
        "reference": motion.reference,
        "rms": round(float(np.sqrt(np.mean(motion.residual[others] ** 2))), 4) if row is not None else None,
        "worst": round(float(motion.residual[row]), 4) if row is not None else None,
        "worst_frame": row + motion.first_frame if row is not None else None,
        "solved": int(motion.solved.sum()),
        "frames": len(motion.matrices),
        "reduced": int((motion.solved & (motion.used < POINTS_NEEDED[motion.kind])).sum()),
        "note": motion.note,
    }
