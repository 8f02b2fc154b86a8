"""Sessions that change: mask operations and their marks, old states, names, copies; and what the page shows of it."""

from __future__ import annotations

import errno
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from app_logic.matting_side import MattingSide
from app_logic.side import Surroundings
from app_logic.view import mask_lane, session_view
from app_logic.work import Work
from engines.spec import Job
from errors import ParameterError, PromptError, SessionBusyError, SessionNotFoundError, StorageError
from matting_runner import create_session, run_matting, set_keyframe
from matting_runner.marks import alpha_marks, engine_mark
from matting_runner.matte_stage import SessionGuides
from pipeline.masks import operate
from queue_logic import JobQueue, JobState
from runner_base.facts import load_info, save_info
from session_store import Keyframe, MaskOperations, MattingSession, Provenance, SessionStore
from tests.conftest import disc, write_clip

FRAMES = 9


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workspace of a session that has everything."""
    workspace = tmp_path_factory.mktemp("one") / "workspace"
    clip = write_clip(workspace.parent / "clip.mp4", FRAMES, audio=False)
    session = create_session(SessionStore(workspace / "sessions"), clip)
    item = session.add_object("disc")
    set_keyframe(session, item, 0, disc(0), Keyframe(origin="mask", digest=""))
    session.state.formats = ["alpha"]
    session.save()
    run_matting(session)
    return workspace


@pytest.fixture
def store(finished: Path, tmp_path: Path) -> SessionStore:
    """Return a copy of that workspace's sessions for a test to change."""
    shutil.copytree(finished, tmp_path / "workspace")
    return SessionStore(tmp_path / "workspace" / "sessions")


@pytest.fixture
def session(store: SessionStore) -> MattingSession:
    return store.open(next(store.ids()))


def view(session: MattingSession) -> dict[str, Any]:
    return session_view(session, 1, {}, {})


@pytest.mark.parametrize(
    ("fields", "place", "value"),
    [({"grow": 3}, (32, 46), 255), ({"grow": -3}, (32, 43), 0), ({"fill_holes": True}, (32, 30), 255),
     ({"remove_specks": 50}, (3, 3), 0), ({"smooth": 6}, (32, 30), None), ({}, (3, 3), 255)],
)  # fmt: skip
def test_operations_do_what_they_say(fields: dict[str, float], place: tuple[int, int], value: int | None) -> None:
    mask = disc(0)
    mask[30:35, 28:33] = 0  # a hole
    mask[2:5, 2:5] = 255  # a speck
    made = operate(mask, **fields)  # type: ignore[arg-type]
    assert value is None or made[place] == value
    assert (made != mask).any() == bool(fields)


def test_specks_go_before_the_mask_grows() -> None:
    mask = disc(0)
    mask[2:5, 2:5] = 255
    assert not operate(mask, grow=4, remove_specks=20)[:9, :9].any()


def test_operations_make_the_alpha_stale_and_no_mask(session: MattingSession) -> None:
    before = alpha_marks(session.state, FRAMES)
    assert {entry[2] for entry in view(session)["alpha"]} == {"matted"}
    session.state.objects[0].operations = MaskOperations(feather=2)
    assert set(before).isdisjoint(alpha_marks(session.state, FRAMES))
    shown = view(session)
    assert {entry[2] for entry in shown["alpha"]} == {"stale"}
    assert {entry[2] for entry in shown["objects"][0]["lane"]} == {"keyframe", "propagated"}
    session.state.objects[0].operations = MaskOperations()
    assert alpha_marks(session.state, FRAMES) == before, "what is taken back is not stale any more"


def test_the_matter_sees_masks_after_their_operations_hidden_ones_too(session: MattingSession) -> None:
    plain = SessionGuides(session, (96, 64)).read(4).mask
    session.state.objects[0].operations = MaskOperations(grow=3)
    session.state.objects[0].visible = False
    assert (SessionGuides(session, (96, 64)).read(4).mask == operate(plain, grow=3)).all()


def test_a_state_of_the_version_before_opens_and_keeps_its_results(session: MattingSession) -> None:
    path = session.folder / "state.json"
    data = json.loads(path.read_text())
    assert data["version"] == 3
    for item in data["objects"]:
        for name in ("operations", "visible", "opacity"):
            del item[name]
    path.write_text(json.dumps(data | {"version": 1}))
    opened = MattingSession.load(session.folder)
    assert opened.state.objects[0].operations.is_default() and opened.state.objects[0].visible
    assert {entry[2] for entry in view(opened)["alpha"]} == {"matted"}
    opened.save()
    assert json.loads(path.read_text())["version"] == 3


def test_a_corrected_keyframe_makes_just_the_frames_to_its_neighbours_stale(session: MattingSession) -> None:
    item = session.state.objects[0]
    for frame in (3, 6):
        set_keyframe(session, item, frame, disc(frame), Keyframe(origin="mask", digest=""))
    session.save()
    run_matting(session)
    versions = {entry[0]: entry[3] for entry in view(session)["objects"][0]["lane"]}
    set_keyframe(session, item, 3, disc(8), Keyframe(origin="mask", digest=""))
    lane = view(session)["objects"][0]["lane"]
    kinds = {i: kind for start, stop, kind, _ in lane for i in range(start, stop)}
    assert [i for i, kind in kinds.items() if kind == "stale"] == [1, 2, 4, 5]
    assert [i for i, kind in kinds.items() if kind == "propagated"] == [7, 8]
    changed = {entry[0] for entry in lane if versions.get(entry[0]) != entry[3]}
    assert changed == {3}, "a mask that is stale is still the same picture"


def test_a_view_of_3000_frames_and_4_objects_is_quick(session: MattingSession) -> None:
    save_info(session, load_info(session).model_copy(update={"frames": 3000}))
    session.state.objects = [session.state.objects[0].model_copy(update={"id": n}, deep=True) for n in range(1, 5)]
    for item in session.state.objects:
        item.keyframes = {key: Keyframe(origin="mask", digest=f"{key}") for key in range(0, 3000, 250)}
        engine = engine_mark(Job.PROPAGATOR, session.state.propagator)
        item.propagated = Provenance()
        for frame in range(3000):
            if frame % 250 == 1:
                item.propagated.mark(frame, frame + 249, item.mask_mark(frame, engine, "both") or "")
    lane = mask_lane(session.state.objects[0], 3000, engine, "both")
    assert sum(entry[1] - entry[0] for entry in lane) == 3000 and {entry[2] for entry in lane} == {
        "keyframe",
        "propagated",
    }
    seconds = []
    for _ in range(3):
        begin = time.thread_time()  # what others take of the processor does not count
        view(session)
        seconds.append(time.thread_time() - begin)
    assert min(seconds) < 0.15


def test_a_copy_is_a_session_of_its_own(store: SessionStore, session: MattingSession) -> None:
    copy = store.duplicate(session.state.id)
    assert copy.state.id != session.state.id and copy.state.name == "clip copy"
    assert {entry[2] for entry in view(copy)["alpha"]} == {"matted"}
    assert (copy.folder / "alpha.mp4").read_bytes() == (session.folder / "alpha.mp4").read_bytes()
    store.delete(session.state.id)
    assert run_matting(copy).frames == FRAMES


def test_nothing_is_copied_while_a_job_works_or_the_disk_is_full(
    store: SessionStore, session: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session.lock(), pytest.raises(SessionBusyError):
        store.duplicate(session.state.id)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(StorageError, match="disk is full"):
        store.duplicate(session.state.id)
    assert [path.name for path in store.root.iterdir()] == [session.state.id]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201, "\x07"])
def test_names_are_one_line(store: SessionStore, session: MattingSession, name: str) -> None:
    with pytest.raises(ParameterError):
        store.rename(session.state.id, name)
    store.rename(session.state.id, "  镜头 7 ")
    assert store.open(session.state.id).state.name == "镜头 7"


@pytest.fixture
def work(store: SessionStore) -> Work:
    return Work(JobQueue(store.root.parent), store, lambda seconds: None)


def test_a_wider_job_takes_the_place_of_one_that_waits(
    work: Work, store: SessionStore, session: MattingSession
) -> None:
    key = session.state.id
    other = store.duplicate(key).state.id
    work.deliver(other)
    work.extract(key)
    assert [row["session_id"] for row in work.listing()] == [key, other], "frames come first: somebody waits for them"
    work.propagate(key)
    work.matte(key)
    rows = work.listing()
    assert [(row["session_id"], row["until"]) for row in rows] == [(other, "deliver"), (key, "matte")]
    assert rows[1]["name"] == "clip" and rows[1]["can_cancel"] and not rows[1]["can_retry"]
    work.stop(key)
    assert work.active(key) is None and work.listing()[1]["state"] == "cancelled" and work.listing()[1]["can_retry"]
    with pytest.raises(SessionNotFoundError):
        work.propagate("nobody")


def test_nothing_is_queued_before_there_is_something_to_matte(work: Work, session: MattingSession) -> None:
    session.state.objects.clear()
    session.add_object("nothing yet")
    session.save()
    for start in (work.propagate, work.matte, work.deliver):
        with pytest.raises(PromptError, match="click on an object first"):
            start(session.state.id)
    assert work.extract(session.state.id) and len(work.listing()) == 1


def test_what_a_run_takes_is_told_before(work: Work, session: MattingSession) -> None:
    assert work.estimate(session.state.id, "deliver").seconds == 0
    session.state.objects[0].operations = MaskOperations(grow=1)
    session.save()
    assert work.estimate(session.state.id, "deliver").seconds > 0
    assert work.refusal(session.state.id, "deliver") == ""


def test_a_session_is_deleted_with_its_jobs_once_its_job_has_ended(
    store: SessionStore, session: MattingSession
) -> None:
    queue = JobQueue(store.root.parent)
    job = queue.add("matting", session.state.id, {})
    queue.update(job.id, state=JobState.RUNNING)
    waited: list[float] = []
    lock = session.lock()
    lock.__enter__()

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:  # the worker has heard of the cancel
            lock.__exit__(None, None, None)
            queue.update(job.id, state=JobState.CANCELLED)

    Work(queue, store, wait).delete(session.state.id)
    assert waited and queue.jobs() == [] and list(store.ids()) == []


def test_the_list_shows_names_states_and_sizes(store: SessionStore, session: MattingSession) -> None:
    around = Surroundings(store.root.parent, JobQueue(store.root.parent), lambda *_: None, lambda seconds: None)
    sessions = MattingSide(around, store, {}).list
    row = sessions.rows()[0]
    assert (row.id, row.name, row.state) == (session.state.id, "clip", "delivered")
    assert row.bytes == sum(path.stat().st_size for path in session.folder.rglob("*") if path.is_file())
    (store.root / "broken").mkdir()
    (store.root / "broken" / "state.json").write_text("{")
    assert {row.id: row.state for row in sessions.rows()}["broken"] == "unreadable"
