"""The command line: what it prints, with which exit code, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import FRAMES, SIZE, Answer, assert_error, disc

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def sessions(workspace: Path) -> Callable[[], list[Path]]:
    return lambda: list((workspace / "sessions").glob("*")) if (workspace / "sessions").exists() else []


def test_matte_run_list_and_export(
    cli: Callable[..., Answer], small_clip: Path, mask_file: Callable[[int], Path]
) -> None:
    answer = cli("matte", small_clip, "--mask", f"0={mask_file(0)}", "--range", "0:6", "--json")
    assert answer.code == 0, answer.err
    made = answer.json
    assert made["frames"] == 6 and set(made["outputs"]) == {"alpha", "foreground"}
    assert Path(made["session_dir"]).name == made["session_id"]
    assert all(Path(path).is_file() for path in made["outputs"].values())
    assert made["seconds"].keys() == {"frames", "keyframes", "propagate", "matte", "deliver"}
    assert made["fps"].keys() == {"frames", "propagate", "matte", "deliver"}
    assert answer.out.count("\n") == 1

    again = cli("run", made["session_id"], "--json").json
    assert again["fps"] == {} and again["outputs"] == made["outputs"]

    listed = cli("list", "--json").json["sessions"]
    assert [row["session_id"] for row in listed] == [made["session_id"]]
    assert listed[0]["state"] == "done" and listed[0]["bytes"] > 10_000 and listed[0]["name"] == "small clip.mp4"
    assert made["session_id"] in cli("list").out

    exported = cli("export", made["session_id"], "--formats", "png", "--json").json
    assert len(list(Path(exported["outputs"]["png"]).glob("*.png"))) == 6

    assert cli("clean", "--yes").code == 0 and cli("list", "--json").json == {"sessions": []}


def test_matte_takes_points_boxes_and_several_objects(cli: Callable[..., Answer], small_clip: Path) -> None:
    answer = cli(
        "matte", small_clip, "--points", "disc@0:+30,32 -80,10", "--box", "other@1:60,2,90,20", "--range", "0:3",
        "--param", "matter.band=6", "--direction", "forward", "--formats", "alpha", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    state = json.loads((Path(answer.json["session_dir"]) / "state.json").read_text())
    assert [item["name"] for item in state["objects"]] == ["disc", "other"]
    assert state["matter"] == {"name": "guided", "params": {"band": 6.0}} and state["direction"] == "forward"
    assert state["objects"][0]["prompts"]["0"]["points"][1] == {"x": 80.0, "y": 10.0, "positive": False}


def test_text_for_people_names_results_and_speed(cli: Callable[..., Answer], small_clip: Path) -> None:
    answer = cli("matte", small_clip, "--points", "0:+30,32", "--range", "0:2")
    assert answer.code == 0 and "frames/s" in answer.out and "alpha.mp4" in answer.out


def test_probe(cli: Callable[..., Answer], small_clip: Path) -> None:
    facts = cli("probe", small_clip, "--json").json
    assert (facts["frames"], facts["width"], facts["height"], facts["rate"]) == (FRAMES, *SIZE, "24000/1001")
    assert len(facts["times"]) == FRAMES and facts["times"][24] == pytest.approx(1.001, abs=1e-5)
    assert facts["rotation"] == 0 and facts["codec"] == "h264" and facts["audio"]["sample_rate"] == 48000
    assert facts["warnings"] == [] and set(facts["colour"]) == {"range", "primaries", "transfer", "matrix"}
    assert "24000/1001" in cli("probe", small_clip).out


def test_doctor_and_models(cli: Callable[..., Answer]) -> None:
    report = cli("doctor", "--json").json
    assert report["packages"]["av"] and report["codecs"]["libx264"] and report["workspace"]["writable"]
    assert {"grabcut", "flow", "guided"} <= set(report["engines"])
    assert "missing" in cli("doctor").out
    names = [row["name"] for row in cli("models", "--json").json["engines"]]
    assert names[:3] == ["grabcut", "flow", "guided"]


def test_version(cli: Callable[..., Answer]) -> None:
    from config import VERSION

    assert cli("--version").out == f"SplazMatte {VERSION}\n"
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("arguments", [[], ["queue"], ["session"], ["project"]])
def test_without_a_command_it_prints_its_help(cli: Callable[..., Answer], arguments: list[str]) -> None:
    answer = cli(*arguments)
    assert answer.code == 2 and answer.err.startswith("Usage: ") and "\nCommands:\n" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["matte"], 2, ["video"]),
        (["matte", "x.mp4", "--no-such"], 2, ["--no-such"]),
        (["nonsense"], 2, ["nonsense"]),
        (["matte", "CLIP"], 3, ["no keyframe", "--points"]),
        (["matte", "missing.mp4", "--points", "0:+1,1"], 3, ["missing.mp4"]),
        (["matte", "EMPTY", "--points", "0:+1,1"], 3, ["empty"]),
        (["matte", "TEXT", "--points", "0:+1,1"], 3, ["not a video"]),
        (["matte", "FOLDER", "--points", "0:+1,1"], 3, ["folder"]),
        (["matte", "CLIP", "--points", "0:+1000,1"], 3, ["1000,1", "outside the picture", "96x64"]),
        (["matte", "CLIP", "--points", "0:+3,-5"], 3, ["outside the picture"]),
        (["matte", "CLIP", "--points", "0:+a,b"], 3, ["+a,b"]),
        (["matte", "CLIP", "--points", "0:+nan,1"], 3, ["not a point"]),
        (["matte", "CLIP", "--points", "x"], 3, ["--points '0:+640,360"]),
        (["matte", "CLIP", "--points", "99999:+1,1"], 3, ["frame 99999"]),
        (["matte", "CLIP", "--points", "0:-3,3"], 3, ["positive"]),
        (["matte", "CLIP", "--box", "0:9,9,3,3"], 3, ["X0 < X1"]),
        (["matte", "CLIP", "--box", "0:1,1,500,30"], 3, ["outside the picture"]),
        (["matte", "CLIP", "--mask", "0=missing.png"], 3, ["missing.png"]),
        (["matte", "CLIP", "--mask", "0=TEXT"], 3, ["not an image"]),
        (["matte", "CLIP", "--mask", "0=EMPTY"], 3, ["empty"]),
        (["matte", "CLIP", "--mask", "0=SMALL"], 3, ["8x8", "96x64"]),
        (["matte", "CLIP", "--mask", "zero=SMALL"], 3, ["--mask 0=first.png"]),
        (["matte", "CLIP", "--mask", "0=SMALL", "--points", "0:+1,1"], 3, ["one of them"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--range", "5:2"], 3, ["START:STOP"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--range", "0:9999"], 3, ["outside the clip"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--formats", "gif"], 3, ["gif", "prores"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--formats", ","], 3, ["format"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--matter", "magic"], 3, ["magic", "guided"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--param", "speed=9"], 3, ["speed", "matter.band"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--param", "band=wide"], 3, ["band", "float"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--param", "band=-1"], 3, ["band", "from 0"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--param", "band=nan"], 3, ["band"]),
        (["matte", "CLIP", "--points", "0:+1,1", "--direction", "up"], 3, ["forward"]),
        (["run", "no-such-session"], 4, ["no session", "list"]),
        (["run", "../../etc"], 4, ["not a session id"]),
        (["export", "UPPER"], 4, ["not a session id"]),
        (["probe", "TEXT"], 3, ["not a video"]),
        (["models", "eat"], 2, ["eat"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_errors_are_one_line_and_leave_nothing(
    cli: Callable[..., Answer],
    sessions: Callable[[], list[Path]],
    small_clip: Path,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    words: list[str],
) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is not a video, it is text")
    cv2.imwrite(str(tmp_path / "small.png"), np.full((8, 8), 255, np.uint8))
    names = {"CLIP": small_clip, "EMPTY": tmp_path / "empty.mp4", "TEXT": tmp_path / "text.mp4",
             "SMALL": tmp_path / "small.png", "FOLDER": tmp_path}  # fmt: skip

    def fill(text: str) -> str:
        for name, path in names.items():
            text = str(path) if text == name else text.replace(f"={name}", f"={path}")
        return text

    assert_error(cli(*map(fill, arguments)), code, *words)
    assert sessions() == []


def test_errors_as_json(cli: Callable[..., Answer]) -> None:
    answer = cli("run", "no-such-session", "--json")
    assert answer.code == 4 and answer.json["error"]["type"] == "SessionNotFoundError"
    assert answer.json["error"]["exit_code"] == 4 and answer.err.count("\n") == 1


def test_debug_shows_where(cli: Callable[..., Answer]) -> None:
    assert "Traceback" in cli("run", "no-such-session", "--debug").err


def test_a_read_only_workspace_says_so(
    cli: Callable[..., Answer], small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert_error(cli("matte", small_clip, "--points", "0:+30,32"), 6, "read-only", "SPLAZMATTE_WORKSPACE")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a disk of a given size; skipped where that is not allowed."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a small tmpfs (root on Linux)")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.parametrize("size", ["8k", "400k", "1m"])
def test_a_full_disk_says_so_and_keeps_what_is_whole(
    cli: Callable[..., Answer],
    small_clip: Path,
    tiny_disk: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    size: str,
) -> None:
    from config import get_settings
    from session_store import SessionStore

    disk = tiny_disk(size)
    monkeypatch.setenv("SPLAZMATTE_WORKSPACE", str(disk))
    get_settings.cache_clear()
    answer = cli("matte", small_clip, "--points", "0:+30,32", "--formats", "alpha,foreground,png,exr,prores", "--force")
    assert_error(answer, 6, "disk is full")
    for session_id in SessionStore(disk / "sessions").ids():
        assert SessionStore(disk / "sessions").open(session_id).state.objects


def test_ctrl_c_keeps_the_session_and_run_goes_on(
    small_clip: Path, workspace: Path, mask_file: Callable[[int], Path], cli: Callable[..., Answer]
) -> None:
    """A real process and a real signal; it is sent when the propagation's first chunk is on the disk."""
    command = [sys.executable, "run.py", "matte", str(small_clip), "--mask", f"0={mask_file(0)}"]
    environment = {**os.environ, "SPLAZMATTE_WORKSPACE": str(workspace)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(workspace.glob("sessions/*/masks/1/propagated/000005.png")):
            pass
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        error = process.stderr.read()
    assert process.returncode == 130 and "goes on from there" in error, error
    row = cli("list", "--json").json["sessions"][0]
    assert row["state"] == "cancelled"
    assert cli("run", row["session_id"], "--json").json["frames"] == FRAMES


@pytest.mark.slow
def test_demo_with_a_video_guesses_and_measures_nothing(cli: Callable[..., Answer], small_clip: Path) -> None:
    answer = cli("demo", small_clip, "--points", "0:+30,32", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["error"] is None and Path(answer.json["contact_sheet"]).is_file()


def test_the_disc_is_where_the_truth_is() -> None:
    assert disc(0)[32, 30] == 255 and disc(0)[0, 0] == 0
