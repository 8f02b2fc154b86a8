"""What a user does to a session, without widgets: prompts, painting, undo, beside a run."""

from __future__ import annotations

import pkgutil
import random
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_logic.editor import SessionEditor
from errors import EngineFailedError, MaskError, ParameterError, PromptError
from matting_runner import Stage, create_session, run_matting
from matting_runner.interactive import CLICK
from pipeline.masks import MaskFolder
from session_store import MattingSession, SessionStore
from tests.conftest import disc, write_clip

FRAMES = 12
CENTRE = (30.0, 32.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES, audio=False)


def direct(target: str, *arguments: Any) -> Any:
    return pkgutil.resolve_name(target)(*arguments)


@pytest.fixture
def make(tmp_path: Path, clip: Path) -> Callable[..., SessionEditor]:
    """Return a function that gives the editor of a new session with extracted frames."""

    def editor(call: Callable[..., Any] = direct) -> SessionEditor:
        session = create_session(SessionStore(tmp_path / "sessions"), clip)
        run_matting(session, until=Stage.FRAMES)
        return SessionEditor(tmp_path, session, call)

    return editor


@pytest.fixture
def editor(make: Callable[..., SessionEditor]) -> SessionEditor:
    made = make()
    made.add_object()
    return made


def shown(editor: SessionEditor, frame: int = 0) -> np.ndarray:
    mask = editor.shown_mask(1, frame)
    assert mask is not None
    return mask


def rerun(editor: SessionEditor, until: Stage = Stage.PROPAGATE) -> MattingSession:
    """Run the session as a job would: in another object, while the editor has its own."""
    session = MattingSession.load(editor.session.folder)
    run_matting(session, until=until)
    editor.refresh()
    return session


def test_a_click_makes_a_keyframe_that_the_runner_takes_as_it_is(editor: SessionEditor) -> None:
    editor.add_point(1, 0, *CENTRE)
    mask = shown(editor)
    assert ((mask > 127) & (disc(0) > 127)).sum() > 0.8 * (disc(0) > 127).sum()
    before = editor.session.state.objects[0].keyframes[0]
    session = rerun(editor)
    assert session.state.objects[0].keyframes[0] == before
    assert session.state.last_run is not None and session.state.last_run.frames["keyframes"] == 0


def test_clicks_add_up_and_a_negative_one_takes_away(editor: SessionEditor) -> None:
    editor.add_point(1, 0, *CENTRE)
    editor.add_point(1, 0, 80.0, 10.0)
    with_both = shown(editor)
    editor.add_point(1, 0, 80.0, 10.0, positive=False)
    assert with_both[10, 80] == 255 and shown(editor)[10, 80] == 0
    assert len(editor.view()["objects"][0]["prompts"]["0"]["points"]) == 3


def test_nothing_can_be_taken_from_nothing(editor: SessionEditor) -> None:
    with pytest.raises(PromptError, match="click on the object first"):
        editor.add_point(1, 0, *CENTRE, positive=False)
    assert editor.session.state.objects[0].prompts == {}


@pytest.mark.parametrize(("frame", "x"), [(-1, 3.0), (FRAMES, 3.0), (0, float("nan"))])
def test_a_prompt_has_to_be_somewhere(editor: SessionEditor, frame: int, x: float) -> None:
    with pytest.raises(PromptError):
        editor.add_point(1, frame, x, 3.0)
    with pytest.raises(PromptError, match="object is gone"):
        editor.add_point(9, 0, 3.0, 3.0)


def test_prompts_outside_the_picture_are_brought_in(editor: SessionEditor) -> None:
    editor.set_box(1, 0, 50.0, 50.0, -9.0, 900.0)
    assert editor.view()["objects"][0]["prompts"]["0"]["box"] == [0.0, 50.0, 50.0, 63.0]


def test_a_brush_paints_exactly_and_an_eraser_takes(editor: SessionEditor) -> None:
    editor.paint(1, 3, [(20.0, 20.0), (60.0, 20.0)], 5.0)
    mask = shown(editor, 3)
    rows, columns = np.nonzero(mask > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 25, 15, 65)
    assert mask.sum() / 255 == pytest.approx(40 * 10 + np.pi * 25, rel=0.01), "within half a pixel of the edge"
    editor.paint(1, 3, [(40.0, 20.0)], 3.0, positive=False)
    assert shown(editor, 3)[20, 40] == 0 and shown(editor, 3)[20, 30] == 255
    editor.paint(1, 3, [(-500.0, -500.0), (5.0, 5.0)], 2.0)
    assert shown(editor, 3)[5, 5] == 255
    with pytest.raises(PromptError):
        editor.paint(1, 3, [], 3.0)


def test_a_click_on_a_painted_mask_corrects_it(editor: SessionEditor) -> None:
    editor.paint(1, 0, [(70.0, 50.0)], 6.0)
    editor.add_point(1, 0, *CENTRE)
    mask = shown(editor)
    assert mask[50, 70] == 255 and mask[32, 30] == 255, "what was painted stays, the click adds to it"
    assert editor.session.state.objects[0].prompts[0].base
    session = rerun(editor)
    assert session.state.last_run is not None and session.state.last_run.frames["keyframes"] == 0


def test_a_click_on_a_propagated_mask_corrects_that(editor: SessionEditor) -> None:
    editor.use_mask(1, 0, disc(0), "mask import")
    rerun(editor)
    before = shown(editor, 6)
    editor.add_point(1, 6, 85.0, 8.0)
    after = shown(editor, 6)
    assert after[8, 85] == 255
    assert ((after > 127) & (before > 127)).sum() > 0.9 * (before > 127).sum()


def test_a_negative_click_alone_corrects_a_propagated_mask_and_the_run_takes_it(editor: SessionEditor) -> None:
    editor.use_mask(1, 0, disc(0), "mask import")
    rerun(editor)
    before = shown(editor, 6)
    rows, columns = np.nonzero(before > 127)
    x, y = int(columns.max()) - 2, int(rows[columns.argmax()])
    editor.add_point(1, 6, x, y, positive=False)
    taken = shown(editor, 6)
    assert before[y, x] == 255 and taken[y, x] == 0 and taken.any()
    assert rerun(editor).state.objects[0].keyframes[6].origin == "prompts"
    assert (shown(editor, 6) == taken).all()


def test_a_propagated_mask_is_kept(editor: SessionEditor) -> None:
    editor.use_mask(1, 0, disc(0), "mask import")
    rerun(editor)
    before = shown(editor, 5)
    editor.keep_mask(1, 5)
    assert 5 in editor.session.state.objects[0].keyframes and (shown(editor, 5) == before).all()
    editor.clear_frame(1, 5)
    assert 5 not in editor.session.state.objects[0].keyframes


def test_masks_are_imported_if_they_fit(editor: SessionEditor, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    cv2.imwrite(str(good), disc(0))
    cv2.imwrite(str(bad), disc(0)[:-1])
    editor.import_mask(1, 0, good)
    assert (shown(editor) == disc(0)).all()
    with pytest.raises(MaskError, match="give a mask of its size"):
        editor.import_mask(1, 0, bad)


def test_text_needs_an_engine_that_takes_it(editor: SessionEditor) -> None:
    with pytest.raises(PromptError, match="takes no text"):
        editor.find_text(1, 0, "ball")


def test_an_engine_that_fails_leaves_the_prompts_of_before(make: Callable[..., SessionEditor]) -> None:
    fails = False

    def call(target: str, *arguments: Any) -> Any:
        if fails and target == CLICK:
            raise EngineFailedError("it crashed")
        return direct(target, *arguments)

    editor = make(call)
    editor.add_object()
    editor.add_point(1, 0, *CENTRE)
    before, mask, fails = editor.view()["objects"], shown(editor), True
    with pytest.raises(EngineFailedError):
        editor.add_point(1, 0, 80.0, 10.0)
    assert editor.view()["objects"] == before and (shown(editor) == mask).all()
    assert editor.can_undo == "click" and editor.can_redo == ""


def test_only_the_newest_of_quick_clicks_is_computed(make: Callable[..., SessionEditor]) -> None:
    begun, go_on, asked = threading.Event(), threading.Event(), []

    def call(target: str, *arguments: Any) -> Any:
        asked.append(len(arguments[4].points))
        begun.set()
        assert go_on.wait(20)
        return direct(target, *arguments)

    editor = make(call)
    editor.add_object()
    threads = []
    for number, x in enumerate((28.0, 30.0, 32.0, 34.0), 1):
        threads.append(threading.Thread(target=editor.add_point, args=(1, 0, x, 32.0)))
        threads[-1].start()
        if number == 1:
            assert begun.wait(20)
        _until(partial(_has_points, editor, number))
    assert editor.view()["objects"][0]["busy"] == [0]
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert asked == [1, 4], "what was asked first, and the newest; those between are not worth an answer"
    assert editor.view()["objects"][0]["busy"] == [] and 0 in editor.session.state.objects[0].keyframes


def _has_points(editor: SessionEditor, count: int) -> bool:
    return len(_points(editor)) == count


def _points(editor: SessionEditor) -> list[Any]:
    prompts = editor.view()["objects"][0]["prompts"].get("0")
    return prompts["points"] if prompts else []


def _until(condition: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(2000):
        if condition():
            return
        waited.wait(0.005)
    raise AssertionError("it did not happen")


def test_undo_and_redo_go_all_the_way_and_back(editor: SessionEditor, tmp_path: Path) -> None:
    chance = random.Random(7)
    states = [_content(editor)]
    for _ in range(40):
        _anything(editor, chance)
        if _content(editor) != states[-1]:
            states.append(_content(editor))
    taken = []
    while editor.can_undo:
        taken.append(_content(editor))
        editor.undo()
    assert _content(editor)["objects"] == [], "the first step was the first object"
    for content in reversed(taken):
        editor.redo()
        assert _content(editor) == content
    assert editor.can_redo == ""
    assert _content(editor) == states[-1]


def _content(editor: SessionEditor) -> dict[str, Any]:
    """Return what the user has decided, and the pixels of every keyframe."""
    state = editor.session.state
    pixels = {
        (item.id, frame): MaskFolder(editor.session.masks_dir(item.id, "keyframes")).read(frame).tobytes()
        for item in state.objects
        for frame in item.keyframes
    }
    dump = state.model_dump(include={"objects", "propagator", "matter", "direction", "range", "formats"})
    return {**dump, "pixels": pixels}


def _anything(editor: SessionEditor, chance: random.Random) -> None:
    ids = [item.id for item in editor.session.state.objects]
    frame, place = chance.randrange(FRAMES), (chance.uniform(5, 90), chance.uniform(5, 58))
    actions: list[Callable[[], Any]] = [
        editor.add_object,
        lambda: editor.set_range(2, 9),
        lambda: editor.set_range(None),
        lambda: editor.set_direction(chance.choice(["forward", "backward", "both"])),
        lambda: editor.set_formats(["alpha", "png"]),
    ]
    if ids:
        one = chance.choice(ids)
        actions += [
            lambda: editor.paint(one, frame, [place], chance.uniform(2, 9)),
            lambda: editor.paint(one, frame, [place], 4.0, positive=False),
            lambda: editor.clear_frame(one, frame),
            lambda: editor.set_operations(one, grow=chance.randrange(-9, 9)),
            lambda: editor.rename_object(one, f"name {chance.randrange(99)}"),
            lambda: editor.set_visible(one, chance.random() < 0.5),
        ] * 2
        actions += [lambda: editor.remove_object(one)]
    if len(ids) > 1:
        actions += [lambda: editor.merge_objects(ids[0], ids[1])]
    chance.choice(actions)()


def test_undo_keeps_what_was_computed_meanwhile(editor: SessionEditor) -> None:
    editor.use_mask(1, 0, disc(0), "mask import")
    editor.rename_object(1, "ball")
    rerun(editor)
    assert editor.undo() == "renamed object"
    item = editor.session.state.objects[0]
    assert item.name == "object 1" and item.propagated.count(0, FRAMES) >= FRAMES - 1
    assert {entry[2] for entry in editor.view()["objects"][0]["lane"]} == {"keyframe", "propagated"}


def test_a_deleted_object_comes_back_with_its_masks_and_its_id_is_not_given_away(editor: SessionEditor) -> None:
    editor.use_mask(1, 0, disc(0), "mask import")
    rerun(editor)
    mask = shown(editor, 6)
    editor.remove_object(1)
    assert editor.add_object() == 2
    editor.undo()
    editor.undo()
    assert [item.id for item in editor.session.state.objects] == [1] and (shown(editor, 6) == mask).all()


def test_a_slider_that_is_dragged_is_one_step(editor: SessionEditor) -> None:
    for value in (1, 2, 3):
        editor.set_operations(1, grow=value, final=False)
    editor.set_operations(1, grow=4)
    assert editor.session.state.objects[0].operations.grow == 4
    editor.undo()
    assert editor.session.state.objects[0].operations.is_default() and editor.can_undo == "new object"


def test_choices_are_checked(editor: SessionEditor) -> None:
    changes: tuple[Callable[[], Any], ...] = (
        lambda: editor.set_operations(1, grow=9999),
        lambda: editor.recolour_object(1, "red; }"),
        lambda: editor.set_opacity(1, 2.0),
        lambda: editor.set_direction("sideways"),
        lambda: editor.set_formats([]),
        lambda: editor.rename_object(1, "  \n "),
    )
    for change in changes:
        with pytest.raises(ParameterError):
            change()
    with pytest.raises(PromptError):
        editor.set_range(3, FRAMES + 1)
    assert editor.can_undo == "new object"


def test_merged_objects_have_both_masks(editor: SessionEditor) -> None:
    editor.add_object()
    editor.paint(1, 0, [(20.0, 20.0)], 6.0)
    editor.paint(2, 0, [(70.0, 40.0)], 6.0)
    editor.paint(2, 4, [(70.0, 40.0)], 6.0)
    editor.merge_objects(1, 2)
    assert [item.id for item in editor.session.state.objects] == [1]
    assert shown(editor)[20, 20] == shown(editor)[40, 70] == shown(editor, 4)[40, 70] == 255


def test_one_frame_is_matted_before_the_run_and_forgotten_when_its_mask_changes(editor: SessionEditor) -> None:
    with pytest.raises(PromptError, match="no mask on frame"):
        editor.preview(0)
    editor.use_mask(1, 0, disc(0), "mask import")
    editor.preview(0)
    png = editor.preview_png(0)
    assert png is not None and "0" in editor.view()["preview"]
    alpha = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert alpha is not None and alpha.shape == disc(0).shape
    assert np.abs(alpha.astype(float) - disc(0)).mean() < 12
    editor.set_operations(1, grow=3)
    assert editor.view()["preview"] == {}


def test_a_run_beside_the_editor_loses_nothing_of_either(editor: SessionEditor) -> None:
    editor.use_mask(1, 0, disc(0), "mask import")
    session = MattingSession.load(editor.session.folder)

    def meddle(progress: Any) -> None:
        if progress.stage == "propagate" and progress.done == 4:
            editor.refresh()
            editor.rename_object(1, "changed meanwhile")

    run_matting(session, until=Stage.PROPAGATE, on_progress=meddle)
    editor.refresh()
    assert editor.session.state.objects[0].name == "changed meanwhile"
    assert editor.session.state.objects[0].propagated.count(0, FRAMES) >= FRAMES - 1
