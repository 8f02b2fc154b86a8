"""The runner: what it makes, what it makes again, and what it keeps when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import Cancelled, MediaError, PromptError, SessionBusyError, SessionError, StoreError
from matting_runner import Progress, add_mask, create_session, export_session, load_info, run_matting
from matting_runner.matte_stage import SessionGuides
from pipeline.alpha_store import AlphaStore
from pipeline.probe import scan
from session_store import FramePrompts, MattingSession, PointPrompt, SessionStore
from tests.clip_sessions import pixels
from tests.conftest import FRAMES, SIZE, disc

ROOT = Path(__file__).resolve().parent.parent
KEYFRAMES = (0, 60)

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
run_matting(SessionStore(Path(sys.argv[2])).open(sys.argv[3]), on_progress=watch)
"""


def make_session(root: Path, clip: Path, mask_file: Callable[[int], Path]) -> MattingSession:
    session = create_session(SessionStore(root), clip)
    item = session.add_object("disc")
    for index in KEYFRAMES:
        add_mask(session, item, index, mask_file(index), load_info(session))
    session.save()
    return session


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, small_clip: Path) -> MattingSession:
    folder = tmp_path_factory.mktemp("undisturbed")

    def mask_file(index: int) -> Path:
        cv2.imwrite(str(folder / f"{index}.png"), disc(index))
        return folder / f"{index}.png"

    session = make_session(folder / "sessions", small_clip, mask_file)
    run_matting(session)
    return session


def test_makes_masks_alpha_and_deliverables(undisturbed: MattingSession) -> None:
    info = load_info(undisturbed)
    assert info.exact and info.frames == FRAMES
    assert len(list(undisturbed.frames_dir.glob("*.jpg"))) == FRAMES
    assert len(list(undisturbed.masks_dir(1, "propagated").glob("*.png"))) == FRAMES - len(KEYFRAMES)
    assert not undisturbed.masks_dir(1, "drafts").exists()
    assert AlphaStore(undisturbed.alpha_dir).spans() == [(0, FRAMES)]
    for name in ("alpha.mp4", "foreground.mp4"):
        made = scan(undisturbed.folder / name)
        assert (made.frames, made.rate, made.times) == (FRAMES, info.rate, info.times)
    assert scan(undisturbed.folder / "foreground.mp4").audio is not None
    assert undisturbed.state.last_run is not None and undisturbed.state.last_run.status == "done"


def test_the_alpha_is_the_disc(undisturbed: MattingSession) -> None:
    store = AlphaStore(undisturbed.alpha_dir)
    for index in range(0, FRAMES, 10):
        wrong = np.abs(store.read(index) - disc(index) / 255.0).mean()
        assert wrong < 0.03, f"frame {index} is {wrong:.3f} off"


def test_a_second_run_does_nothing(undisturbed: MattingSession) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.folder.rglob("*.[pm][npk]*")}
    result = run_matting(SessionStore(undisturbed.folder.parent).open(undisturbed.state.id))
    assert result.fps == {} and result.frames == FRAMES and set(result.outputs) == {"alpha", "foreground"}
    assert {path: path.stat().st_mtime_ns for path in undisturbed.folder.rglob("*.[pm][npk]*")} == before


@pytest.mark.parametrize(
    ("stage", "frames"),
    [
        ("propagate", 40),
        *(pytest.param(*place, marks=pytest.mark.slow) for place in (
            ("frames", 1), ("frames", 70), ("propagate", 1), ("propagate", 95), ("matte", 1), ("matte", 60),
            ("deliver", 50),
        )),
    ],
)  # fmt: skip
def test_killed_anywhere_it_goes_on_to_the_same_bytes(
    tmp_path: Path,
    small_clip: Path,
    mask_file: Callable[[int], Path],
    undisturbed: MattingSession,
    stage: str,
    frames: int,
) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    command = [sys.executable, "-c", KILLED_RUN, str(ROOT), str(session.folder.parent), session.state.id]
    killed = subprocess.run([*command, stage, str(frames)], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    session = SessionStore(session.folder.parent).open(session.state.id)
    assert session.state.last_run is not None and session.state.last_run.status == "running"
    run_matting(session)
    assert pixels(session) == pixels(undisturbed)
    assert not list(session.folder.rglob("*.partial")) and not list(session.folder.rglob("*.tmp"))
    assert scan(session.folder / "foreground.mp4").frames == FRAMES


def test_killed_among_the_keyframes_it_goes_on_to_the_same_bytes(tmp_path: Path, small_clip: Path) -> None:
    sessions = []
    for name in ("undisturbed", "killed"):
        session = create_session(SessionStore(tmp_path / name), small_clip)
        item = session.add_object("disc")
        for index in (0, 5):
            item.prompts[index] = FramePrompts(
                points=[PointPrompt(x=30, y=32), PointPrompt(x=80, y=10, positive=False)]
            )
        session.state.range = (0, 8)
        session.save()
        sessions.append(session)
    undisturbed, session = sessions
    run_matting(undisturbed)
    command = [sys.executable, "-c", KILLED_RUN, str(ROOT), str(session.folder.parent), session.state.id]
    killed = subprocess.run([*command, "keyframes", "1"], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    session = SessionStore(session.folder.parent).open(session.state.id)
    assert list(session.state.objects[0].keyframes) == [0]
    run_matting(session)
    assert pixels(session) == pixels(undisturbed)


def test_stopped_by_the_user_it_keeps_what_was_done(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path], undisturbed: MattingSession
) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    seen: list[Progress] = []
    with pytest.raises(Cancelled, match="goes on from there"):
        run_matting(
            session,
            on_progress=seen.append,
            should_stop=lambda: bool(seen) and seen[-1].stage == "propagate" and seen[-1].done >= 60,
        )
    session = SessionStore(session.folder.parent).open(session.state.id)
    assert session.state.last_run is not None and session.state.last_run.status == "cancelled"
    result = run_matting(session)
    assert result.fps.keys() == {"propagate", "matte", "deliver"}
    assert pixels(session) == pixels(undisturbed)


def test_a_corrected_keyframe_redoes_only_what_depends_on_it(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]
) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    item = session.state.objects[0]
    info = load_info(session)
    add_mask(session, item, 100, mask_file(100), info)
    run_matting(session)
    before = {index: AlphaStore(session.alpha_dir).read(index) for index in (10, 58, 80, 99, 105)}
    masks = {path.name: path.stat().st_mtime_ns for path in session.masks_dir(1, "propagated").iterdir()}
    add_mask(session, item, 100, mask_file(40), info)  # a wrong correction, so that its effect shows
    result = run_matting(session)
    redone = {
        int(path.stem)
        for path in session.masks_dir(1, "propagated").iterdir()
        if path.stat().st_mtime_ns != masks[path.name]
    }
    assert redone == {*range(61, 100), *range(101, FRAMES)}
    store = AlphaStore(session.alpha_dir)
    for index in (10, 58):
        np.testing.assert_array_equal(store.read(index), before[index])
    assert any((store.read(index) != before[index]).any() for index in (99, 105))
    assert set(result.outputs) == {"alpha", "foreground"}


def test_lost_files_are_made_again(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path], undisturbed: MattingSession
) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    run_matting(session)
    (session.frames_dir / "000050.jpg").unlink()
    (session.masks_dir(1, "propagated") / "000033.png").unlink()
    next(iter(sorted(session.alpha_dir.iterdir()))).unlink()
    (session.folder / "alpha.mp4").unlink()
    run_matting(SessionStore(session.folder.parent).open(session.state.id))
    assert pixels(session) == pixels(undisturbed)
    assert len(list(session.frames_dir.glob("*.jpg"))) == FRAMES and (session.folder / "alpha.mp4").is_file()


def test_a_lost_keyframe_says_so(tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    (session.masks_dir(1, "keyframes") / "000060.png").unlink()
    with pytest.raises(StoreError, match="give that keyframe again"):
        run_matting(session)


def test_several_objects_are_joined(tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    other = session.add_object("corner")
    corner = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    corner[:12, -12:] = 255
    cv2.imwrite(str(tmp_path / "corner.png"), corner)
    add_mask(session, other, 5, tmp_path / "corner.png", load_info(session))
    session.state.range = (3, 9)
    result = run_matting(session)
    assert result.frames == 6
    guide = SessionGuides(session, SIZE).read(5)
    assert guide.mask[3, -3] == 255 and guide.mask[32, 31] == 255
    alpha = AlphaStore(session.alpha_dir).read(5)
    assert alpha[3, -3] > 0.9 and alpha[32, 31] > 0.9 and alpha[60, 90] == 0


def test_a_range_delivers_just_those_frames(tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    session.state.range = (70, 75)
    session.state.formats = ["alpha", "png"]
    result = run_matting(session)
    assert result.frames == 5 and scan(result.outputs["alpha"]).frames == 5
    assert sorted(path.name for path in result.outputs["png"].glob("*.png"))[0].startswith("000070")


def test_prompts_become_a_keyframe(tmp_path: Path, small_clip: Path) -> None:
    session = create_session(SessionStore(tmp_path / "sessions"), small_clip)
    session.add_object("disc").prompts[0] = FramePrompts(
        points=[PointPrompt(x=30, y=32), PointPrompt(x=80, y=10, positive=False)]
    )
    session.state.range = (0, 3)
    run_matting(session)
    keyframe = session.state.objects[0].keyframes[0]
    assert keyframe.origin == "prompts" and keyframe.score is not None
    mask = SessionGuides(session, SIZE).read(0).mask > 127
    truth = disc(0) > 127
    assert (mask & truth).sum() / (mask | truth).sum() > 0.8
    assert run_matting(session).fps == {}
    session.state.objects[0].prompts[0].points[0] = PointPrompt(x=31, y=33)
    assert run_matting(session).seconds["keyframes"] > 0


def test_export_makes_other_formats_without_an_engine(
    undisturbed: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an engine was asked for")

    monkeypatch.setattr("engines.registry.create", refuse)
    monkeypatch.setattr("matting_runner.matte_stage.create", refuse)
    result = export_session(undisturbed, ["prores", "exr"])
    assert scan(result.outputs["prores"]).frames == FRAMES
    assert len(list(result.outputs["exr"].glob("*.exr"))) == FRAMES


def test_export_before_the_run_says_what_to_do(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]
) -> None:
    with pytest.raises(SessionError, match=r"finish it first: run\.py run"):
        export_session(make_session(tmp_path, small_clip, mask_file), ["png"])


def test_no_keyframe_says_so(tmp_path: Path, small_clip: Path) -> None:
    session = create_session(SessionStore(tmp_path), small_clip)
    with pytest.raises(PromptError, match="no keyframe"):
        run_matting(session)
    assert session.state.last_run is not None and session.state.last_run.status == "failed"


def test_prompts_beyond_the_clip_are_refused(tmp_path: Path, small_clip: Path) -> None:
    session = create_session(SessionStore(tmp_path), small_clip)
    session.add_object().prompts[FRAMES] = FramePrompts(points=[PointPrompt(x=1, y=1)])
    with pytest.raises(PromptError, match=f"the last is {FRAMES - 1}"):
        run_matting(session)


def test_not_a_video_leaves_no_session(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    store = SessionStore(tmp_path / "sessions")
    with pytest.raises(MediaError):
        create_session(store, tmp_path / "text.mp4")
    assert list(store.ids()) == []


def test_two_runs_at_once_exclude_each_other(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]
) -> None:
    session = make_session(tmp_path, small_clip, mask_file)
    with session.lock(), pytest.raises(SessionBusyError):
        run_matting(SessionStore(tmp_path).open(session.state.id))
