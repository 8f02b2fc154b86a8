"""Tracks for other programs: the one table of formats, and `export`. A new format is a file here and a row below."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from errors import ParameterError
from tracking_export.spec import TrackFormat

if TYPE_CHECKING:
    from tracking_export.motion.result import Motion
    from tracking_export.tracks import Tracks

    Writer = Callable[[Tracks, Sequence[Motion]], str | bytes]

__all__ = ["TRACK_FORMATS", "TrackFormat", "export", "track_format"]

_ROWS = (
    TrackFormat(
        name="ae-keyframes",
        title="After Effects keyframe data",
        file_name="ae_export_*.txt",
        target="tracking_export.after_effects:keyframe_data",
        help="Text to paste onto a layer at the current time, one file a track; cannot express gaps.",
        corner_pin=True,
        similarity=True,
        gaps=False,
    ),
    TrackFormat(
        name="ae-script",
        title="After Effects script",
        file_name="ae_tracks.jsx",
        target="tracking_export.after_effects_script:script",
        help="Run with File > Scripts: a null a track under one parent, with gaps and confidence; a layer for a pin.",
        corner_pin=True,
        similarity=True,
        timed=True,
    ),
    TrackFormat(
        name="nuke",
        title="Nuke Tracker",
        file_name="nuke_tracks.nk",
        target="tracking_export.nuke:nodes",
        help="Open or paste: a Tracker with all tracks, switched off in gaps, and CornerPin2D or Transform nodes.",
        corner_pin=True,
        similarity=True,
    ),
    TrackFormat(
        name="fusion",
        title="Fusion and Resolve",
        file_name="fusion_tracks.setting",
        target="tracking_export.fusion:setting",
        help="Drop into the flow: a Tracker with all tracks, and CornerPositioner or Transform; gaps are drawn across.",
        corner_pin=True,
        similarity=True,
        gaps=False,
    ),
    TrackFormat(
        name="blender",
        title="Blender script",
        file_name="blender_tracks.py",
        target="tracking_export.blender:script",
        help="Run in the Text Editor with the clip open: tracks in the movie clip, markers disabled in gaps.",
    ),
    TrackFormat(
        name="shake",
        title="Shake text",
        file_name="shake_tracks.txt",
        target="tracking_export.shake:text",
        help="Frame, x, y and correlation a track; read by many tools.",
    ),
    TrackFormat(
        name="3dequalizer",
        title="3DEqualizer points",
        file_name="3de_tracks.txt",
        target="tracking_export.equalizer:text",
        help="2D points for 3DEqualizer 4.",
    ),
    TrackFormat(
        name="pftrack",
        title="PFTrack 2D tracks",
        file_name="pftrack_tracks.2dt",
        target="tracking_export.pftrack:text",
        help="2D tracks for PFTrack and PFMatchit.",
    ),
    TrackFormat(
        name="syntheyes",
        title="SynthEyes 2-D paths",
        file_name="syntheyes_tracks.txt",
        target="tracking_export.syntheyes:text",
        help="Tracker 2-D paths for SynthEyes.",
    ),
    TrackFormat(
        name="csv",
        title="CSV table",
        file_name="tracks.csv",
        target="tracking_export.table:text",
        help="A row a track and frame, for spreadsheets and scripts; (0, 0) is the centre of the top-left pixel.",
        timed=True,
    ),
    TrackFormat(
        name="json",
        title="JSON",
        file_name="tracks.json",
        target="tracking_export.document:text",
        help="Everything, exact: tracks, gaps, confidence, colours, groups, rate and motions.",
        corner_pin=True,
        similarity=True,
        timed=True,
    ),
    TrackFormat(
        name="tapvid",
        title="TAP-Vid arrays",
        file_name="tracks_tapvid.npz",
        target="tracking_export.tapvid:archive",
        help="NumPy arrays in the layout of the TAP-Vid benchmark, without the video.",
        timed=True,
    ),
)
TRACK_FORMATS: dict[str, TrackFormat] = {row.name: row for row in _ROWS}
"""Every format by name."""


def track_format(name: str) -> TrackFormat:
    """Return the row of a format.

    Raises:
        ParameterError: there is none of that name.
    """
    try:
        return TRACK_FORMATS[name]
    except KeyError:
        raise ParameterError(f"no such track format: {name}; there are {', '.join(TRACK_FORMATS)}") from None


def export(name: str, tracks: Tracks, motions: Sequence[Motion] = ()) -> dict[str, bytes]:
    """Write tracks and motions in a format.

    Args:
        name: a format of the table.
        tracks: the points.
        motions: corner pins, similarities and steady tracks of the same frames. A steady track goes into every format:
            where motions have no place of their own it becomes one more track.

    Returns:
        {file name: contents}; text is UTF-8.

    Raises:
        ParameterError: no such format, one that cannot carry such a motion, or a motion of other frames.
    """
    spec = track_format(name)
    module, function = spec.target.split(":")
    write: Writer = getattr(importlib.import_module(module), function)
    _check(spec, tracks, motions)
    if not (spec.corner_pin and spec.similarity):
        tracks, motions = _with_steady(tracks, motions), ()
    if spec.per_track:
        return _file_each(spec, write, tracks, motions)
    return {spec.file_name: _encoded(write(tracks, motions))}


def _file_each(spec: TrackFormat, write: Writer, tracks: Tracks, motions: Sequence[Motion]) -> dict[str, bytes]:
    """Return a file for each track that is ever visible, and for each motion."""
    files: dict[str, bytes] = {}
    for index in (index for index in range(tracks.count) if tracks.spans(index)):
        files[spec.file_name.replace("*", f"{index + 1:03d}")] = _encoded(write(tracks.select([index]), ()))
    for motion in motions:
        label = motion.kind.value.replace("-", "_") + ("_stabilise" if motion.stabilises else "")
        name, turn = spec.file_name.replace("*", label), 1
        while name in files:
            turn += 1
            name = spec.file_name.replace("*", f"{label}_{turn}")
        files[name] = _encoded(write(tracks, (motion,)))
    if not files:
        raise ParameterError("no track is ever visible; track again from another frame")
    return files


def _check(spec: TrackFormat, tracks: Tracks, motions: Sequence[Motion]) -> None:
    for motion in motions:
        carried = {"steady": not motion.stabilises or spec.similarity}
        carried |= {"similarity": spec.similarity, "corner-pin": spec.corner_pin}
        if not carried[motion.kind]:
            able = ", ".join(row.name for row in TRACK_FORMATS.values() if row.corner_pin and row.similarity)
            raise ParameterError(f"{spec.name} cannot carry a {motion.kind}; these can: {able}")
        if motion.first_frame != tracks.first_frame or len(motion.matrices) != tracks.length:
            raise ParameterError("the motion is not of the same frames as the tracks; solve it again")


def _with_steady(tracks: Tracks, motions: Sequence[Motion]) -> Tracks:
    if not motions:
        return tracks
    from tracking_export.motion.result import as_tracks
    from tracking_export.tracks import join

    return join([tracks, *(as_tracks(motion, tracks) for motion in motions)])


def _encoded(contents: str | bytes) -> bytes:
    return contents.encode("utf-8") if isinstance(contents, str) else contents
