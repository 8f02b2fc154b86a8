"""Scripts that other programs run: After Effects' in Node with stand-ins, Blender's with a stand-in and for real."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from tests.track_material import (
    CORNERS,
    FIRST,
    HEIGHT,
    HOSTILE,
    NAMES,
    WIDTH,
    hostile,
    moving_plane,
    positions,
    sample,
    truth,
)
from tracking_export import export
from tracking_export.motion.chain import corner_pin, similarity
from tracking_export.motion.result import apply
from tracking_export.tracks import Tracks

STUB = Path(__file__).with_name("after_effects_stub.js")
node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run After Effects' script")


def after_effects(tmp_path: Path, tracks: Tracks, *motions: Any, rate: float = 25, size: tuple[int, int] = (1279, 719),
                  aspect: float = 1, state: str = "open") -> dict[str, Any]:  # fmt: skip
    """Run the script with stand-ins and return what it made."""
    path = tmp_path / "tracks.jsx"
    path.write_bytes(export("ae-script", tracks, motions)["ae_tracks.jsx"])
    command = ["node", str(STUB), str(path), repr(rate), str(size[0]), str(size[1]), repr(aspect), state]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["leaked"] == []
    return result


def keys(layer: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    for name in names:
        layer = layer[name]
    found: list[dict[str, Any]] = layer["keys"]
    return found


def transform(layer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return keys(layer, "ADBE Transform Group", f"ADBE {name}")


@node
@pytest.mark.parametrize("rate", [24000 / 1001, 23.9759979248047, 30])
def test_nulls_of_after_effects(tmp_path: Path, rate: float) -> None:
    """Frames land on the composition's own where it has the footage's rate, on exact times where it has not."""
    tracks = sample()
    made = after_effects(tmp_path, tracks, rate=rate, size=(1920, 1080))
    assert made["undo"] == ["Add point tracks", "end"]
    parent, *layers = made["layers"]
    assert (parent["name"], parent["kind"]) == ("shot 010.mov tracks", "null")
    assert parent["ADBE Transform Group"]["ADBE Anchor Point"]["value"] == [WIDTH / 2, HEIGHT / 2]
    assert parent["ADBE Transform Group"]["ADBE Position"]["value"] == [960, 540]
    assert [layer["name"] for layer in layers] == list(NAMES)
    assert [layer["comment"] for layer in layers] == list(tracks.groups)
    second = 24000 / 1001 if rate == 30 else rate
    for point, layer in enumerate(layers):
        assert layer["parent"] == 0
        placed = transform(layer, "Position")
        expected = positions(tracks, point)
        assert [key["time"] for key in placed] == pytest.approx([frame / second for frame in expected], abs=1e-12)
        assert [key["value"] for key in placed] == [[x + 0.5, y + 0.5] for x, y in expected.values()]
        assert all(key["tangents"] == [0, 0, 0] for key in placed)
        frames = list(expected)
        gaps = [after - before > 1 for before, after in pairwise(frames)]
        assert [key["out"] == "hold" for key in placed] == [*gaps, False]


@node
def test_a_varying_rate_of_after_effects(tmp_path: Path) -> None:
    """Keys lie when their frames are shown, also where the composition has the mean rate."""
    times = tuple(0.4 + 0.02 * row + 0.01 * (row > 3) for row in range(sample().length))
    tracks = replace(sample(), times=times, rate=Fraction(25))
    made = after_effects(tmp_path, tracks, rate=25)
    for point, layer in enumerate(made["layers"][1:]):
        placed = [key["time"] for key in transform(layer, "Position")]
        assert placed == [times[row] for row in np.flatnonzero(tracks.visible[:, point])]
    hidden, shown, *_, ended = [key["time"] for key in transform(made["layers"][1], "Opacity")]
    assert hidden < shown == times[0] and ended > times[-1]


@node
@pytest.mark.parametrize(("aspect", "scale"), [(1, [200, 100]), (2, None), (0.5, [400, 100])])
def test_anamorphic_pixels_of_after_effects(tmp_path: Path, aspect: float, scale: list[float] | None) -> None:
    """The parent holds the source's pixels in compositions of square pixels, of the source's own and of others."""
    tracks = replace(moving_plane(), pixel_aspect=Fraction(2))
    made = after_effects(tmp_path, tracks, corner_pin(tracks, CORNERS), aspect=aspect)
    assert made["layers"][0]["ADBE Transform Group"]["ADBE Scale"]["value"] == scale
    assert made["layers"][-1]["kind"] == "solid 1279x719"


@node
def test_gaps_and_confidence_of_after_effects(tmp_path: Path) -> None:
    tracks = sample()
    made = after_effects(tmp_path, tracks, rate=24000 / 1001)
    for point, layer in enumerate(made["layers"][1:]):
        opacity = transform(layer, "Opacity")
        assert all(key["out"] == "hold" for key in opacity)
        for row in range(-1, tracks.length + 1):
            now = (FIRST + row) * 1001 / 24000 + 1e-6
            state = [key["value"] for key in opacity if key["time"] <= now][-1]
            seen = 0 <= row < tracks.length and tracks.visible[row, point]
            assert state == (100 if seen else 0)
        sure = keys(layer, "ADBE Effect Parade", "ADBE Slider Control", "ADBE Slider Control-0001")
        rows = np.flatnonzero(tracks.visible[:, point])
        assert [key["value"] for key in sure] == [50 if row == 1 else 75 for row in rows]


@node
def test_motions_of_after_effects(tmp_path: Path) -> None:
    tracks = moving_plane()
    made = after_effects(tmp_path, tracks, corner_pin(tracks, CORNERS), similarity(tracks))
    pin, turn = made["layers"][-2:]
    assert pin["kind"] == "solid 1279x719"
    expected = apply(truth(), CORNERS)[:, [0, 1, 3, 2]] + 0.5
    for corner in range(4):
        found = keys(pin, "ADBE Effect Parade", "ADBE Corner Pin", f"ADBE Corner Pin-000{corner + 1}")
        assert [round(key["time"] * 25) for key in found] == [12, 13, 14, 16, 17]
        assert all(key["tangents"] == [0, 0] for key in found)
        np.testing.assert_allclose([key["value"] for key in found], expected[[0, 1, 2, 4, 5], corner], atol=1e-6)
    assert transform(turn, "Rotate Z")[-1]["value"] == pytest.approx(np.degrees(0.15))
    assert transform(turn, "Scale")[-1]["value"] == pytest.approx([100 * 1.02**5] * 2)
    assert turn["ADBE Transform Group"]["ADBE Anchor Point"]["value"] == pytest.approx([600.5, 360.5])


@node
def test_after_effects_without_a_composition(tmp_path: Path) -> None:
    made = after_effects(tmp_path, sample(), state="closed")
    assert made["layers"] == made["undo"] == []
    assert made["alerts"] == ["Open the composition that holds the footage, then run the script again."]


@node
def test_names_stay_names_in_after_effects(tmp_path: Path) -> None:
    made = after_effects(tmp_path, hostile())
    names = [layer["name"] for layer in made["layers"][1:]]
    assert names == [name or "Track 7" for name in HOSTILE]
    assert [layer["comment"] for layer in made["layers"][1:]] == list(reversed(HOSTILE))


def test_script_of_after_effects_is_old_enough() -> None:
    """ExtendScript is ECMAScript 3 with a preprocessor: no newer syntax, nothing that it takes as a command."""
    text = export("ae-script", hostile())["ae_tracks.jsx"].decode("ascii")
    code = re.sub(r'"[^"]*"|//.*', "", text)
    assert not re.search(r"\b(let|const|class|JSON|forEach|map)\b|=>|`|,\s*[\]})]|\?\.", code)
    assert not re.search(r"^\s*(#|//\s*@)", text, re.MULTILINE)
    assert "hacked" in text
    assert "globalThis.hacked = 1" not in text


class Markers(list[Any]):
    def insert_frame(self, frame: int, co: tuple[float, float]) -> Any:
        for marker in self:
            if marker.frame == frame:
                self.remove(marker)
        self.append(SimpleNamespace(frame=frame, co=co, mute=False))
        return self[-1]


class BlenderTracks(list[Any]):
    def new(self, name: str, frame: int) -> Any:
        name.encode("utf-8")
        assert "\0" not in name
        self.append(SimpleNamespace(name=name, markers=Markers([SimpleNamespace(frame=frame, co=(0, 0), mute=False)])))
        return self[-1]


def fake_blender(monkeypatch: pytest.MonkeyPatch, *clips: str) -> list[Any]:
    made = [
        SimpleNamespace(
            name=name,
            filepath=f"//{name}",
            tracking=SimpleNamespace(tracks=BlenderTracks(), camera=SimpleNamespace(pixel_aspect=1.5)),
        )
        for name in clips
    ]
    bpy: Any = ModuleType("bpy")
    bpy.data = SimpleNamespace(movieclips=made)
    bpy.context = SimpleNamespace(screen=None)
    bpy.path = SimpleNamespace(basename=lambda path: path.rpartition("/")[2])
    monkeypatch.setitem(sys.modules, "bpy", bpy)
    return made


def run_script(tracks: Tracks) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(export("blender", tracks)["blender_tracks.py"].decode("ascii"), "script", "exec"), names)
    return names


def check_markers(tracks: Tracks, found: list[list[tuple[int, float, float, bool]]], tolerance: float) -> None:
    for point, markers in enumerate(found):
        seen = {frame: (x * WIDTH - 0.5, (1 - y) * HEIGHT - 0.5) for frame, x, y, mute in markers if not mute}
        expected = positions(tracks, point)
        assert list(seen) == [frame + 1 for frame in expected]
        for frame, xy in expected.items():
            assert seen[frame + 1] == pytest.approx(xy, abs=tolerance, rel=0)
        muted = {frame for frame, _, _, mute in markers if mute}
        edges = [frame + 1 for frame in expected if frame + 1 not in expected]
        assert muted == {next(iter(expected)), *(frame + 1 for frame in edges)}


def test_tracks_of_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    other, clip = fake_blender(monkeypatch, "other.mov", "shot 010.mov")
    tracks = sample()
    run_script(tracks)
    assert other.tracking.tracks == []
    assert [track.name for track in clip.tracking.tracks] == list(NAMES)
    assert clip.tracking.tracks[4].color == (0.2, 0.4, 0.6)
    found = [[(m.frame, *m.co, m.mute) for m in sorted(track.markers, key=lambda m: m.frame)]
             for track in clip.tracking.tracks]  # fmt: skip
    check_markers(tracks, found, 1e-9)


def test_pixel_aspect_of_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of square pixels nothing is said: what the user has set stays."""
    (clip,) = fake_blender(monkeypatch, "clip")
    run_script(sample())
    assert clip.tracking.camera.pixel_aspect == 1.5
    run_script(replace(sample(), pixel_aspect=Fraction(8, 9)))
    assert clip.tracking.camera.pixel_aspect == 8 / 9


def test_names_stay_names_in_blender(monkeypatch: pytest.MonkeyPatch) -> None:
    (clip,) = fake_blender(monkeypatch, "clip")
    assert "hacked" not in run_script(hostile())
    shown = [track.name for track in clip.tracking.tracks]
    assert shown == [name.encode("utf-8", "replace").decode().replace("\0", "") or "Track 7" for name in HOSTILE]


def test_blender_without_a_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_blender(monkeypatch)
    with pytest.raises(RuntimeError, match="Open the tracked clip in a Movie Clip Editor"):
        run_script(sample())


REAL = """
import bpy, json, sys
clip = bpy.data.movieclips.load(sys.argv[-3])
exec(compile(open(sys.argv[-2]).read(), "script", "exec"), {"__name__": "script"})
tracks = [
    {"name": t.name, "markers": [(m.frame, m.co[0], m.co[1], m.mute) for m in t.markers], "color": list(t.color)}
    for t in clip.tracking.tracks
]
json.dump({"size": list(clip.size), "tracks": tracks}, open(sys.argv[-1], "w"))
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("blender") is None, reason="needs Blender: apt-get install blender")
@pytest.mark.parametrize("tracks", [sample(Fraction(24)), hostile()], ids=["sample", "hostile"])
def test_in_blender(tmp_path: Path, tracks: Tracks) -> None:
    """Blender itself runs the script and hands the markers back."""
    clip = tmp_path / "shot 010.mov"
    with av.open(clip, "w") as out:
        stream = out.add_stream("mjpeg", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj444p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    script, runner, result = tmp_path / "tracks.py", tmp_path / "run.py", tmp_path / "result.json"
    script.write_bytes(export("blender", tracks)["blender_tracks.py"])
    runner.write_text(REAL)
    command = ["blender", "-b", "--factory-startup", "--python-exit-code", "3", "-P", str(runner), "--"]
    done = subprocess.run([*command, str(clip), str(script), str(result)], capture_output=True, text=True, timeout=120,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    read = json.loads(result.read_text())
    assert read["size"] == [WIDTH, HEIGHT]
    assert len(read["tracks"]) == tracks.count
    if tracks.source == "shot 010.mov":
        assert [track["name"] for track in read["tracks"]] == list(NAMES)
        check_markers(tracks, [[tuple(m) for m in track["markers"]] for track in read["tracks"]], 1e-4)
