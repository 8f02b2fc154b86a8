"""3DEqualizer 4 points: origin at the bottom-left corner, y up, frames from 1, rows only where visible."""

from __future__ import annotations

from collections.abc import Sequence

from tracking_export.coordinates import corner_up
from tracking_export.motion.result import Motion
from tracking_export.text import plain, unique
from tracking_export.tracks import Tracks

_FIRST = 1
_RED = 0


def text(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the file. The colour is always red, the one index that is known."""
    xy = corner_up(tracks.xy, tracks.height)
    lines = [str(tracks.count)]
    for point, name in enumerate(unique(tracks.names, plain)):
        keys = list(tracks.keys(point))
        lines += [name, str(_RED), str(len(keys))]
        lines += [f"{frame + _FIRST} {xy[row, point, 0]:.15f} {xy[row, point, 1]:.15f}" for row, frame in keys]
    return "\n".join(lines) + "\n"
