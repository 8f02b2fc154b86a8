"""Nuke script: a Tracker4 node with every track, and CornerPin2D or Transform nodes for motions.

Origin at the bottom-left corner, y up; frames count from 1. A track's curves interpolate across gaps, so its `enable`
is keyed off there. Names lose what Tcl would read as quotes, braces or commands; letters of all languages stay.
CornerPin2D goes from the picture's corners: it fits a picture of the source's size into the four points. Never loaded
into Nuke by us.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracking_export.coordinates import Points, corner_up, picture_corners
from tracking_export.motion.result import Motion, MotionKind
from tracking_export.text import number, plain, unique
from tracking_export.tracks import Tracks, visible_spans

_VISIBLE_COLUMNS = (
    "5 1 20 enable", "3 1 75 name", "2 1 58 track_x", "2 1 58 track_y", "2 1 63 offset_x", "2 1 63 offset_y",
    "4 1 27 T", "4 1 27 R", "4 1 27 S", "2 0 45 error",
)  # fmt: skip
_HIDDEN_COLUMNS = (
    "1 1 0 error_min", "1 1 0 error_max",
    "1 1 0 pattern_x", "1 1 0 pattern_y", "1 1 0 pattern_r", "1 1 0 pattern_t",
    "1 1 0 search_x", "1 1 0 search_y", "1 1 0 search_r", "1 1 0 search_t",
    "2 1 0 key_track", "2 1 0 key_search_x", "2 1 0 key_search_y", "2 1 0 key_search_r", "2 1 0 key_search_t",
    "2 1 0 key_track_x", "2 1 0 key_track_y", "2 1 0 key_track_r", "2 1 0 key_track_t",
    "2 1 0 key_centre_offset_x", "2 1 0 key_centre_offset_y",
)  # fmt: skip
_BOXES = "1 0 -32 -32 32 32 -22 -22 22 22"
"""Smallest and largest error, then the pattern's and the search's box: left, bottom, right, top."""
_FIRST = 1


def nodes(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the script, to be opened, imported or pasted into the node graph."""
    parts = ["set cut_paste_input [stack 0]\nversion 12.0 v1\npush $cut_paste_input", _tracker(tracks)]
    for index, motion in enumerate(motions, 1):
        parts.append("push $cut_paste_input")
        node = _corner_pin if motion.kind is MotionKind.CORNER_PIN else _transform
        parts.append(node(tracks, motion, index))
    return "\n".join(parts) + "\n"


def _header(column: str) -> str:
    kind, name = column.rsplit(" ", 1)
    # The first column's label is 'e', as Nuke writes it; the others repeat their name.
    return f"{{ {kind} {name} {'e' if name == 'enable' else name} 1 }}"


def _tracker(tracks: Tracks) -> str:
    header = "\n".join(map(_header, (*_VISIBLE_COLUMNS, *_HIDDEN_COLUMNS)))
    names = unique(tracks.names, plain)
    rows = "\n".join(_row(tracks, point, name) for point, name in enumerate(names))
    label = plain(tracks.source)
    return (
        f"Tracker4 {{\n tracks {{ {{ 1 31 {tracks.count} }}\n{{ {header}\n}}\n{{\n{rows}\n}}\n}}\n"
        f" reference_frame {tracks.first_frame + _FIRST}\n name SplazMatte_Tracker\n"
        + (f' label "{label}"\n' if label else "")
        + " selected true\n}"
    )


def _row(tracks: Tracks, point: int, name: str) -> str:
    first = tracks.first_frame + _FIRST
    spans = tracks.spans(point)
    xy = corner_up(tracks.xy[:, point], tracks.height)
    flags = "1 1 1" if tracks.count > 1 else "1 0 0"  # one point gives a translation only
    still = f"{{curve K x{first} 0}}"
    return (
        f'{{ {{curve K {_enable(spans, first)}}} "{name}" {_curve(xy[:, 0], spans, first)} '
        f"{_curve(xy[:, 1], spans, first)} {still} {still} {flags} {{curve x{first} 0}} {_BOXES} "
        + " ".join(["{}"] * 11)
        + " }"
    )


def _enable(spans: list[range], first: int) -> str:
    keys = {-1: 0}
    for span in spans:
        keys |= {span.start: 1, span.stop: 0}
    return " ".join(f"x{first + row} {value}" for row, value in keys.items())


def _curve(values: np.ndarray, spans: list[range], first: int) -> str:
    if not spans:
        return f"{{curve x{first} 0}}"
    words = []
    for span in spans:
        for row in span:
            # Without its frame on the first two keys of a stretch, Nuke goes on counting from the gap before it.
            if row < span.start + 2:
                words.append(f"x{first + row}")
            words.append(number(values[row]))
    return "{curve " + " ".join(words) + "}"


def _knob(name: str, motion: Motion, columns: Points) -> str:
    spans, first = visible_spans(motion.solved), motion.first_frame + _FIRST
    curves = " ".join(_curve(column, spans, first) for column in columns.T)
    return f" {name} {{{curves}}}"


def _corner_pin(tracks: Tracks, motion: Motion, index: int) -> str:
    corners = corner_up(motion.path(), tracks.height)[:, ::-1]  # BL, BR, TR, TL
    picture = corner_up(picture_corners(tracks.width, tracks.height), tracks.height)[::-1]
    lines = [_knob(f"to{corner + 1}", motion, corners[:, corner]) for corner in range(4)]
    lines += [f" from{corner + 1} {{{number(x)} {number(y)}}}" for corner, (x, y) in enumerate(picture)]
    return "CornerPin2D {\n" + "\n".join(lines) + f"\n name SplazMatte_CornerPin{index}\n selected true\n}}"


def _transform(tracks: Tracks, motion: Motion, index: int) -> str:
    position, angle, scale = motion.parameters()
    pivot = corner_up(motion.points[0], tracks.height)
    moved = corner_up(position, tracks.height) - pivot
    lines = [
        _knob("translate", motion, moved),
        _knob("rotate", motion, -angle[:, None]),  # counter-clockwise
        _knob("scale", motion, scale[:, None]),
        f" center {{{number(pivot[0])} {number(pivot[1])}}}",
    ]
    return "Transform {\n" + "\n".join(lines) + f"\n name SplazMatte_Transform{index}\n selected true\n}}"
