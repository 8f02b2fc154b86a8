"""Corner pins, similarities and steady tracks in the formats that carry them, against a motion that is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.test_track_formats import from_corner_up, written
from tests.track_material import CORNERS, FIRST, HEIGHT, WIDTH, moving_plane, truth
from tests.track_readers import ae_blocks, ae_values, fusion_path, fusion_tools, nuke_curve, nuke_nodes, shake
from tracking_export import export
from tracking_export.motion.chain import corner_pin, similarity
from tracking_export.motion.result import apply
from tracking_export.motion.stabilise import stabilise
from tracking_export.motion.steady import steady_track


def test_after_effects_motions() -> None:
    tracks = moving_plane()
    pin, turn, steady = corner_pin(tracks, CORNERS), similarity(tracks), steady_track(tracks)
    files = export("ae-keyframes", tracks, (pin, turn, steady, stabilise(pin, WIDTH, HEIGHT), pin))
    names = [name for name in files if not name[10].isdigit()]
    kinds = ("corner_pin", "similarity", "steady", "corner_pin_stabilise", "corner_pin_2")
    assert names == [f"ae_export_{kind}.txt" for kind in kinds]
    blocks = ae_blocks(files["ae_export_corner_pin.txt"].decode())[1]
    assert list(blocks) == [f"Effects\tADBE Corner Pin #1\tADBE Corner Pin-000{number}" for number in (1, 2, 3, 4)]
    expected = apply(truth(), CORNERS)[:, [0, 1, 3, 2]] + 0.5  # upper left, upper right, lower left, lower right
    for corner, rows in enumerate(blocks.values()):
        values = ae_values(rows)
        assert list(values) == [12, 13, 14, 16, 17]  # not the frame that no point shows
        for frame, xy in values.items():
            assert xy == pytest.approx(expected[frame - FIRST, corner], abs=1e-6)
    blocks = ae_blocks(files["ae_export_similarity.txt"].decode())[1]
    assert blocks["Transform\tAnchor Point"][1] == ["", "600.5", "360.5", "0"]
    scale, angle = ae_values(blocks["Transform\tScale"]), ae_values(blocks["Transform\tRotation"])
    assert scale[17] == pytest.approx((100 * 1.02**5, 100 * 1.02**5, 100), abs=1e-6)
    assert angle[17] == pytest.approx((np.degrees(0.15),), abs=1e-6)  # clockwise is positive
    at = ae_values(blocks["Transform\tPosition"])[17][:2]
    assert at == pytest.approx(apply(truth(), np.array([[600, 360.0]]))[5, 0] + 0.5, abs=1e-6)


def test_nuke_motions() -> None:
    tracks = moving_plane()
    pin, turn = corner_pin(tracks, CORNERS), similarity(tracks)
    nodes = nuke_nodes(written("nuke", tracks, pin, turn))
    assert [kind for kind, _ in nodes] == ["Tracker4", "CornerPin2D", "Transform"]
    expected = apply(truth(), CORNERS)[:, [3, 2, 1, 0]]  # bottom left, bottom right, top right, top left
    picture = [["0", "0"], ["1279", "0"], ["1279", "719"], ["0", "719"]]
    for corner in range(4):
        x, y = (nuke_curve(curve) for curve in nodes[1][1][f"to{corner + 1}"])
        assert list(x) == list(y) == [13, 14, 15, 17, 18]
        for frame in x:
            ours = from_corner_up(x[frame], y[frame])
            assert ours == pytest.approx(expected[frame - 1 - FIRST, corner], abs=2e-6)
        assert nodes[1][1][f"from{corner + 1}"] == picture[corner]
    knobs = nodes[2][1]
    assert nuke_curve(knobs["rotate"][0])[18] == pytest.approx(-np.degrees(0.15), abs=1e-6)
    assert nuke_curve(knobs["scale"][0])[18] == pytest.approx(1.02**5, abs=1e-6)
    assert knobs["center"] == ["600.5", "358.5"]
    moved = apply(truth(), np.array([[600, 360.0]]))[5, 0] - [600, 360]
    assert nuke_curve(knobs["translate"][0])[18] == pytest.approx(moved[0], abs=1e-5)
    assert nuke_curve(knobs["translate"][1])[18] == pytest.approx(-moved[1], abs=1e-5)


def test_fusion_motions() -> None:
    tracks = moving_plane()
    tools = fusion_tools(written("fusion", tracks, corner_pin(tracks, CORNERS), similarity(tracks)))
    assert tools["SplazMattePin1"][""] == "CornerPositioner"
    expected = apply(truth(), CORNERS)
    for corner, name in enumerate(("TopLeft", "TopRight", "BottomRight", "BottomLeft")):
        path = fusion_path(tools, tools["SplazMattePin1"]["Inputs"][name]["SourceOp"])
        assert list(path) == [12, 13, 14, 16, 17]
        for frame, (x, y) in path.items():
            ours = (x * WIDTH - 0.5, (1 - y) * HEIGHT - 0.5)
            assert ours == pytest.approx(expected[frame - FIRST, corner], abs=1e-6)
    inputs = tools["SplazMatteTransform2"]["Inputs"]
    angle = tools[inputs["Angle"]["SourceOp"]]["KeyFrames"][17,][1]
    assert angle == pytest.approx(-np.degrees(0.15), abs=1e-9)
    assert tools[inputs["Size"]["SourceOp"]]["KeyFrames"][17,][1] == pytest.approx(1.02**5, abs=1e-9)


def test_json_motions() -> None:
    tracks = moving_plane()
    document = json.loads(written("json", tracks, corner_pin(tracks, CORNERS), similarity(tracks)))
    pin, turn = document["motions"]
    assert pin["path"][5] == pytest.approx(apply(truth(), CORNERS)[5], abs=1e-6)
    assert pin["path"][3] == [[None, None]] * 4
    assert (pin["residual"][3], pin["confidence"][3], pin["points_used"]) == (None, 0, [4, 4, 4, 0, 4, 4])
    assert turn["rotation_clockwise"][5] == pytest.approx(np.degrees(0.15))


def test_steady_becomes_a_track_where_it_has_no_place_of_its_own() -> None:
    tracks = moving_plane()
    read = shake(written("shake", tracks, steady_track(tracks)))
    assert len(read) == 17
    assert read[-1][0] == "Steady"
    assert list(read[-1][1]) == [13, 14, 15, 17, 18]
