"""Each format's origin, half pixel, first frame, gaps and rate, read back by readers that know only its description."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from errors import ParameterError
from tests.track_material import CORNERS, FIRST, HEIGHT, HOSTILE, NAMES, WIDTH, hostile, moving_plane, positions, sample
from tests.track_readers import (
    Named,
    ae_blocks,
    ae_values,
    equalizer,
    fusion_path,
    fusion_tools,
    nuke_curve,
    nuke_nodes,
    pftrack,
    shake,
    syntheyes,
)
from tracking_export import TRACK_FORMATS, export, track_format
from tracking_export.motion.chain import corner_pin
from tracking_export.tracks import Tracks

ToOurs = Callable[[float, float], tuple[float, float]]


def written(name: str, tracks: Tracks, *motions: object) -> str:
    (contents,) = export(name, tracks, motions).values()  # type: ignore[arg-type]
    return contents.decode("utf-8")


def check(read: Named, tracks: Tracks, to_ours: ToOurs, first: int, tolerance: float = 0) -> None:
    """Compare positions, frames and the number of keys; `first` is what the format adds to our frame numbers."""
    assert len(read) == tracks.count
    for point, (_, rows) in enumerate(read):
        expected = positions(tracks, point)
        assert {frame - first for frame in rows} == set(expected)
        for frame, xy in rows.items():
            assert to_ours(*xy) == pytest.approx(expected[frame - first], abs=tolerance, rel=0)


def from_corner_up(x: float, y: float) -> tuple[float, float]:
    return x - 0.5, HEIGHT - y - 0.5


def nuke_rows(node: dict[str, Any]) -> list[Any]:
    header, columns, rows = node["tracks"]
    assert header == ["1", "31", str(len(rows))]
    assert len(columns) == 31
    assert all(len(row) == 31 for row in rows)
    return rows


def test_the_table_names_what_is_there() -> None:
    assert len(TRACK_FORMATS) == 12
    assert len({row.file_name for row in TRACK_FORMATS.values()}) == 12
    assert track_format("ae-keyframes").file_name == "ae_export_*.txt"
    with pytest.raises(ParameterError, match="no such track format: mocha; there are ae-keyframes"):
        track_format("mocha")


def test_corners_of_the_picture() -> None:
    """The table of half pixels, as literal numbers: the centres of the four outermost pixels of 1279 x 719."""
    tracks = sample().select(range(4)).cut(FIRST + 2, FIRST + 3)
    corners = np.array([[[0, 0], [WIDTH - 1, 0], [0, HEIGHT - 1], [WIDTH - 1, HEIGHT - 1]]], np.float64)
    tracks = tracks.with_points(xy=corners)
    up = [(0.5, 718.5), (1278.5, 718.5), (0.5, 0.5), (1278.5, 0.5)]
    assert [next(iter(rows.values())) for _, rows in shake(written("shake", tracks))] == up
    assert [next(iter(rows.values())) for _, rows in equalizer(written("3dequalizer", tracks))] == up
    rows = nuke_rows(nuke_nodes(written("nuke", tracks))[0][1])
    assert [(nuke_curve(row[2])[15], nuke_curve(row[3])[15]) for row in rows] == up
    centre = [(0, 718), (1278, 718), (0, 0), (1278, 0)]
    assert [next(iter(rows.values())) for _, rows in pftrack(written("pftrack", tracks))] == centre
    signed = [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    assert [next(iter(rows.values())) for _, rows in syntheyes(written("syntheyes", tracks))[0]] == signed
    down = [(0.5, 0.5), (1278.5, 0.5), (0.5, 718.5), (1278.5, 718.5)]
    texts = export("ae-keyframes", tracks).values()
    found = [ae_values(ae_blocks(text.decode())[1]["Transform\tPosition"])[14][:2] for text in texts]
    assert found == down


def test_after_effects_keyframes() -> None:
    tracks = sample()
    files = export("ae-keyframes", tracks)
    assert list(files) == [f"ae_export_{number:03d}.txt" for number in range(1, 6)]
    read: Named = []
    for text in files.values():
        header, blocks = ae_blocks(text.decode("ascii"))
        assert header == {
            "Units Per Second": "23.976", "Source Width": "1279", "Source Height": "719",
            "Source Pixel Aspect Ratio": "1", "Comp Pixel Aspect Ratio": "1",
        }  # fmt: skip
        values = ae_values(blocks["Transform\tPosition"])
        assert all(value[2] == 0 for value in values.values())
        read.append(("", {frame: (value[0], value[1]) for frame, value in values.items()}))
    check(read, tracks, lambda x, y: (x - 0.5, y - 0.5), first=0)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction(24000, 1001), "23.976"), (Fraction(30000, 1001), "29.97"), (Fraction(60000, 1001), "59.94"),
        (Fraction(25), "25"), (Fraction(25, 2), "12.5"), (Fraction(1000, 33), "30.30303"),
    ],
)  # fmt: skip
def test_after_effects_rates(rate: Fraction, text: str) -> None:
    first = next(iter(export("ae-keyframes", sample(rate)).values()))
    assert ae_blocks(first.decode())[0]["Units Per Second"] == text


def test_nuke_tracker() -> None:
    tracks = sample()
    ((kind, node),) = nuke_nodes(written("nuke", tracks))
    assert kind == "Tracker4"
    rows = nuke_rows(node)
    assert [row[1] for row in rows] == list(NAMES)
    assert [row[6:9] for row in rows] == [["1", "1", "1"]] * 5
    read: Named = []
    for row in rows:
        x, y = nuke_curve(row[2]), nuke_curve(row[3])
        read.append((row[1], {frame: (x[frame], y[frame]) for frame in x}))
    check(read, tracks, from_corner_up, first=1)
    for point, row in enumerate(rows):
        enable, state = nuke_curve(row[0]), 0.0
        for frame in tracks.frames:  # hold keys
            state = enable.get(frame + 1, state)
            assert bool(state) == tracks.visible[frame - FIRST, point]
        assert enable[FIRST] == 0
        assert nuke_curve(row[0])[max(enable)] == 0


def test_fusion() -> None:
    tracks = sample()
    tools = fusion_tools(written("fusion", tracks))
    tracker = tools["SplazMatteTracker"]
    assert len(tracker["Trackers"]) == 5
    assert [tracker["Inputs"][f"Name{index}"]["Value"] for index in range(1, 6)] == list(NAMES)
    paths = [tracker["Inputs"][f"TrackedCenter{index}"]["SourceOp"] for index in range(1, 6)]
    read = [(name, fusion_path(tools, name)) for name in paths]
    check(read, tracks, lambda x, y: (x * WIDTH - 0.5, (1 - y) * HEIGHT - 0.5), first=0, tolerance=1e-8)


def test_shake_equalizer_pftrack() -> None:
    tracks = sample()
    read = shake(written("shake", tracks))
    assert [name for name, _ in read] == ["top_left", *NAMES[1:3], "Bottom_right", "outside"]
    check(read, tracks, from_corner_up, first=1)
    assert "   14.00   0.625   718.250   0.500\n" in written("shake", tracks)
    read = equalizer(written("3dequalizer", tracks))
    assert [name for name, _ in read] == list(NAMES)
    check(read, tracks, from_corner_up, first=1)
    read = pftrack(written("pftrack", tracks))
    assert [name for name, _ in read] == list(NAMES)
    check(read, tracks, lambda x, y: (x, HEIGHT - 1 - y), first=0)


def test_syntheyes() -> None:
    tracks = sample()
    read, codes = syntheyes(written("syntheyes", tracks))
    check(read, tracks, lambda u, v: ((u + 1) * (WIDTH - 1) / 2, (v + 1) * (HEIGHT - 1) / 2), 0, tolerance=1e-6)
    assert {frame: code for (name, frame), code in codes.items() if name == "outside"} == {
        13: 15, 15: 15, 16: 7, 19: 15,
    }  # fmt: skip
    assert codes["top_right", 17] == 15
    assert codes["top_left", 12] == 15


def test_csv_and_json_are_exact() -> None:
    rng = np.random.default_rng(3)
    tracks = sample()
    xy = tracks.xy + rng.normal(size=tracks.xy.shape) / 3
    tracks = tracks.with_points(xy=xy, confidence=rng.random(tracks.visible.shape).astype(np.float32))
    rows = list(csv.DictReader(io.StringIO(written("csv", tracks))))
    assert len(rows) == 40
    document = json.loads(written("json", tracks))
    assert Fraction(document["rate"]["numerator"], document["rate"]["denominator"]) == Fraction(24000, 1001)
    assert (document["width"], document["height"], document["first_frame"]) == (WIDTH, HEIGHT, FIRST)
    for row in rows:
        point, at = int(row["track"]) - 1, int(row["frame"]) - FIRST
        shown = document["tracks"][point]
        assert row["name"] == shown["name"] == tracks.names[point]
        assert bool(int(row["visible"])) == shown["visible"][at] == tracks.visible[at, point]
        assert np.float32(shown["confidence"][at]) == tracks.confidence[at, point]
        if np.isfinite(xy[at, point, 0]):
            assert (float(row["x"]), float(row["y"])) == tuple(shown["xy"][at]) == tuple(xy[at, point])
        else:
            assert (row["x"], row["y"], shown["xy"][at]) == ("", "", [None, None])
    assert rows[1]["time"] == "0.542208333"  # 13 x 1001 / 24000
    assert document["tracks"][4]["colour"] == [51, 102, 153]


@pytest.mark.parametrize(("aspect", "text"), [(Fraction(2), "2"), (Fraction(8, 9), "0.888889")])
def test_pixel_aspect(aspect: Fraction, text: str) -> None:
    """Pixels of another shape are said wherever the format has a place for it; positions stay in pixels."""
    tracks = replace(sample(), pixel_aspect=aspect)
    first = next(iter(export("ae-keyframes", tracks).values())).decode()
    header = ae_blocks(first)[0]
    assert (header["Source Pixel Aspect Ratio"], header["Comp Pixel Aspect Ratio"]) == (text, text)
    square = next(iter(export("ae-keyframes", sample()).values())).decode()
    assert ae_blocks(first)[1] == ae_blocks(square)[1]
    said = json.loads(written("json", tracks))["pixel_aspect"]
    assert Fraction(said["numerator"], said["denominator"]) == aspect
    (contents,) = export("tapvid", tracks).values()
    arrays = np.load(io.BytesIO(contents), allow_pickle=False)
    assert Fraction(*arrays["pixel_aspect"].tolist()) == aspect
    with pytest.raises(ParameterError, match="the pixels' aspect ratio must be above 0, not 0"):
        replace(sample(), pixel_aspect=Fraction(0))


def test_tapvid() -> None:
    tracks = sample()
    (contents,) = export("tapvid", tracks).values()
    assert contents == next(iter(export("tapvid", sample()).values()))
    arrays = np.load(io.BytesIO(contents), allow_pickle=False)
    assert (arrays["points"].shape, arrays["points"].dtype) == ((5, 8, 2), np.float32)
    assert (arrays["occluded"] == ~tracks.visible.T).all()
    assert np.isfinite(arrays["points"]).all()
    pixels = arrays["points"].astype(np.float64) * [WIDTH, HEIGHT] - 0.5
    np.testing.assert_allclose(pixels[~arrays["occluded"]], tracks.xy.swapaxes(0, 1)[tracks.visible.T], atol=1e-4)
    assert arrays["query_points"][2].tolist() == pytest.approx([2, 718.25, 1], abs=1e-4)
    assert arrays["rate"].tolist() == [24000, 1001]
    assert arrays["names"].tolist() == list(NAMES)


def test_what_does_not_fit_is_refused() -> None:
    tracks = moving_plane()
    pin = corner_pin(tracks, CORNERS)
    with pytest.raises(ParameterError, match="shake cannot carry a corner-pin; these can: ae-keyframes, ae-script"):
        export("shake", tracks, (pin,))
    with pytest.raises(ParameterError, match="not of the same frames"):
        export("json", tracks.cut(FIRST, FIRST + 3), (pin,))
    unseen = tracks.with_points(visible=np.zeros_like(tracks.visible))
    with pytest.raises(ParameterError, match="no track is ever visible"):
        export("ae-keyframes", unseen)
    for name in TRACK_FORMATS:
        if name != "ae-keyframes":
            assert export(name, unseen)


def test_no_name_breaks_out() -> None:
    """The same structure and numbers come back, whatever the names; languages with escapes keep the name."""
    tracks = hostile()
    whole = [name.encode("utf-8", "replace").decode() for name in HOSTILE]
    texts = {name: written(name, tracks) for name in TRACK_FORMATS if name not in {"ae-keyframes", "tapvid"}}
    read = shake(texts["shake"]), equalizer(texts["3dequalizer"]), pftrack(texts["pftrack"])
    for named in (*read, syntheyes(texts["syntheyes"])[0]):
        assert len({name.casefold() for name, _ in named}) == len(HOSTILE)
        assert all(len(rows) == 2 for _, rows in named)
    (node,) = nuke_nodes(texts["nuke"])
    rows = nuke_rows(node[1])
    assert len({row[1] for row in rows}) == len(HOSTILE)
    assert rows[5][1] == "Ünï 点 🎯"
    assert not any(set(row[1]) & set('"{}[]$\\;`') for row in rows)
    inputs = fusion_tools(texts["fusion"])["SplazMatteTracker"]["Inputs"]
    shown = [inputs[f"Name{index + 1}"]["Value"] for index in range(len(HOSTILE))]
    assert shown == [name or "Track 7" for name in whole]
    assert inputs["Comments"]["Value"] == HOSTILE[0]
    table = list(csv.DictReader(io.StringIO(texts["csv"], newline="")))
    assert len(table) == 2 * len(HOSTILE)
    assert table[20]["name"] == '\'=HYPERLINK("http://x")'
    assert [track["name"] for track in json.loads(texts["json"])["tracks"]] == list(HOSTILE)
    for text in export("ae-keyframes", tracks).values():
        assert ae_blocks(text.decode("ascii"))[1]
    arrays = np.load(io.BytesIO(export("tapvid", tracks)["tracks_tapvid.npz"]), allow_pickle=False)
    assert len(arrays["names"]) == len(HOSTILE)
