"""Sizes, progress and clean-up of sessions: what goes, what stays, and that a run makes the same bytes again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import SessionBusyError, SessionNotFoundError, StorageError
from matting_runner import add_mask, create_session, load_info, run_matting
from pipeline.alpha_store import AlphaStore
from session_store import (
    MattingSession,
    RunRecord,
    SessionStore,
    clean,
    folder_usage,
    is_finished,
    progress,
    removable,
    sizes,
    tree_bytes,
    usage,
)
from tests.conftest import disc, write_clip

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 60  # more than one chunk


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> MattingSession:
    """Return a finished session with keyframes at its ends; do not touch it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    session = create_session(SessionStore(folder / "sessions"), write_clip(folder / "clip.mp4", FRAMES, audio=False))
    item = session.add_object("disc")
    for index in (0, FRAMES - 1):
        cv2.imwrite(str(folder / f"{index}.png"), disc(index))
        add_mask(session, item, index, folder / f"{index}.png", load_info(session))
    session.save()
    run_matting(session)
    return session


@pytest.fixture
def session(undisturbed: MattingSession, tmp_path: Path) -> MattingSession:
    """Return a copy of the finished session."""
    folder = tmp_path / "sessions" / undisturbed.state.id
    shutil.copytree(undisturbed.folder, folder)
    return SessionStore(folder.parent).open(folder.name)


def reopen(session: MattingSession) -> MattingSession:
    return SessionStore(session.folder.parent).open(session.state.id)


def content(session: MattingSession, *parts: str) -> dict[str, bytes]:
    """Return every file of the parts (all if none is named) but the states', by its path."""
    paths = [
        path for path in session.folder.rglob("*") if path.is_file() and not path.name.endswith((".lock", "state.json"))
    ]
    own, common = session.folder.name.encode(), b"I" * len(session.folder.name)  # sidecars say whose they are
    named = {path.relative_to(session.folder).as_posix(): path.read_bytes().replace(own, common) for path in paths}
    return {name: data for name, data in named.items() if not parts or name.startswith(parts)}


def draw(path: Path, index: int) -> Path:
    cv2.imwrite(str(path), np.roll(disc(index), 5, axis=1))
    return path


def test_usage_names_every_part(session: MattingSession) -> None:
    (session.folder / "alpha" / "000096.partial").write_bytes(bytes(7))
    (session.folder / "png.partial").mkdir()
    (session.folder / "png.partial" / "000000.png").write_bytes(bytes(4))
    (session.folder / "note.txt").write_bytes(bytes(3))
    made = usage(session)
    sums = {
        part: sum(map(len, content(session, part).values())) for part in ("frames/", "source.", "masks/1/keyframes/")
    }
    assert (made.frames, made.source, made.keyframes) == tuple(sums.values()) and min(sums.values()) > 0
    assert made.leftovers == 11 and made.drafts == 0
    assert made.masks == sum(map(len, content(session, "masks/1/propagated/").values())) > 0
    assert made.alpha == sum(map(len, content(session, "alpha/").values())) - 7 > 0
    assert made.deliverables == sum(map(len, content(session, "alpha.mp4", "foreground.mp4").values())) > 0
    everything = sum(path.stat().st_size for path in session.folder.rglob("*") if path.is_file())
    assert made.total == everything == tree_bytes(session.folder) == folder_usage(session.folder).total
    assert folder_usage(session.folder).deliverables == 0


def test_usage_of_what_is_gone_is_nothing(tmp_path: Path) -> None:
    assert folder_usage(tmp_path / "gone").total == 0 == tree_bytes(tmp_path / "gone")


def test_usage_follows_no_links(session: MattingSession, tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "file").write_bytes(bytes(1 << 20))
    before = usage(session).total
    (session.folder / "link").symlink_to(tmp_path / "large")
    assert usage(session).total < before + 1000


def test_progress_grows_from_nothing_to_one(session: MattingSession, tmp_path: Path) -> None:
    assert progress(session) == 1.0
    state = session.state
    state.last_run = RunRecord(status="cancelled")
    state.delivered.clear()
    assert progress(session) == pytest.approx(2 / 3)
    state.alpha.discard(30, FRAMES)
    assert progress(session) == pytest.approx(0.5)
    state.range = (30, FRAMES)
    assert progress(session) == pytest.approx(1 / 3)
    state.objects[0].propagated.spans = []
    assert 0 < progress(session) < 0.02  # the keyframe
    state.objects.clear()
    assert progress(session) == 0.0
    (session.folder / "meta.json").write_text("{")
    state.range = None
    session.add_object()
    assert progress(session) == 0.0


def test_clean_removes_frames_and_leftovers_of_a_finished_session(session: MattingSession) -> None:
    before = content(session)
    for name in ("frames/000001.jpg.partial", "masks/1/drafts/000003.png", "prores4444.mov.partial"):
        (session.folder / name).parent.mkdir(exist_ok=True)
        (session.folder / name).write_bytes(bytes(5))
    shown = sizes(removable(session))
    assert clean(session) == shown and shown.keys() == {"leftovers", "drafts", "frames"} and shown["drafts"] == 5
    assert content(session) == {name: data for name, data in before.items() if not name.startswith("frames/")}
    assert reopen(session).state.extracted == 0
    assert clean(session) == {} == removable(session)


def test_a_second_run_extracts_no_frames_again(session: MattingSession) -> None:
    clean(session)
    left = content(session)
    result = run_matting(reopen(session))
    assert result.fps == {} and content(session) == left


def test_a_lost_deliverable_comes_back_without_frames(session: MattingSession, undisturbed: MattingSession) -> None:
    clean(session)
    (session.folder / "alpha.mp4").unlink()
    assert run_matting(reopen(session)).fps.keys() == {"deliver"}
    assert content(session, "alpha.mp4") == content(undisturbed, "alpha.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("deep", [False, True])
def test_a_changed_keyframe_gives_the_same_as_without_a_clean_up(
    session: MattingSession, tmp_path: Path, deep: bool
) -> None:
    twin_folder = tmp_path / "twin" / session.state.id
    shutil.copytree(session.folder, twin_folder)
    clean(session, deep=deep)
    for each in (reopen(session), MattingSession.load(twin_folder)):
        item = each.state.objects[0]
        add_mask(each, item, 30, draw(tmp_path / "30.png", 30), load_info(each))
        each.save()
        run_matting(each)
    twin = MattingSession.load(twin_folder)
    for name in ("frames/", "masks/", "alpha.mp4", "foreground.mp4"):
        made = content(session, name)  # the twin still has the mask that the keyframe took the place of
        assert made and made.items() <= content(twin, name).items()
    ours, theirs = AlphaStore(session.alpha_dir), AlphaStore(twin.alpha_dir)  # they may be cut into other chunks
    np.testing.assert_array_equal(list(ours.frames(0, FRAMES)), list(theirs.frames(0, FRAMES)))


def test_deep_clean_keeps_what_is_the_users_and_a_run_makes_the_rest_again(
    session: MattingSession, undisturbed: MattingSession
) -> None:
    freed = clean(session, deep=True)
    assert freed.keys() == {"frames", "masks", "alpha"} and min(freed.values()) > 0
    kept = content(session)
    assert {name.partition("/")[0] for name in kept} == {
        "masks", "source.mp4", "meta.json", "alpha.mp4", "foreground.mp4",
        "alpha.mp4.sidecar.json", "foreground.mp4.sidecar.json",
    }  # fmt: skip
    assert kept == content(undisturbed, *kept)
    assert usage(session).alpha == 0 and progress(reopen(session)) == 1.0
    result = run_matting(reopen(session))
    assert result.fps.keys() == {"frames", "propagate", "matte"}, "deliverables are current"
    assert content(session) == content(undisturbed)


@pytest.mark.parametrize("status", ["cancelled", "failed", "running", None])
def test_work_that_is_not_finished_keeps_everything(session: MattingSession, status: str | None) -> None:
    session.state.last_run = RunRecord.model_validate({"status": status}) if status else None
    session.state.objects[0].drafts.mark(3, 4, "x")
    (session.masks_dir(1, "drafts")).mkdir()
    (session.masks_dir(1, "drafts") / "000003.png").write_bytes(b"draft")
    session.save()
    before = content(session)
    assert not is_finished(session) and clean(session, deep=True) == {} and content(session) == before
    assert reopen(session).state == session.state


def test_a_missing_deliverable_means_not_finished(session: MattingSession) -> None:
    (session.folder / "alpha.mp4").unlink()
    assert not is_finished(session) and clean(session, deep=True) == {}


def test_drafts_that_the_state_does_not_know_go(session: MattingSession) -> None:
    session.state.last_run = RunRecord(status="cancelled")
    session.save()
    (session.masks_dir(1, "drafts")).mkdir()
    (session.masks_dir(1, "drafts") / "000003.png").write_bytes(b"draft")
    assert clean(session) == {"drafts": 5} and not session.masks_dir(1, "drafts").exists()


def test_a_deliverable_in_the_middle_of_being_replaced_stays(session: MattingSession) -> None:
    for name in ("exr.old.partial", "png.old.partial", "png"):
        (session.folder / name).mkdir()
    clean(session)
    assert (session.folder / "exr.old.partial").exists() and not (session.folder / "png.old.partial").exists()


KILLED_CLEAN = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import session_store.cleanup as cleanup
from session_store import MattingSession
left, whole = int(sys.argv[3]), cleanup.discard
def discard(path):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    whole(path)
cleanup.discard = discard
cleanup.clean(MattingSession.load(Path(sys.argv[2])), deep=True)
"""


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_killed_while_cleaning_it_is_made_again_not_wrong(
    session: MattingSession, undisturbed: MattingSession, removed: int
) -> None:
    command = [sys.executable, "-c", KILLED_CLEAN, str(ROOT), str(session.folder), str(removed)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 9
    state = reopen(session).state
    assert state.extracted == 0 and not state.alpha.spans and not state.objects[0].propagated.spans
    assert len(content(session, "frames/")) == (FRAMES if removed == 0 else 0)
    run_matting(reopen(session))
    assert content(session) == content(undisturbed)


def test_a_busy_session_is_not_cleaned(session: MattingSession) -> None:
    before = content(session)
    with reopen(session).lock(), pytest.raises(SessionBusyError):
        clean(session)
    assert content(session) == before


def test_a_deleted_session_is_not_cleaned(session: MattingSession) -> None:
    SessionStore(session.folder.parent).delete(session.state.id)
    with pytest.raises(SessionNotFoundError):
        clean(session)
    assert not session.folder.exists()


@pytest.mark.parametrize("where", ["session_store.cleanup.discard", "json_store.write_bytes"])
def test_a_read_only_disk_says_so(
    session: MattingSession, undisturbed: MattingSession, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(where, refuse)
    with pytest.raises(StorageError, match="read-only"):
        clean(session, deep=True)
    monkeypatch.undo()
    run_matting(reopen(session))
    assert content(session) == content(undisturbed)


def test_what_has_changed_since_it_was_shown_is_looked_at_again(session: MattingSession) -> None:
    shown = reopen(session)
    session.state.last_run = RunRecord(status="cancelled")
    session.save()
    assert removable(shown).keys() == {"frames"} and clean(shown) == {}
