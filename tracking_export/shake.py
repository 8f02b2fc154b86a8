"""Shake's track text, read by many tools: origin at the bottom-left corner, y up, frames from 1, rows only if visible.

Three decimals are the format's; correlation is our confidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracking_export.coordinates import corner_up
from tracking_export.motion.result import Motion
from tracking_export.text import unique, word
from tracking_export.tracks import Tracks

_FIRST = 1


def text(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the file; points that are never visible have a heading and no rows."""
    xy = corner_up(tracks.xy, tracks.height)
    blocks = []
    for point, name in enumerate(unique(tracks.names, word)):
        lines = [f"TrackName {name}", "   Frame             X             Y   Correlation"]
        for row, frame in tracks.keys(point):
            x, y = xy[row, point]
            lines.append(f"   {frame + _FIRST:.2f}   {x:.3f}   {y:.3f}   {tracks.confidence[row, point]:.3f}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks) + "\n"
