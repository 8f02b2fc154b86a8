"""Commands `track`, `track-motion`, and `run` and `estimate` of tracking sessions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from queue_logic import JobQueue
from runner_base.sidecar import read_sidecar
from tests.clip_sessions import prompted_session
from tests.conftest import Answer, assert_error, disc, write_clip
from tracking_session_store import TrackingSession, TrackingSessionStore

Cli = Callable[..., Answer]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return a clip of a few frames."""
    return write_clip(tmp_path / "short.mp4", 8)


def tracked(cli: Cli, *arguments: object) -> dict[str, Any]:
    answer = cli("track", *arguments, "--json")
    assert answer.code == 0, answer
    result: dict[str, Any] = answer.json
    return result


def opened(workspace: Path, told: dict[str, Any]) -> TrackingSession:
    return TrackingSessionStore(workspace / "tracking_sessions").open(told["session_id"])


def sessions(workspace: Path) -> list[str]:
    return list(TrackingSessionStore(workspace / "tracking_sessions").ids())


def test_points_are_tracked_with_the_built_in_engine(cli: Cli, clip: Path) -> None:
    told = tracked(cli, clip, "--points", "disc@0:30,32 40,30", "--range", "0:6", "--formats", "video,csv")
    assert told["points"] == 2 and told["frames"] == 6 and told["engines"] == {"tracker": "klt"}
    assert all(Path(path).exists() for path in told["outputs"].values())


def test_an_object_that_is_clicked_on_is_filled_with_points(cli: Cli, clip: Path, workspace: Path) -> None:
    clicks = ["--click", "disc@3:+30,32 -80,10", "--segmenter", "grabcut", "--count", "12"]
    told = tracked(cli, clip, *clicks, "--formats", "csv")
    points = opened(workspace, told).state.points
    assert len(points) == 12 and {(point.group, point.origin) for point in points} == {("disc", "mask")}
    assert all(disc(3)[round(y), round(x)] for point in points for x, y in [point.keys[3]])


def test_a_mask_is_filled_with_points(cli: Cli, clip: Path, workspace: Path, mask_file: Callable[[int], Path]) -> None:
    told = tracked(cli, clip, "--mask", f"disc@2={mask_file(2)}", "--count", "9", "--formats", "csv")
    assert [list(point.keys) for point in opened(workspace, told).state.points] == [[2]] * 9


def test_a_matting_session_gives_its_clicks_and_masks(cli: Cli, clip: Path, workspace: Path) -> None:
    matting = prompted_session(workspace / "sessions", clip, ("alpha",), keyframe=4)
    told = tracked(cli, "--from", matting.state.id, "--count", "9", "--formats", "json")
    state = opened(workspace, told).state
    assert [point.origin for point in state.points] == ["manual", *["mask"] * 9], "only the positive click"
    assert state.points[0].keys == {0: (30, 32)} and {point.group for point in state.points} == {"disc"}
    assert all(list(point.keys) == [4] for point in state.points[1:]) and state.carry is None
    assert state.original_name == "short.mp4"


def test_a_matting_job_queues_its_tracking_job(cli: Cli, clip: Path, workspace: Path) -> None:
    answer = cli("matte", clip, "--points", "dog@0:+30,32 -80,10", "--queue", "--then-track", "7", "--json")
    assert answer.code == 0, answer
    (waiting,) = sessions(workspace)
    assert TrackingSessionStore(workspace / "tracking_sessions").open(waiting).state.points == []
    assert cli("estimate", waiting, "--json").json["stages"]["track"]["frames"] == 16
    jobs = cli("run-queue", "--json").json["jobs"]
    assert [(job["kind"], job["state"]) for job in jobs] == [("matting", "done"), ("tracking", "done")]
    points = TrackingSessionStore(workspace / "tracking_sessions").open(waiting).state.points
    assert len(points) == 8 and {point.group for point in points} == {"dog"}
    assert jobs[1]["result"]["outputs"]
    assert_error(cli("queue", "add", waiting, "--then-track", "3"), 3, "for matting sessions")
    assert_error(cli("matte", clip, "--points", "0:+30,32", "--then-track", "3"), 3, "--queue")


def test_tracking_may_wait_in_the_queue(cli: Cli, clip: Path, workspace: Path) -> None:
    job = cli("track", clip, "--grid", "3", "--formats", "csv", "--queue", "--json").json["jobs"][0]
    assert job["state"] == "pending" and job["needs"]["memory_bytes"] > 50e6 and job["needs"]["seconds"] > 0
    assert [known.kind for known in JobQueue(workspace).jobs()] == ["tracking"]


def test_motions_are_solved_shown_and_delivered(cli: Cli, clip: Path, workspace: Path) -> None:
    told = tracked(cli, clip, "--grid", "4", "--motion", "steady", "--motion", "corner-pin", "--formats", "json,csv")
    steady, pin = told["motions"]
    assert (steady["kind"], pin["kind"]) == ("steady", "corner-pin") and steady["rms"] >= 0 <= pin["rms"]
    assert pin["solved"] == pin["frames"] == 8 and pin["worst"] >= pin["rms"]
    (notice,) = told["notices"]
    assert notice.startswith("csv cannot carry a corner-pin")
    said = {name: read_sidecar(Path(told["outputs"][name])).notices for name in told["outputs"]}  # type: ignore[union-attr]
    assert said == {"json": [], "csv": [notice]}, "each file's sidecar says what is missing from that file"
    written = json.loads(Path(told["outputs"]["json"]).read_text())
    assert [motion["kind"] for motion in written["motions"]] == ["steady", "corner-pin"]
    assert len({line.split(",")[1] for line in Path(told["outputs"]["csv"]).read_text().splitlines()[1:]}) == 13


def test_a_motion_of_some_points(cli: Cli, clip: Path, workspace: Path) -> None:
    told = tracked(cli, clip, "--points", "a@0:20,20 30,44 40,20", "--points", "b@0:80,50 70,10", "--formats", "nuke")
    session_id = told["session_id"]
    made = cli("track-motion", session_id, "--kind", "similarity", "--name", "turn", "--group", "a", "--json").json
    assert [(m["name"], m["kind"]) for m in made["motions"]] == [("turn", "similarity")]
    arguments = ["--kind", "corner-pin", "--name", "turn", "--points", "1,2,3,5", "--reference", "5"]
    corners = ["--corners", "-50,-50 200,-50 200,100 -50,100", "--stabilise", "--smooth", "3"]
    answer = cli("track-motion", session_id, *arguments, *corners)
    assert answer.code == 0 and "turn (stabilises), from frame 5:" in answer.out and " px, at worst " in answer.out
    state = opened(workspace, told).state
    assert [(m.kind, m.points, m.corners[0], m.smooth) for m in state.motions] == [
        ("corner-pin", [1, 2, 3, 5], (-50, -50), 3)
    ]
    assert cli("track-motion", session_id, "--clear", "--json").json["motions"] == []
    assert "CornerPin2D" not in Path(told["outputs"]["nuke"]).read_text()


def test_the_residual_is_shown_also_where_nothing_carries_the_motion(cli: Cli, clip: Path) -> None:
    told = tracked(cli, clip, "--grid", "3", "--formats", "video")
    video = Path(told["outputs"]["video"])
    before = video.stat().st_mtime_ns
    made = cli("track-motion", told["session_id"], "--kind", "similarity", "--json").json
    assert made["motions"][0]["rms"] >= 0 and video.stat().st_mtime_ns == before, "motions are not in the video"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--kind", "wobble"], "steady, similarity, corner-pin"),
        (["--kind", "steady", "--points", "1,x"], "1,2,5"),
        (["--kind", "steady", "--points", "77"], "no point 77"),
        (["--kind", "steady", "--group", "z"], "there is: disc"),
        (["--kind", "steady", "--group", "disc", "--points", "1"], "not both"),
        (["--kind", "corner-pin", "--corners", "1,1 2,2"], "four corners"),
        (["--kind", "corner-pin", "--corners", "0,0 9,9 9,0 0,9"], "convex"),
        (["--kind", "steady", "--smooth", "-1"], "--smooth"),
        (["--kind", "steady", "--reference", "99"], "frame 99"),
        (["--formats", "nope"], "nope"),
    ],
)
def test_a_motion_that_cannot_be_is_one_line(cli: Cli, clip: Path, arguments: list[str], word: str) -> None:
    told = tracked(cli, clip, "--points", "disc@0:30,32 40,30", "--formats", "json")
    assert_error(cli("track-motion", told["session_id"], *arguments), 3, word)


def test_run_goes_on_with_other_choices(cli: Cli, clip: Path, workspace: Path) -> None:
    told = tracked(cli, clip, "--grid", "3", "--formats", "csv")
    session_id = told["session_id"]
    again = cli("run", session_id, "--json").json
    assert again["seconds"]["track"] == again["seconds"]["deliver"] == 0
    changed = cli("run", session_id, "--param", "search=5", "--range", "1:7", "--formats", "csv,tapvid", "--json").json
    assert changed["frames"] == 6 and set(changed["outputs"]) == {"csv", "tapvid"} and changed["seconds"]["track"] > 0
    assert opened(workspace, told).state.tracker.params == {"search": 5}
    with np.load(changed["outputs"]["tapvid"]) as arrays:
        assert arrays["points"].shape[1] == 6
    assert_error(cli("run", session_id, "--matter", "guided"), 3, "has no matter")


def test_estimate_says_what_is_left(cli: Cli, clip: Path, workspace: Path) -> None:
    cli("track", clip, "--grid", "3", "--formats", "video,csv", "--queue")
    (session_id,) = sessions(workspace)  # its points begin on the first frame: there is nothing to do before them
    said = cli("estimate", session_id, "--json").json
    assert {name: stage["frames"] for name, stage in said["stages"].items()} == {"frames": 8, "track": 8, "deliver": 8}
    assert all(stage["seconds"] > 0 for stage in said["stages"].values()) and said["verdict"] == "fits"
    cli("run-queue")
    after = cli("estimate", session_id, "--json").json
    assert sum(stage["frames"] for stage in after["stages"].values()) == 0 and after["disk_bytes"] == 0
    assert "fits" in cli("estimate", session_id).out


def test_what_does_not_fit_is_refused_with_what_would(
    cli: Cli, clip: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner_base.room.disk_free", lambda _: 300_001_000)
    told = cli("track", clip, "--grid", "3", "--formats", "video,csv", "--queue")
    assert_error(told, 7, "of disk", "--force")
    assert JobQueue(workspace).jobs() == []
    (session_id,) = sessions(workspace)
    assert cli("run", session_id, "--force").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--points", "x"], 3, "--points"),
        (["--points", "0:1,b"], 3, "X,Y"),
        (["--points", "0:500,1"], 3, "outside"),
        (["--points", "77:5,1"], 3, "the last is"),
        (["--points", "0:5,1", "--range", "0:99"], 3, "0:99"),
        (["--region", "1,2"], 3, "--region"),
        (["--formats", "nope"], 3, "nope"),
        (["--tracker", "magic"], 3, "klt"),
        (["--param", "speed=1"], 3, "no parameter"),
        (["--direction", "up"], 3, "forward"),
        (["--motion", "wobble"], 3, "corner-pin"),
        (["--click", "0:a"], 3, "--points"),
        (["--click", "77:1,1"], 3, "the last one is 7"),
        (["--click", "0:1,1", "--segmenter", "magic"], 3, "grabcut"),
        (["--smooth", "-1"], 3, "--smooth"),
        (["--from", "20000101-000000-aaaaaa"], 3, "one of them"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    cli: Cli, clip: Path, workspace: Path, arguments: list[str], code: int, word: str
) -> None:
    assert_error(cli("track", clip, *arguments), code, word)
    assert sessions(workspace) == []


def test_from_a_session_without_anything_to_take_is_refused(cli: Cli, clip: Path, workspace: Path) -> None:
    assert_error(cli("track", "--from", "20000101-000000-aaaaaa"), 4, "there is no session")
    image = workspace / "black.png"
    workspace.mkdir(exist_ok=True)
    cv2.imwrite(str(image), disc(0))
    session = prompted_session(workspace / "sessions", clip, ("alpha",), keyframe=4)
    session.state.objects = []
    session.save()
    assert_error(cli("track", "--from", session.state.id), 3, "no clicks or masks")
    assert_error(cli("track"), 3, "one of them")
    assert sessions(workspace) == []
