"""Blender script: makes the tracks in a movie clip, with disabled markers where a point is not visible.

Blender's markers are 0..1 of the picture, y up; clip frames count from 1. A frame without a marker shows the one
before it, so each stretch ends with a muted marker, and one stands before the first. The script takes the clip of the
source's name, else the one in an open Clip Editor, else the only one there is. Data are literals of Python without a
single character of a name left as it was typed unless it is harmless: a name cannot become code. Pixels
that are not square are set in the clip's camera, whose pixel aspect Blender shows and solves the clip with.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracking_export.coordinates import unit_up
from tracking_export.motion.result import Motion
from tracking_export.text import exact, python
from tracking_export.tracks import Tracks

_FIRST = 1

_HEAD = '''\
"""Point tracks for Blender: open the clip in a Movie Clip Editor, then run this in the Text Editor."""

import bpy

SOURCE = @SOURCE@
PIXEL_ASPECT = @PIXEL_ASPECT@
# One tuple a track: name, colour, and markers (clip frame, x, y, mute).
TRACKS = [
'''
_TAIL = '''\
]


def find_clip():
    """Return the clip of the source's name, the one in an open editor, or the only one."""
    clips = bpy.data.movieclips
    for clip in clips:
        if SOURCE and SOURCE in (clip.name, bpy.path.basename(clip.filepath)):
            return clip
    screen = getattr(bpy.context, "screen", None)
    for area in screen.areas if screen else ():
        if area.type == "CLIP_EDITOR" and area.spaces.active.clip:
            return area.spaces.active.clip
    if len(clips) == 1:
        return clips[0]
    raise RuntimeError("Open the tracked clip in a Movie Clip Editor, then run the script again")


def add_track(tracks, name, colour, markers):
    """Add one track with all its markers."""
    track = tracks.new(name=name, frame=markers[0][0])
    track.use_custom_color = True
    track.color = colour
    for frame, x, y, mute in markers:
        track.markers.insert_frame(frame, co=(x, y)).mute = mute


def main():
    """Add all tracks to the clip."""
    clip = find_clip()
    if PIXEL_ASPECT != 1:
        clip.tracking.camera.pixel_aspect = PIXEL_ASPECT
    tracks = clip.tracking.tracks
    for name, colour, markers in TRACKS:
        if markers:
            add_track(tracks, name, colour, markers)


main()
'''


def script(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the script; it is ASCII, so no encoding can spoil it. Points that are never visible are left out."""
    rows = "".join(_track(tracks, point) for point in range(tracks.count))
    head = _HEAD.replace("@PIXEL_ASPECT@", exact(float(tracks.pixel_aspect)), 1)
    return head.replace("@SOURCE@", python(tracks.source), 1) + rows + _TAIL


def _track(tracks: Tracks, point: int) -> str:
    name = python(tracks.names[point] or f"Track {point + 1}")
    colour = ", ".join(exact(round(part / 255, 4)) for part in tracks.colours[point])
    markers = ",\n        ".join(_markers(tracks, point))
    return f"    ({name}, ({colour}), [\n        {markers}\n    ]),\n"


def _markers(tracks: Tracks, point: int) -> list[str]:
    xy = unit_up(tracks.xy[:, point], tracks.width, tracks.height).tolist()
    spans = tracks.spans(point)
    first = tracks.first_frame + _FIRST
    result = []
    for index, span in enumerate(spans):
        if index == 0 and first + span.start > _FIRST:
            result.append(_marker(first + span.start - 1, xy[span.start], mute=True))
        result += [_marker(first + row, xy[row], mute=False) for row in span]
        result.append(_marker(first + span.stop, xy[span.stop - 1], mute=True))
    return result


def _marker(frame: int, xy: list[float], *, mute: bool) -> str:
    return f"({frame}, {exact(xy[0])}, {exact(xy[1])}, {mute})"
