"""Fusion .setting (Fusion and Resolve): a Tracker with every track on XYPaths, CornerPositioner or Transform.

Positions are 0..1 of the picture, y up; frames are those of the source, from 0. Splines carry no 'not visible', so a
gap is drawn across in a straight line. A name is the tracker's name and a comment; identifiers are made of its ASCII
letters. Never loaded into Fusion by us; `Name<n>` of a tracker and the Transform's turning sense (counter-clockwise)
are from other exporters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracking_export.coordinates import Points, corner_pin_order, unit_up
from tracking_export.motion.result import Motion, MotionKind
from tracking_export.text import exact, identifier, lua, number, unique
from tracking_export.tracks import Tracks

_CORNERS = ("TopLeft", "TopRight", "BottomLeft", "BottomRight")
_PLACES = 12
"""Digits after the point: a millionth of a pixel even in a picture 100,000 pixels wide."""


def setting(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the setting, to be dropped into the flow or opened as a comp's part."""
    names = [f"Path_{name}" for name in unique(tracks.names, identifier)]
    tools = [_tracker(tracks, names)]
    for point, name in enumerate(names):
        rows = np.flatnonzero(tracks.visible[:, point])
        xy = unit_up(tracks.xy[rows, point], tracks.width, tracks.height)
        tools.append(_path(name, rows + tracks.first_frame, xy))
    for index, motion in enumerate(motions, 1):
        tools.append(
            _corner_pin(tracks, motion, index)
            if motion.kind is MotionKind.CORNER_PIN
            else _transform(tracks, motion, index)
        )
    return "{\n\tTools = ordered() {\n" + "\n".join(tools) + '\n\t},\n\tActiveTool = "SplazMatteTracker"\n}\n'


def _tool(name: str, kind: str, inputs: Sequence[str], before: str = "") -> str:
    body = "".join(f"\t\t\t\t{line},\n" for line in inputs)
    return f"\t\t{name} = {kind} {{\n{before}\t\t\tInputs = {{\n{body}\t\t\t}},\n\t\t}},"


def _linked(name: str, source: str) -> str:
    return f'{name} = Input {{ SourceOp = "{source}", Source = "Value", }}'


def _value(name: str, value: str) -> str:
    return f"{name} = Input {{ Value = {value}, }}"


def _tracker(tracks: Tracks, names: list[str]) -> str:
    inputs, patterns = [], []
    for index, (path, shown) in enumerate(zip(names, tracks.names, strict=True), 1):
        rows = np.flatnonzero(tracks.visible[:, index - 1])
        start = rows[:1] if len(rows) else np.zeros(1, np.int64)
        at = np.nan_to_num(tracks.xy[start, index - 1])
        x, y = unit_up(at, tracks.width, tracks.height)[0]
        pattern = f"PatternTime = {tracks.first_frame + int(start[0])}, PatternX = {_unit(x)}, PatternY = {_unit(y)}"
        patterns.append(f"\t\t\t\t{{ {pattern}, }},\n")
        inputs.append(_value(f"Name{index}", lua(shown or f"Track {index}")))
        inputs.append(_value(f"PatternCenter{index}", f"{{ {_unit(x)}, {_unit(y)}, }}"))
        if len(rows):
            inputs.append(_linked(f"TrackedCenter{index}", path))
    inputs.append(_value("Comments", lua(tracks.source)))
    return _tool("SplazMatteTracker", "Tracker", inputs, "\t\t\tTrackers = {\n" + "".join(patterns) + "\t\t\t},\n")


def _unit(value: float) -> str:
    return number(value, _PLACES)


def _path(name: str, frames: NDArray[np.int64], xy: Points) -> str:
    parts = [_tool(name, "XYPath", [_linked("X", f"{name}X"), _linked("Y", f"{name}Y")])]
    parts += [_spline(f"{name}{axis}", frames, xy[:, column]) for column, axis in enumerate("XY")]
    return "\n".join(parts)


def _spline(name: str, frames: NDArray[np.int64], values: NDArray[np.float64]) -> str:
    keys = "".join(
        f"\t\t\t\t[{frame}] = {{ {_unit(value)}, Flags = {{ Linear = true, }}, }},\n"
        for frame, value in zip(frames.tolist(), values.tolist(), strict=True)
    )
    return f"\t\t{name} = BezierSpline {{\n\t\t\tKeyFrames = {{\n{keys}\t\t\t}},\n\t\t}},"


def _corner_pin(tracks: Tracks, motion: Motion, index: int) -> str:
    rows = np.flatnonzero(motion.used)
    corners = unit_up(corner_pin_order(motion.path())[rows], tracks.width, tracks.height)
    name = f"SplazMattePin{index}"
    parts = [_tool(name, "CornerPositioner", [_linked(corner, f"{name}{corner}") for corner in _CORNERS])]
    frames = rows + motion.first_frame
    parts += [_path(f"{name}{corner}", frames, corners[:, at]) for at, corner in enumerate(_CORNERS)]
    return "\n".join(parts)


def _transform(tracks: Tracks, motion: Motion, index: int) -> str:
    rows = np.flatnonzero(motion.used)
    frames = rows + motion.first_frame
    position, angle, scale = motion.parameters()
    pivot = unit_up(motion.points[0], tracks.width, tracks.height)
    name = f"SplazMatteTransform{index}"
    inputs = [
        _linked("Center", f"{name}Center"),
        _value("Pivot", f"{{ {exact(pivot[0])}, {exact(pivot[1])}, }}"),
        _linked("Size", f"{name}Size"),
        _linked("Angle", f"{name}Angle"),
    ]
    parts = [
        _tool(name, "Transform", inputs),
        _path(f"{name}Center", frames, unit_up(position[rows], tracks.width, tracks.height)),
        _spline(f"{name}Size", frames, scale[rows]),
        _spline(f"{name}Angle", frames, -angle[rows]),
    ]
    return "\n".join(parts)
