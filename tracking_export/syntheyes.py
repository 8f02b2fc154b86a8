"""SynthEyes tracker 2-D paths: -1..1 between the outermost pixels' centres, y down, frames as in the source, from 0.

A row is `name frame u v code`: 15 on a point's first frame and on its return after a gap, 7 on the others; frames on
which it is not visible have no row.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracking_export.coordinates import signed_unit
from tracking_export.motion.result import Motion
from tracking_export.text import unique, word
from tracking_export.tracks import Tracks

_TRACKED = 7
_RETURNED = 15


def text(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the file."""
    uv = signed_unit(tracks.xy, tracks.width, tracks.height)
    lines = []
    for point, name in enumerate(unique(tracks.names, word)):
        for span in tracks.spans(point):
            for row in span:
                u, v = uv[row, point]
                code = _RETURNED if row == span.start else _TRACKED
                lines.append(f"{name} {tracks.first_frame + row} {u:.9f} {v:.9f} {code}")
    return "".join(f"{line}\n" for line in lines)
