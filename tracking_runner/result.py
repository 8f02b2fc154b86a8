"""A session's tracks as they are shown and exported: raw tracks, cut, cleaned and filled as the user has chosen."""

from __future__ import annotations

import numpy as np

from pipeline.info import VideoInfo
from tracking_export.motion.gaps import fill_gaps
from tracking_export.motion.outliers import reject_outliers
from tracking_export.motion.smoothing import smooth
from tracking_export.tracks import Tracks
from tracking_runner.raw import load_raw
from tracking_session_store import Refinement, TrackingSession


def session_tracks(session: TrackingSession, info: VideoInfo, span: tuple[int, int], *, hidden: bool = False) -> Tracks:
    """Return the tracks of the frames `span`, refined; the raw result on the disk stays as it is.

    Args:
        session: whose points have been tracked.
        info: its source's facts.
        span: frames, half-open.
        hidden: whether points that the user has hidden are among them.

    Raises:
        ParameterError: there is no point to show.
    """
    points = [point for point in session.state.points if hidden or not point.hidden]
    raw = load_raw(session, info.frames).only([point.id for point in points])
    visible = raw.visible[slice(*span)].copy()
    confidence = np.clip(raw.confidence[slice(*span)], 0, 1)
    for column, point in enumerate(points):
        for start, stop in point.cuts:
            cut = slice(max(0, start - span[0]), max(0, stop - span[0]))
            visible[cut, column], confidence[cut, column] = False, 0
    tracks = Tracks(
        names=tuple(point.name for point in points),
        xy=raw.tracks[slice(*span)].astype(np.float64),
        visible=visible,
        confidence=confidence,
        rate=info.rate,
        width=info.width,
        height=info.height,
        first_frame=span[0],
        colours=tuple(_rgb(point.colour) for point in points),
        groups=tuple(point.group for point in points),
        source=session.state.original_name,
        pixel_aspect=info.sample_aspect_ratio,
        times=tuple(float(ticks * info.time_base) for ticks in (info.times or ())[slice(*span)]),
    )
    return refine(tracks, session.state.refinement)


def refine(tracks: Tracks, refinement: Refinement) -> Tracks:
    """Return the tracks without outliers, with short gaps filled, smoothed: in that order, as far as asked for."""
    if refinement.reject:
        tracks = reject_outliers(tracks, refinement.reject)
    if refinement.fill:
        tracks = fill_gaps(tracks, refinement.fill)
    if refinement.smooth:
        tracks = smooth(tracks, refinement.smooth)
    return tracks


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
