"""Two who change one session: nothing that either has changed is lost, whoever saves last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting_runner import add_mask, load_info, run_matting
from queue_logic import JobQueue, JobState
from session_store import (
    Delivered,
    EngineChoice,
    FramePrompts,
    Keyframe,
    MattingSession,
    MattingState,
    PointPrompt,
    SessionStore,
)
from tests import faults
from tests.conftest import disc
from tests.fault_bench import Bench, needs_linux


@pytest.fixture
def pair(tmp_path: Path) -> tuple[MattingSession, MattingSession]:
    """Return one session as two processes have it: as the app, and as the job that runs."""
    (tmp_path / "clip.mp4").write_bytes(b"x")
    app = SessionStore(tmp_path / "sessions").create(tmp_path / "clip.mp4")
    for name in ("dog", "cat"):
        app.add_object(name).keyframes = {index: Keyframe(origin="mask", digest=f"{index}") for index in (0, 9)}
    app.save()
    return app, SessionStore(tmp_path / "sessions").open(app.state.id)


def saved(session: MattingSession) -> MattingState:
    return SessionStore(session.folder.parent).open(session.state.id).state


def decide(app: MattingSession) -> None:
    dog = app.state.objects[0]
    dog.name, dog.colour = "Rex", "#123456"
    dog.prompts[4] = FramePrompts(points=[PointPrompt(x=1, y=2)])
    dog.keyframes[4] = Keyframe(origin="mask", digest="new")
    del dog.keyframes[9]
    app.add_object("bird")
    app.state.matter = EngineChoice(name="guided", params={"band": 4.0})
    app.state.formats = ["png"]


def compute(job: MattingSession) -> None:
    dog = job.state.objects[0]
    dog.propagated.mark(1, 9, "flow")
    dog.confidence = {1: 0.5}
    dog.keyframes[2] = Keyframe(origin="prompts", digest="made")
    job.state.extracted = 10
    job.state.alpha.mark(0, 5, "guided")
    job.state.delivered["alpha"] = Delivered(path="alpha.mp4", mark="m")


@pytest.mark.parametrize("order", ["app first", "job first"])
def test_what_both_changed_stays(pair: tuple[MattingSession, MattingSession], order: str) -> None:
    app, job = pair
    decide(app)
    compute(job)
    for session in (app, job) if order == "app first" else (job, app):
        session.save()
    state = saved(app)
    dog = state.objects[0]
    assert (dog.name, dog.colour, list(dog.prompts)) == ("Rex", "#123456", [4])
    assert sorted(dog.keyframes) == [0, 2, 4] and dog.keyframes[4].digest == "new"
    assert dog.propagated.get(5) == "flow" and dog.confidence == {1: 0.5}
    assert [item.name for item in state.objects] == ["Rex", "cat", "bird"]
    assert (state.matter.params, state.formats, state.extracted) == ({"band": 4.0}, ["png"], 10)
    assert state.alpha.get(4) == "guided" and list(state.delivered) == ["alpha"]


def test_a_run_keeps_the_decisions_it_began_with_and_the_app_takes_up_what_it_did(
    pair: tuple[MattingSession, MattingSession],
) -> None:
    app, job = pair
    decide(app)
    app.save()
    compute(job)
    job.save()
    assert job.state.objects[0].name == "dog" and 9 in job.state.objects[0].keyframes
    job.state.extracted = 11
    job.save()
    app.state.name = "not saved yet"
    app.refresh()
    assert (app.state.extracted, app.state.name, app.state.objects[0].name) == (11, "not saved yet", "Rex")
    app.save()
    assert saved(app).name == "not saved yet" and saved(app).extracted == 11


def test_a_deleted_object_does_not_come_back(pair: tuple[MattingSession, MattingSession]) -> None:
    app, job = pair
    app.state.objects = app.state.objects[1:]
    app.save()
    compute(job)
    job.save()
    assert [item.name for item in saved(app).objects] == ["cat"]


def test_where_both_changed_the_same_thing_who_saves_last_counts(pair: tuple[MattingSession, MattingSession]) -> None:
    app, job = pair
    app.state.formats, job.state.formats = ["png"], ["exr"]
    app.save()
    job.save()
    assert saved(app).formats == ["exr"]


EDITS: list[Callable[[MattingState], object]] = [
    lambda state: setattr(state, "name", state.name + "!"),
    lambda state: state.objects[0].confidence.update({len(state.objects[0].confidence): 0.5}),
    lambda state: state.objects[1].keyframes.pop(0, None),
    lambda state: state.delivered.update({f"f{len(state.delivered)}": Delivered(path="p", mark="m")}),
    lambda state: setattr(state, "extracted", state.extracted + 1),
]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(range(5)), st.booleans()), max_size=12))
def test_edits_of_different_things_are_never_lost(steps: list[tuple[bool, int, bool]]) -> None:
    """Two sessions that change different things and save when they like end as one who did it all."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "clip.mp4").write_bytes(b"x")
        alone = SessionStore(Path(folder) / "sessions").create(Path(folder) / "clip.mp4")
        for name in ("dog", "cat"):
            alone.add_object(name).keyframes = {0: Keyframe(origin="mask", digest="0")}
        alone.save()
        both = [SessionStore(alone.folder.parent).open(alone.state.id) for _ in range(2)]
        for first, edit, save in steps:
            owner = both[edit % 2]  # each thing has one who changes it; the other one only saves
            EDITS[edit](owner.state)
            EDITS[edit](alone.state)
            if save:
                both[first].save()
        for session in both:
            session.save()
        assert saved(alone) == alone.state


@needs_linux
def test_the_user_goes_on_deciding_while_the_job_runs(bench: Bench, tmp_path: Path) -> None:
    """A new keyframe during a real run: the run ends as it began, and the next one redoes just what is stale."""
    faults.plan(bench.workspace, "hold", "matte", 10)
    thread = threading.Thread(target=bench.run)
    thread.start()
    while not (bench.workspace / "fault.met").exists():
        thread.join(0.02)
    app = bench.opened()
    image = tmp_path / "mask.png"
    cv2.imwrite(str(image), disc(20))
    add_mask(app, app.state.objects[0], 58, image, load_info(app))
    app.state.objects[0].name = "the disc"
    app.save()
    (bench.workspace / "go").touch()
    thread.join()
    assert bench.queue.get("1").state is JobState.DONE, bench.queue.get("1").error
    state = bench.opened().state
    assert state.objects[0].name == "the disc" and 58 in state.objects[0].keyframes and set(state.delivered)
    session = bench.opened()
    before = {path.name: path.stat().st_mtime_ns for path in session.masks_dir(1, "propagated").iterdir()}
    run_matting(session)
    redone = {
        int(path.stem)
        for path in session.masks_dir(1, "propagated").iterdir()
        if path.stat().st_mtime_ns != before.get(path.name)
    }
    assert redone == {*range(51, 58), *range(59, 64)}
    assert JobQueue(bench.workspace).get("1").state is JobState.DONE
