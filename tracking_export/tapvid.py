"""NumPy archive in the layout of TAP-Vid (Doersch et al. 2022), without `video`: whoever evaluates has the frames.

`points` float32 [N, T, 2] are (x, y) as a share of the picture, (0, 0) its top-left outer corner, as that benchmark's
rasters have it; `occluded` bool [N, T]; coordinates are kept where a point is occluded, 0 where there are none.
`query_points` float32 [N, 3] are (t, y, x), t the row of the point's first visible frame, y and x in pixels of the
same origin; a point that is never visible has t -1. What else it holds makes it exact: `names`, `confidence` [N, T],
`first_frame`, `rate` and `pixel_aspect` (numerator, denominator), `size` (width, height). Read it without pickle.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from tracking_export.coordinates import unit_down
from tracking_export.motion.result import Motion
from tracking_export.tracks import Tracks


def archive(tracks: Tracks, motions: Sequence[Motion] = ()) -> bytes:
    """Return the .npz file; the same tracks give the same bytes."""
    size = np.array([tracks.width, tracks.height], np.float64)
    points = np.nan_to_num(unit_down(tracks.xy, tracks.width, tracks.height), nan=0.0, posinf=0.0, neginf=0.0)
    seen = tracks.visible.any(axis=0)
    first = np.where(seen, tracks.visible.argmax(axis=0), -1)
    at = points[np.maximum(first, 0), np.arange(tracks.count)] * size
    names = [name.encode("utf-8", "replace").decode("utf-8") for name in tracks.names]
    out = io.BytesIO()
    np.savez_compressed(
        out,
        points=points.swapaxes(0, 1).astype(np.float32),
        occluded=~tracks.visible.T,
        query_points=np.column_stack([first, at[:, 1], at[:, 0]]).astype(np.float32),
        names=np.array(names, dtype=np.str_),
        confidence=tracks.confidence.T,
        first_frame=np.int64(tracks.first_frame),
        rate=np.array([tracks.rate.numerator, tracks.rate.denominator], np.int64),
        size=np.array([tracks.width, tracks.height], np.int64),
        pixel_aspect=np.array([tracks.pixel_aspect.numerator, tracks.pixel_aspect.denominator], np.int64),
    )
    return out.getvalue()
