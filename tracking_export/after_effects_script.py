"""After Effects script (ExtendScript, ECMAScript 3): a null a track under one parent null, and layers for motions.

The parent null holds the source's pixels: its anchor is the picture's centre and lies in the composition's centre, so
that tracks fit footage placed there at 100 %. Its width is scaled where the composition's pixels have another shape
than the source's, as After Effects scales the footage. Where the composition has the footage's rate, keys land on its
frames; otherwise, and where the footage's rate varies, on exact times. 'Not visible' is opacity 0 with hold keys;
position holds across a gap. Confidence is a slider of each null, in percent. A corner pin is the effect on a solid of
the source's size and the composition's pixel aspect, to be replaced by footage of both; a similarity moves a null:
parent a layer to it on the reference frame, where it is at rest. Never run in After Effects by us; tests run it in
Node with objects that behave as the scripting guide says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracking_export.coordinates import corner_down, corner_pin_order
from tracking_export.motion.result import Motion, MotionKind
from tracking_export.text import exact, javascript, number
from tracking_export.tracks import Tracks, visible_spans

_PER_LINE = 100

_HEAD = """\
// Point tracks for After Effects: open the composition with the footage, then run with File > Scripts.
(function () {
    var RATE_NUMERATOR = @NUMERATOR@, RATE_DENOMINATOR = @DENOMINATOR@;
    var WIDTH = @WIDTH@, HEIGHT = @HEIGHT@, PIXEL_ASPECT = @PIXEL_ASPECT@;
    var SOURCE = @SOURCE@;
    var comp = app.project ? app.project.activeItem : null;
    if (!(comp && comp instanceof CompItem)) {
        alert("Open the composition that holds the footage, then run the script again.");
        return;
    }
    var FIRST_FRAME = @FIRST_FRAME@, TIMES = @TIMES@;  // seconds of each frame, where the rate varies
    var sameRate = Math.abs(comp.frameRate - RATE_NUMERATOR / RATE_DENOMINATOR) < 0.005;
    var frameDuration = sameRate ? comp.frameDuration : RATE_DENOMINATOR / RATE_NUMERATOR;
    var HOLD = KeyframeInterpolationType.HOLD, LINEAR = KeyframeInterpolationType.LINEAR;

    function time(frame) {
        var row = frame - FIRST_FRAME, last = TIMES.length - 1;
        if (last < 0) { return frame * frameDuration; }
        if (row < 0) { return Math.max(0, TIMES[0] + row * frameDuration); }
        return row > last ? TIMES[last] + (row - last) * frameDuration : TIMES[row];
    }
    function times(frames) {
        var result = [];
        for (var i = 0; i < frames.length; i++) { result.push(time(frames[i])); }
        return result;
    }
    function animate(property, frames, values, holds, spatial) {
        var i, held = {};
        if (frames.length === 0) { return; }
        property.setValuesAtTimes(times(frames), values);
        for (i = 0; i < holds.length; i++) { held[holds[i]] = true; }
        // Positions have three dimensions even on flat layers, effects' points have two.
        var flat = property.propertyValueType === PropertyValueType.TwoD_SPATIAL ? [0, 0] : [0, 0, 0];
        for (i = 1; i <= property.numKeys; i++) {
            if (spatial) { property.setSpatialTangentsAtKey(i, flat, flat); }
            if (held[i]) { property.setInterpolationTypeAtKey(i, LINEAR, HOLD); }
            else { property.setInterpolationTypeAtKey(i, LINEAR, LINEAR); }
        }
    }
    function stepped(property, frames, values) {
        if (frames.length === 0) { return; }
        property.setValuesAtTimes(times(frames), values);
        for (var i = 1; i <= property.numKeys; i++) { property.setInterpolationTypeAtKey(i, HOLD, HOLD); }
    }
    function addParent() {
        var layer = comp.layers.addNull(comp.duration);
        layer.name = SOURCE;
        layer.property("ADBE Transform Group").property("ADBE Anchor Point").setValue([WIDTH / 2, HEIGHT / 2]);
        layer.property("ADBE Transform Group").property("ADBE Position").setValue([comp.width / 2, comp.height / 2]);
        if (Math.abs(comp.pixelAspect - PIXEL_ASPECT) > 0.001) {
            layer.property("ADBE Transform Group").property("ADBE Scale")
                .setValue([100 * PIXEL_ASPECT / comp.pixelAspect, 100]);
        }
        return layer;
    }
    function adopt(layer, name, group, anchor) {
        layer.name = name;
        layer.comment = group;
        layer.parent = parent;
        layer.property("ADBE Transform Group").property("ADBE Anchor Point").setValue(anchor);
        return layer.property("ADBE Transform Group");
    }
    function addTrack(t) {
        var layer = comp.layers.addNull(comp.duration);
        var transform = adopt(layer, t.name, t.group, [0, 0]);
        animate(transform.property("ADBE Position"), t.frames, t.positions, t.holds, true);
        stepped(transform.property("ADBE Opacity"), t.opacityFrames, t.opacity);
        var slider = layer.property("ADBE Effect Parade").addProperty("ADBE Slider Control");
        slider.name = "Confidence";
        animate(slider.property("ADBE Slider Control-0001"), t.frames, t.confidence, t.holds, false);
    }
    function addTransform(m) {
        var layer = comp.layers.addNull(comp.duration);
        var transform = adopt(layer, m.name, m.group, m.anchor);
        animate(transform.property("ADBE Position"), m.frames, m.positions, [], true);
        animate(transform.property("ADBE Scale"), m.frames, m.scale, [], false);
        animate(transform.property("ADBE Rotate Z"), m.frames, m.rotation, [], false);
    }
    function addCornerPin(m) {
        var layer = comp.layers.addSolid([0.5, 0.5, 0.5], "Corner pin", WIDTH, HEIGHT, comp.pixelAspect, comp.duration);
        var transform = adopt(layer, m.name, m.group, [WIDTH / 2, HEIGHT / 2]);
        transform.property("ADBE Position").setValue([WIDTH / 2, HEIGHT / 2]);
        var pin = layer.property("ADBE Effect Parade").addProperty("ADBE Corner Pin");
        for (var i = 0; i < 4; i++) {
            animate(pin.property("ADBE Corner Pin-000" + (i + 1)), m.frames, m.corners[i], [], true);
        }
    }

    app.beginUndoGroup("Add point tracks");
    try {
        var parent = addParent();
"""
_TAIL = """\
    } finally {
        app.endUndoGroup();
    }
})();
"""


def script(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return the script; it is ASCII, so no encoding can spoil it."""
    head = _HEAD
    for mark, value in (
        ("@NUMERATOR@", str(tracks.rate.numerator)),
        ("@DENOMINATOR@", str(tracks.rate.denominator)),
        ("@WIDTH@", str(tracks.width)),
        ("@HEIGHT@", str(tracks.height)),
        ("@PIXEL_ASPECT@", exact(float(tracks.pixel_aspect))),
        ("@FIRST_FRAME@", str(tracks.first_frame)),
        ("@TIMES@", _array(map(exact, tracks.times))),
        ("@SOURCE@", javascript(f"{tracks.source} tracks".strip())),
    ):
        head = head.replace(mark, value, 1)
    calls = [_track(tracks, point) for point in range(tracks.count)]
    calls += [_motion(motion) for motion in motions]
    return head + "".join(f"        {call}\n" for call in calls) + _TAIL


def _array(values: Iterable[str]) -> str:
    items = list(values)
    lines = [", ".join(items[at : at + _PER_LINE]) for at in range(0, len(items), _PER_LINE)]
    return "[" + ",\n            ".join(lines) + "]"


def _pair(values: Iterable[float]) -> str:
    return "[" + ", ".join(exact(value) for value in values) + "]"


def _call(function: str, fields: dict[str, str]) -> str:
    inner = ",\n            ".join(f"{name}: {value}" for name, value in fields.items())
    return f"{function}({{\n            {inner}\n        }});"


def _track(tracks: Tracks, point: int) -> str:
    spans = tracks.spans(point)
    rows = [row for span in spans for row in span]
    xy = corner_down(tracks.xy[rows, point])
    ends, key = [], 0
    for span in spans:
        key += len(span)
        ends.append(str(key))
    opacity = {-1 if tracks.first_frame else 0: "0"}  # a first key counts for all frames before it
    for span in spans:
        opacity |= {span.start: "100", span.stop: "0"}
    fields = {
        "name": javascript(tracks.names[point] or f"Track {point + 1}"),
        "group": javascript(tracks.groups[point]),
        "frames": _array(str(tracks.first_frame + row) for row in rows),
        "positions": _array(map(_pair, xy)),
        "confidence": _array(number(100 * value, 4) for value in tracks.confidence[rows, point]),
        "holds": _array(ends[:-1]),
        "opacityFrames": _array(str(tracks.first_frame + row) for row in opacity),
        "opacity": _array(opacity.values()),
    }
    return _call("addTrack", fields)


def _motion(motion: Motion) -> str:
    kept = [row for span in visible_spans(motion.solved) for row in span]
    fields = {
        "name": javascript(motion.kind.value.replace("-", " ").capitalize()),
        "group": javascript("stabilise" if motion.stabilises else "match-move"),
        "frames": _array(str(motion.first_frame + row) for row in kept),
    }
    if motion.kind is MotionKind.CORNER_PIN:
        corners = corner_pin_order(corner_down(motion.path()))[kept]
        fields["corners"] = _array(_array(map(_pair, corners[:, index])) for index in range(4))
        return _call("addCornerPin", fields)
    position, angle, scale = motion.parameters()
    fields |= {
        "anchor": _pair(corner_down(motion.points[0])) if motion.kind is MotionKind.SIMILARITY else "[0, 0]",
        "positions": _array(map(_pair, corner_down(position)[kept])),
        "scale": _array(_pair([100 * value, 100 * value]) for value in scale[kept]),
        "rotation": _array(exact(value) for value in angle[kept]),
    }
    return _call("addTransform", fields)
