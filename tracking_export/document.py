"""JSON with everything, for other scripts. Numbers read back as the same float64; what is unknown is null."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking_export.motion.result import Motion, MotionKind
from tracking_export.tracks import Tracks

VERSION = 1


def text(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the document; keys are in a fixed order, text is escaped to ASCII."""
    document = {
        "format": "splazmatte-tracks",
        "version": VERSION,
        "coordinates": "pixels; (0, 0) is the centre of the top-left pixel, x right, y down",
        "source": tracks.source,
        "width": tracks.width,
        "height": tracks.height,
        "pixel_aspect": {"numerator": tracks.pixel_aspect.numerator, "denominator": tracks.pixel_aspect.denominator},
        "rate": {"numerator": tracks.rate.numerator, "denominator": tracks.rate.denominator},
        "times": list(tracks.times) or None,
        "first_frame": tracks.first_frame,
        "frames": tracks.length,
        "tracks": [_track(tracks, point) for point in range(tracks.count)],
        "motions": [_motion(motion) for motion in motions],
    }
    return json.dumps(document, allow_nan=False, separators=(",", ":")) + "\n"


def _known(values: NDArray[Any]) -> list[Any]:
    """Return nested lists with None for what is not a number."""
    result = values.astype(object)
    result[~np.isfinite(values)] = None
    nested: list[Any] = result.tolist()
    return nested


def _single(values: NDArray[np.float32]) -> list[Any]:
    """Return a list of float32 in the few digits that tell them apart, None for what is not a number."""
    return [float(str(value)) if np.isfinite(value) else None for value in values]


def _track(tracks: Tracks, point: int) -> dict[str, Any]:
    return {
        "name": tracks.names[point],
        "group": tracks.groups[point],
        "colour": list(tracks.colours[point]),
        "xy": _known(tracks.xy[:, point]),
        "visible": tracks.visible[:, point].tolist(),
        "confidence": _single(tracks.confidence[:, point]),
    }


def _motion(motion: Motion) -> dict[str, Any]:
    position, angle, scale = motion.parameters()
    solved = motion.solved
    parts: dict[str, Any] = {
        "kind": motion.kind.value,
        "stabilises": motion.stabilises,
        "reference_frame": motion.reference,
        "points": motion.points.tolist(),
        "path": _known(np.where(solved[:, None, None], motion.path(), np.nan)),
        "matrices": _known(np.where(solved[:, None, None], motion.matrices, np.nan)),
        "residual": _single(motion.residual),
        "confidence": _single(motion.confidence),
        "points_used": motion.used.tolist(),
        "note": motion.note,
    }
    if motion.kind is not MotionKind.CORNER_PIN:
        parts["position"] = _known(np.where(solved[:, None], position, np.nan))
        parts["rotation_clockwise"] = _known(np.where(solved, angle, np.nan))
        parts["scale"] = _known(np.where(solved, scale, np.nan))
    return parts
