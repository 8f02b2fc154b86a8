"""PFTrack and PFMatchit .2dt: origin at the bottom-left pixel's centre, y up, rows only where visible, CRLF.

Frames are written as in the source, from 0, as other exporters do; the camera line is 1, the primary one. Residual is
0 for a confidence of 1 and grows to 1; the scale of PFTrack's own values is not published.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracking_export.coordinates import centre_up
from tracking_export.motion.result import Motion
from tracking_export.text import plain, unique
from tracking_export.tracks import Tracks

_CAMERA = "1"


def text(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the file."""
    xy = centre_up(tracks.xy, tracks.height)
    lines: list[str] = []
    for point, name in enumerate(unique(tracks.names, plain)):
        keys = list(tracks.keys(point))
        lines += ["", "", f'"{name}"', _CAMERA, str(len(keys))]
        for row, frame in keys:
            x, y = xy[row, point]
            lines.append(f"{frame} {x:.3f} {y:.3f} {1 - tracks.confidence[row, point]:.3f}")
    return "\r\n".join(lines) + "\r\n"
