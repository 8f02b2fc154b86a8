"""Whole jobs with neural engines, random weights in them: made, cut, gone on with, corrected, in the queue.

The engines' results mean nothing here; what counts is that they are the same bytes whatever happens on the way.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import Cancelled
from matting_runner import Progress, Stage, add_mask, load_info, run_matting
from pipeline.alpha_store import AlphaStore
from pipeline.masks import MaskFolder
from pipeline.probe import scan
from queue_logic import JobQueue, JobState, Limits, LocalExecutor, QueueRunner
from session_store import MattingSession, SessionStore
from tests import faults
from tests.clip_sessions import pixels, prompted_session
from tests.conftest import Answer, disc, write_clip
from tests.fault_bench import needs_linux
from tests.neural_weights import SETUPS, Engines, random_weights

HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="neural engines are not installed: just setup")
ROOT = Path(__file__).resolve().parent.parent
FRAMES = 20
KEY = 18
"""The second keyframe; the first is made from clicks on frame 0."""


@dataclass(frozen=True)
class Case:
    """Engines, a clip, and what a job comes to that nothing happened to."""

    engines: Engines
    clip: Path
    undisturbed: MattingSession

    def session(self, sessions: Path) -> MattingSession:
        """Return a new session of the clip, with every stage to do."""
        session = prompted_session(sessions, self.clip, ("alpha", "foreground"), KEY)
        self.engines.choose(session.state)
        session.save()
        return session


PARAMS = [pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.slow else []) for each in SETUPS]


@pytest.fixture(scope="module", params=PARAMS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    engines: Engines = request.param
    if lacking := engines.lacks_sources():
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp(engines.name)
    with random_weights(folder / "models", *engines.weights):
        if reason := engines.obstacle():
            pytest.skip(reason)
        session = prompted_session(folder / "sessions", write_clip(folder / "clip.mp4", FRAMES), ("alpha",), KEY)
        engines.choose(session.state)
        run_matting(session, check=False)
        yield Case(engines, folder / "clip.mp4", session)


def reopened(session: MattingSession) -> MattingSession:
    return SessionStore(session.folder.parent).open(session.state.id)


def test_it_makes_masks_and_alpha_for_every_frame(case: Case) -> None:
    session = case.undisturbed
    masks = MaskFolder(session.masks_dir(1, "propagated"))
    assert masks.indices() == [i for i in range(1, FRAMES) if i != KEY]
    assert len({masks.read(index).tobytes() for index in masks.indices()}) > FRAMES // 2, "they say something"
    assert AlphaStore(session.alpha_dir).spans() == [(0, FRAMES)]
    assert scan(session.folder / "alpha.mp4").frames == FRAMES
    assert session.state.objects[0].keyframes[0].origin == "prompts"
    assert run_matting(session, check=False).fps == {}, "a second run has nothing to do"


def test_no_network_stays_in_memory_after_its_stage(tmp_path: Path, case: Case) -> None:
    from engines.neural.loading import _held

    shutil.copytree(case.undisturbed.folder, tmp_path / case.undisturbed.state.id)
    session = SessionStore(tmp_path).open(case.undisturbed.state.id)
    (session.masks_dir(1, "propagated") / f"{FRAMES - 1:06d}.png").unlink()
    session.state.alpha.spans = []
    held: dict[str, bool] = {}

    def watch(progress: Progress) -> None:
        held[progress.stage] = bool(_held)

    run_matting(session, on_progress=watch, check=False)
    assert held == {"propagate": True, "matte": case.engines.matter.name != "guided"} and not _held


class BreakdownError(Exception):
    """Nobody expects it."""


@pytest.mark.parametrize(
    ("stage", "done", "how"),
    [
        ("propagate", 17, BreakdownError),
        pytest.param("propagate", 1, Cancelled, marks=pytest.mark.slow),
        pytest.param("propagate", 17, Cancelled, marks=pytest.mark.slow),
        pytest.param("matte", 9, BreakdownError, marks=pytest.mark.slow),
    ],
)
def test_cut_anywhere_it_goes_on_to_the_same_bytes(
    tmp_path: Path, case: Case, stage: str, done: float, how: type[Exception]
) -> None:
    session = case.session(tmp_path)
    ended = False

    def watch(progress: Progress) -> None:
        nonlocal ended
        ended = progress.stage == stage and progress.done >= done
        if ended and how is BreakdownError:
            raise BreakdownError

    with pytest.raises(how):
        run_matting(session, on_progress=watch, should_stop=lambda: ended, check=False)
    session = reopened(session)
    kept = sum(span.stop - span.start for span in session.state.objects[0].propagated.spans)
    assert kept == (done if how is Cancelled else 16 if stage == "propagate" else FRAMES - 2), "a stop keeps every mask"
    seen: list[Progress] = []
    run_matting(session, on_progress=seen.append, until=Stage.MATTE, check=False)
    assert sum(step.stage == "propagate" for step in seen) == FRAMES - 2 - kept, "no mask is made twice"
    assert pixels(session) == pixels(case.undisturbed)


@pytest.mark.slow
def test_a_corrected_keyframe_redoes_exactly_its_neighbourhood(tmp_path: Path, case: Case) -> None:
    for name in ("corrected", "from the start"):
        shutil.copytree(case.undisturbed.folder, tmp_path / name / case.undisturbed.state.id)
    session = SessionStore(tmp_path / "corrected").open(case.undisturbed.state.id)
    times = {path: path.stat().st_mtime_ns for path in session.masks_dir(1, "propagated").iterdir()}
    add_keyframe(session, 10, disc(10))
    run_matting(session, until=Stage.MATTE, check=False)
    redone = {int(p.stem) for p in session.masks_dir(1, "propagated").iterdir() if p.stat().st_mtime_ns != times.get(p)}
    assert redone == {*range(1, 10), *range(11, KEY)}
    times = {path: path.stat().st_mtime_ns for path in session.masks_dir(1, "propagated").iterdir()}
    add_keyframe(session, KEY, np.roll(disc(KEY), -20, axis=1))
    run_matting(session, until=Stage.MATTE, check=False)
    redone = {int(p.stem) for p in session.masks_dir(1, "propagated").iterdir() if p.stat().st_mtime_ns != times[p]}
    assert redone == {*range(11, KEY), *range(KEY + 1, FRAMES)}

    anew = SessionStore(tmp_path / "from the start").open(case.undisturbed.state.id)
    shutil.rmtree(anew.masks_dir(1, "propagated"))
    shutil.rmtree(anew.alpha_dir)
    add_keyframe(anew, 10, disc(10))
    add_keyframe(anew, KEY, np.roll(disc(KEY), -20, axis=1))
    run_matting(anew, until=Stage.MATTE, check=False)
    assert visible(session) == visible(anew), "as if the corrected ones had been there from the start"


def add_keyframe(session: MattingSession, index: int, mask: np.ndarray) -> None:
    path = session.folder.parent / "correction.png"
    cv2.imwrite(str(path), mask)
    add_mask(session, session.state.objects[0], index, path, load_info(session))
    session.save()


def visible(session: MattingSession) -> list[bytes]:
    """Return the masks that the state counts on, and every frame's alpha, whatever files they are in."""
    folder, store = MaskFolder(session.masks_dir(1, "propagated")), AlphaStore(session.alpha_dir)
    keys = session.state.objects[0].keyframes
    masks = [folder.read(index).tobytes() for index in range(FRAMES) if index not in keys]
    return [*masks, *(store.read(index).tobytes() for index in range(FRAMES))]


def test_the_command_line_runs_it(case: Case, cli: Callable[..., Answer], tmp_path: Path) -> None:
    answer = cli(*command_line(case, tmp_path))
    assert answer.code == 0, answer.err
    assert answer.json["frames"] == 4 and Path(answer.json["outputs"]["alpha"]).is_file()
    assert "Loading weights" not in answer.err and "[transformers]" not in answer.err, answer.err
    state = json.loads((Path(answer.json["session_dir"]) / "state.json").read_text())
    assert state["propagator"] == case.engines.propagator.model_dump()


@pytest.mark.slow
def test_a_process_of_the_command_line_runs_it(case: Case, tmp_path: Path) -> None:
    command = [sys.executable, "run.py", *map(str, command_line(case, tmp_path))]
    environment = {**os.environ, "SPLAZMATTE_WORKSPACE": str(tmp_path / "workspace")}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["frames"] == 4 and result.stdout.count("\n") == 1


def command_line(case: Case, folder: Path) -> list[object]:
    """Return arguments that matte four frames of the clip with the case's engines."""
    cv2.imwrite(str(folder / "mask.png"), disc(3))
    chosen = {
        "segmenter": case.engines.segmenter,
        "propagator": case.engines.propagator,
        "matter": case.engines.matter,
    }
    engines = [part for job, choice in chosen.items() for part in (f"--{job}", choice.name)]
    params = [
        part
        for job, choice in chosen.items()
        for name, value in choice.params.items()
        for part in ("--param", f"{job}.{name}={value}")
    ]
    prompts = ["--points", "0:+30,32 -80,10", "--mask", f"3={folder / 'mask.png'}"]
    return ["matte", case.clip, *prompts, *engines, *params, "--range", "0:4", "--force", "--json"]


@needs_linux
@pytest.mark.slow  # a process that loads torch and transformers takes seconds to say anything
@pytest.mark.parametrize(
    ("stage", "frames"),
    [("keyframes", 1), ("propagate", 1), ("propagate", 17), ("matte", 5), ("deliver", 9)],
)
def test_a_job_whose_worker_is_killed_ends_in_the_same_bytes(
    tmp_path: Path, case: Case, stage: str, frames: float
) -> None:
    session = case.session(tmp_path / "sessions")
    queue = JobQueue(tmp_path)
    queue.add("matting", session.state.id, {"force": True})
    faults.plan(tmp_path, "SIGKILL", stage, frames)
    executor = LocalExecutor(tmp_path, {"matting": faults.TARGET})
    QueueRunner(queue, executor, limits=Limits(attempts=2)).run(lambda: False)
    job = queue.get("1")
    assert (tmp_path / "fault.met").exists()
    assert job.state is JobState.DONE and job.attempts == 2, job.error
    assert pixels(reopened(session)) == pixels(case.undisturbed)
    assert not [*session.folder.rglob("*.partial"), *session.folder.rglob("*.tmp")]


KILLED_RUN = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from matting_runner import run_matting
from session_store import SessionStore
stage, frames = sys.argv[4], float(sys.argv[5])
def watch(progress):
    if progress.stage == stage and progress.done >= frames:
        os.kill(os.getpid(), signal.SIGKILL)
run_matting(SessionStore(Path(sys.argv[2])).open(sys.argv[3]), on_progress=watch, check=False)
"""


@needs_linux
@pytest.mark.slow
def test_killed_again_and_again_it_ends_in_the_same_bytes(tmp_path: Path, case: Case) -> None:
    session = case.session(tmp_path)
    for stage, frames in (("keyframes", 1), ("propagate", 3), ("propagate", 17), ("propagate", 2), ("matte", 1)):
        command = [sys.executable, "-c", KILLED_RUN, str(ROOT), str(tmp_path), session.state.id, stage, str(frames)]
        killed = subprocess.run(command, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    session = reopened(session)
    run_matting(session, check=False)
    assert pixels(session) == pixels(case.undisturbed)
