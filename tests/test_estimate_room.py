"""What is refused, what is proposed instead, and what the command line says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import machine
import run
from engines.registry import ENGINES, get_spec
from engines.spec import Job
from errors import ResourceError
from matting_runner import Stage, export_session, load_info, run_matting
from matting_runner.estimate import Estimate, StageEstimate, estimate_run
from matting_runner.estimate.proposals import Estimator, check, propose
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base.room import DISK_RESERVE, MEMORY_RESERVE, Room, Verdict
from session_store import EngineChoice, MattingSession
from tests.estimate_material import finished_session, known_speeds, new_session

GB = 10**9
ALL = ("alpha", "foreground", "prores", "webm", "png", "exr")
PLENTY = Room(memory=10**15, memory_total=10**15, disk=10**15)


def needs(memory: float = 0.1, disk: float = 0.0) -> Needs:
    return Needs(memory_bytes=round(memory * GB), disk_bytes=round(disk * GB), seconds=1)


def room(memory: float = 16, disk: float = 100) -> Room:
    return Room(memory=round(memory * GB) + MEMORY_RESERVE, memory_total=16 * GB, disk=round(disk * GB) + DISK_RESERVE)


def estimator(folder: Path) -> Estimator:
    speeds = known_speeds(folder)
    return lambda session, info: estimate_run(session, info, speeds)


def told(needed: Needs) -> Estimate:
    stages = {str(stage): StageEstimate(1, 1, needed.memory_bytes, needed.disk_bytes, 1, str(stage)) for stage in Stage}
    return Estimate(stages, needed)


def huge(session: MattingSession) -> VideoInfo:
    return load_info(session).model_copy(update={"width": 3840, "height": 2160, "frames": 3000})


@pytest.mark.parametrize(
    ("needed", "there", "verdict"),
    [(needs(1.0), room(16), Verdict.FITS), (needs(1.0), room(1.1), Verdict.TIGHT),
     (needs(1.0), room(0.9), Verdict.TIGHT), (needs(1.0), room(0.8), Verdict.TOO_LARGE),
     (needs(disk=10), room(disk=16), Verdict.FITS),
     (needs(disk=10), room(disk=7), Verdict.TIGHT), (needs(disk=10), room(disk=4), Verdict.TOO_LARGE),
     (needs(1.0, 10), room(1.1, 4), Verdict.TOO_LARGE), (needs(disk=0.001), Room(GB * 9, GB * 9, 0), Verdict.TOO_LARGE),
     (needs(disk=0), Room(9 * GB, 9 * GB, 0), Verdict.FITS), (needs(), Room(0, 0, 0), Verdict.TOO_LARGE)],
)  # fmt: skip
def test_only_what_clearly_cannot_fit_is_too_large(needed: Needs, there: Room, verdict: Verdict) -> None:
    assert there.verdict(needed) is verdict


def test_what_this_process_holds_already_counts_as_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("runner_base.room.memory_available", lambda: 5 * GB)
    monkeypatch.setattr("runner_base.room.memory_used", lambda: GB)
    assert Room.here(tmp_path).memory == 6 * GB


def test_too_little_memory_is_refused_with_fewer_formats_that_fit(tmp_path: Path, small_clip: Path) -> None:
    session = new_session(tmp_path, small_clip, formats=ALL)
    there, ask = room(3.2), estimator(tmp_path)
    with pytest.raises(ResourceError) as refusal:
        check(session, huge(session), ask(session, huge(session)), there, ask)
    text = str(refusal.value)
    assert "\n" not in text and "memory for stage 'deliver'" in text and "3.4 GB is free" in text
    assert "--formats" in text and f"export {session.state.id}" in text and "--force" in text
    assert "close other programs" in text, "16 GB in all would do"
    found = propose(session, huge(session), there, ask)
    assert found and all(there.verdict(proposal.needs) is Verdict.FITS for proposal in found)


def test_a_proposal_taken_at_its_word_fits(tmp_path: Path, small_clip: Path) -> None:
    session = new_session(tmp_path, small_clip, formats=ALL)
    there, ask = room(3.2), estimator(tmp_path)
    text = next(p.text for p in propose(session, huge(session), there, ask) if p.text.startswith("--formats"))
    kept = text.split()[1].split(",")
    left = text.rpartition(" ")[2].rstrip(")").split(",")
    assert sorted([*kept, *left]) == sorted(ALL), "nothing is forgotten"
    session.state.formats = kept
    assert there.verdict(ask(session, huge(session)).needs) is Verdict.FITS


def test_where_nothing_fits_that_is_said(tmp_path: Path, small_clip: Path) -> None:
    session, ask = new_session(tmp_path, small_clip), estimator(tmp_path)
    there = Room(memory=10_000_000, memory_total=20_000_000, disk=10**15)
    with pytest.raises(ResourceError, match="no setting makes it fit: it takes a larger machine"):
        check(session, huge(session), ask(session, huge(session)), there, ask)


def test_too_little_disk_is_refused_with_what_to_free(tmp_path: Path, small_clip: Path) -> None:
    session, ask = new_session(tmp_path, small_clip, formats=["exr", "alpha"]), estimator(tmp_path)
    needed = ask(session, huge(session)).needs.disk_bytes
    there = Room(memory=100 * GB, memory_total=100 * GB, disk=round(0.4 * needed))
    with pytest.raises(ResourceError) as refusal:
        check(session, huge(session), ask(session, huge(session)), there, ask)
    text = str(refusal.value)
    assert "of disk, " in text and "session clean" in text and "SPLAZMATTE_WORKSPACE" in text
    assert "memory for stage" not in text and "this fits: --formats alpha (" in text


def test_a_shorter_range_is_proposed_for_the_disk(tmp_path: Path, small_clip: Path) -> None:
    session, ask = new_session(tmp_path, small_clip, formats=["exr"]), estimator(tmp_path)
    needed = ask(session, huge(session)).needs.disk_bytes / GB
    found = propose(session, huge(session), room(disk=0.9 * needed), ask)
    (part,) = [proposal.text for proposal in found if proposal.text.startswith("--range 0:")]
    assert 1 <= int(part.rpartition(":")[2]) <= 1500


def test_what_fits_is_not_refused(tmp_path: Path, small_clip: Path) -> None:
    session, ask = new_session(tmp_path, small_clip), estimator(tmp_path)
    check(session, load_info(session), ask(session, load_info(session)), PLENTY, ask)


def test_lighter_parameters_are_proposed_first(tmp_path: Path, small_clip: Path) -> None:
    session = new_session(tmp_path, small_clip)

    def ask(other: MattingSession, _: VideoInfo) -> Estimate:
        return told(needs(1 if other.state.propagator.params.get("quality") == "fast" else 9))

    found = propose(session, load_info(session), room(4), ask)
    assert [proposal.text for proposal in found] == ["--param propagator.quality=fast"]
    session.state.propagator = EngineChoice(name="flow", params={"quality": "fast"})
    assert propose(session, load_info(session), room(0.5), ask) == [], "it is at its lightest already"


def test_another_engine_of_the_same_job_is_proposed(
    tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = get_spec(Job.PROPAGATOR, "flow")
    light = replace(flow, name="light", params=(), memory=lambda load: 0)
    absent = replace(flow, name="absent", params=(), memory=lambda load: 0, packages=("no_such_package",))
    heavy = replace(flow, memory=lambda load: 50 * GB)
    rest = tuple(spec for spec in ENGINES if spec is not flow)
    monkeypatch.setattr("engines.registry.ENGINES", (heavy, absent, light, *rest))
    session, ask = new_session(tmp_path, small_clip), estimator(tmp_path)
    with pytest.raises(ResourceError, match=r"stage 'propagate'.*--propagator light "):
        check(session, load_info(session), ask(session, load_info(session)), room(4), ask)


def test_a_run_that_cannot_fit_does_not_begin(
    tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_session(tmp_path, small_clip)
    monkeypatch.setattr("runner_base.room.disk_free", lambda folder: 0)
    told_needs = list[Needs]()
    with pytest.raises(ResourceError, match="of disk"):
        run_matting(session, on_needs=told_needs.append)
    assert told_needs and not session.frames_dir.exists()
    assert session.state.last_run is not None and session.state.last_run.status == "failed"
    run_matting(session, check=False, until=Stage.FRAMES)
    assert session.frames_dir.exists(), "--force tries it"


def test_an_export_that_cannot_fit_does_not_begin(
    tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = finished_session(tmp_path, small_clip)
    monkeypatch.setattr("runner_base.room.disk_free", lambda folder: 0)
    with pytest.raises(ResourceError, match="of disk"):
        export_session(session, ["png"])
    assert not (session.folder / "png").exists()
    assert export_session(session, ["alpha"]).frames, "what is there needs no room"
    assert export_session(session, ["png"], check=False).outputs["png"].is_dir()


def command(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    import sys
    from unittest.mock import patch

    with patch.object(sys, "argv", ["run.py", *arguments]):
        code = run.main()
    return code, capsys.readouterr().out


def test_the_command_shows_stages_and_verdict(
    workspace: Path, small_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = new_session(workspace, small_clip)
    code, out = command("estimate", session.state.id, capsys=capsys)
    assert code == 0 and "propagate" in out and "needed" in out and "fits" in out
    code, out = command("estimate", session.state.id, "--json", capsys=capsys)
    data = json.loads(out)
    assert code == 0 and data["verdict"] == "fits" and data["proposals"] == []
    assert data["stages"]["matte"]["frames"] == load_info(session).frames
    assert data["memory_bytes"] >= max(stage["memory_bytes"] for stage in data["stages"].values())


def test_the_command_proposes_where_it_is_tight(
    workspace: Path, small_clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner_base.room.disk_free", lambda folder: 0)
    session = new_session(workspace, small_clip)
    data = json.loads(command("estimate", session.state.id, "--json", capsys=capsys)[1])
    assert data["disk"] == data["verdict"] == "too large" and data["memory"] == "fits"


def test_run_takes_the_proposals(workspace: Path, small_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = new_session(workspace, small_clip, keyframes=(0,))
    arguments = ("--param", "propagator.quality=fast", "--formats", "alpha", "--range", "0:12", "--json")
    code, out = command("run", session.state.id, *arguments, capsys=capsys)
    result = json.loads(out)
    assert code == 0 and result["frames"] == 12 and list(result["outputs"]) == ["alpha"]
    state = json.loads((session.folder / "state.json").read_text())
    assert state["propagator"] == {"name": "flow", "params": {"quality": "fast"}}


def test_doctor_knows_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(command("doctor", "--json", capsys=capsys)[1])
    assert data["memory_bytes"] == machine.memory_total() and data["cpus"] == machine.cpu_count()
    assert 0 < data["memory_available_bytes"] <= data["memory_bytes"]
