"""CSV: a row a track and frame, visible or not, in our coordinates ((0, 0) is the centre of the top-left pixel).

`track` is the number from 1 that tells repeated names apart. Time is in seconds since the clip's first frame, to nine
places, exact where the rate varies. A name that a spreadsheet would take for a formula gets a leading apostrophe, as
spreadsheets themselves write text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from tracking_export.motion.result import Motion
from tracking_export.text import exact, number
from tracking_export.tracks import Tracks

_COLUMNS = ("track", "name", "group", "frame", "time", "x", "y", "visible", "confidence")


def text(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the table with a heading; positions that are not known are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for point in range(tracks.count):
        name, group = _cell(tracks.names[point]), _cell(tracks.groups[point])
        for row, frame in enumerate(tracks.frames):
            x, y = tracks.xy[row, point]
            known = np.isfinite(x) and np.isfinite(y)
            writer.writerow(
                (
                    point + 1,
                    name,
                    group,
                    frame,
                    number(tracks.seconds(row), 9),
                    exact(x) if known else "",
                    exact(y) if known else "",
                    int(tracks.visible[row, point]),
                    number(tracks.confidence[row, point]),
                )
            )
    return out.getvalue()


def _cell(text: str) -> str:
    safe = text.encode("utf-8", "replace").decode("utf-8")
    return f"'{safe}" if safe[:1] in set("=+-@\t\r") else safe
