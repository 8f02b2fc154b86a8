"""What a user does to a tracking session, without widgets: points, grids, objects, cuts, motions, undo."""

from __future__ import annotations

import pkgutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_logic.track_editor import TRACK_UNDO_TEXTS, TrackEditor
from app_logic.track_editor.points import joined
from app_logic.track_pictures import TrackPictures
from errors import EngineError, ParameterError, PromptError, SessionError
from pipeline.masks import encode_mask
from results.tracking import results
from runner_base.progress import Progress
from tests.conftest import SIZE, disc, write_clip
from tracking_runner import create_session, run_tracking
from tracking_session_store import TrackingSession, TrackingSessionStore

FRAMES = 12
CENTRE = (30.0, 32.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES, audio=False)


def direct(target: str, *arguments: Any) -> Any:
    return pkgutil.resolve_name(target)(*arguments)


def segmented(target: str, *arguments: Any) -> bytes:
    """Answer a click as a perfect segmenter would."""
    return encode_mask(disc(arguments[2]))


@pytest.fixture
def make(tmp_path: Path, clip: Path) -> Callable[..., TrackEditor]:
    def editor(call: Callable[..., Any] = segmented) -> TrackEditor:
        session = create_session(TrackingSessionStore(tmp_path / "tracking_sessions"), clip)
        run_tracking(session, until="frames")
        return TrackEditor(tmp_path, session, call)

    return editor


@pytest.fixture
def editor(make: Callable[..., TrackEditor]) -> TrackEditor:
    return make()


def rerun(editor: TrackEditor, until: str = "track") -> TrackingSession:
    """Run the session as a job would: in another object, while the editor has its own."""
    session = TrackingSession.load(editor.session.folder)
    run_tracking(session, until=until)
    editor.refresh()
    return session


def states(editor: TrackEditor) -> list[str]:
    return [point["state"] for point in editor.view()["points"]]


def test_points_are_added_moved_and_taken_back(editor: TrackEditor) -> None:
    first = editor.add_point(0, *CENTRE, group="arm")
    editor.move_point(first, 0, 31.5, 33)
    point = editor.session.state.points[0]
    assert (point.keys, point.group, point.origin) == ({0: (31.5, 33.0)}, "arm", "manual")
    assert editor.undo() == "moved point" and editor.session.state.points[0].keys == {0: CENTRE}
    assert editor.redo() == "moved point" and editor.session.state.points[0].keys == {0: (31.5, 33.0)}
    assert editor.undo() and editor.undo() == "new point" and editor.session.state.points == []
    assert TrackingSession.load(editor.session.folder).state.points == []


def test_a_place_outside_the_picture_is_its_edge(editor: TrackEditor) -> None:
    editor.add_point(0, -7, 900)
    assert editor.session.state.points[0].keys == {0: (0.0, SIZE[1] - 1.0)}


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (lambda e: e.add_point(FRAMES, 1, 1), f"no frame {FRAMES}"),
        (lambda e: e.add_point(-1, 1, 1), "no frame -1"),
        (lambda e: e.add_point(0, float("nan"), 1), "two numbers"),
        (lambda e: e.move_point(9, 0, 1, 1), "point is gone"),
        (lambda e: e.remove_points([]), "no point is selected"),
        (lambda e: e.cut([1], 4, 4), "nothing to cut"),
        (lambda e: e.remove_key(1, 3), "no key on frame 3"),
        (lambda e: e.remove_key(1, 0), "no other key"),
        (lambda e: e.recolour_points([1], "red"), "#rrggbb"),
        (lambda e: e.rename_point(1, " "), "name"),
        (lambda e: e.add_grid(0, 71), "1 to 70"),
        (lambda e: e.add_grid(0, 4, (5, 5, 5, 9)), "no area"),
        (lambda e: e.add_grid(0, 4, (-50, -50, -9, -9)), "no area"),
        (lambda e: e.set_direction("backward"), "forward or both"),
        (lambda e: e.set_refinement(smooth=-1), "'smooth' is out of range"),
        (lambda e: e.set_formats(["mp3"]), "no such track format"),
        (lambda e: e.set_formats([]), "no format given"),
        (lambda e: e.add_motion("spin", [], "x"), "'kind' is out of range"),
        (lambda e: e.add_motion("steady", [77], "x"), "no point is selected"),
        (lambda e: e.set_motion(5, smooth=1), "motion is gone"),
        (lambda e: e.motion(5), "motion is gone"),
        (lambda e: e.fill_object(4), "click on an object first"),
        (lambda e: e.click_object(0, 1, 1, False), "nothing yet to take from"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    editor: TrackEditor, what: Callable[[TrackEditor], object], says: str
) -> None:
    editor.add_point(0, *CENTRE)
    before, steps = editor.session.state.model_copy(deep=True), editor.can_undo
    with pytest.raises((PromptError, ParameterError), match=says):
        what(editor)
    assert editor.session.state == before and editor.can_undo == steps


def test_a_grid_fills_the_frame_or_a_region(editor: TrackEditor) -> None:
    assert len(editor.add_grid(2, 6)) == 6 * 4
    ids = editor.add_grid(2, 3, (40, 40, 10, 10), "wall")
    points = [point for point in editor.session.state.points if point.id in ids]
    assert len(points) == 9 and {point.group for point in points} == {"wall"}
    places = np.array([point.keys[2] for point in points])
    assert places.min() > 10 and places.max() < 40
    assert editor.undo() == "grid" and len(editor.session.state.points) == 24


def test_points_are_limited(editor: TrackEditor) -> None:
    editor.add_grid(0, 70, (0, 0, 63, 63))
    with pytest.raises(PromptError, match="at most 5000"):
        editor.add_grid(1, 70, (0, 0, 63, 63))


def test_a_frame_filled_twice_has_each_point_once(editor: TrackEditor) -> None:
    editor.add_grid(2, 6)
    with pytest.raises(PromptError, match="there already"):
        editor.add_grid(2, 6)
    assert len(editor.add_grid(3, 6)) == 24, "on another frame they are others"
    kept = editor.session.state.points[0]
    editor.remove_points([point.id for point in editor.session.state.points[1:]])
    assert len(editor.add_grid(2, 6)) == 23
    editor.add_point(2, *kept.keys[2])
    assert len(editor.session.state.points) == 25, "who clicks on a point twice means it"


def test_an_object_is_clicked_on_and_filled(editor: TrackEditor) -> None:
    editor.click_object(3, *CENTRE)
    view = editor.view()["object"]
    assert view["frame"] == 3 and view["version"] and not view["busy"] and len(view["clicks"]) == 1
    shown = TrackPictures(lambda _: editor).object_mask("", str(view["version"]))
    picture = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None and (picture[..., 3] == disc(3)).all()
    ids = editor.fill_object(20, "ball")
    inside = disc(3) > 127
    places = [editor.session.state.points[place].keys[3] for place in range(len(ids))]
    assert len(ids) == 20 and all(inside[round(y), round(x)] for x, y in places)
    assert not editor.view()["object"]["version"], "the mask has done its work"
    assert editor.undo() == "points on the object" and not editor.session.state.points


def test_a_click_that_fails_is_taken_back(make: Callable[..., TrackEditor]) -> None:
    answers: list[Any] = [segmented, EngineError("the engine ran out of memory")]

    def call(*arguments: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments)

    editor = make(call)
    editor.click_object(0, *CENTRE)
    before = editor.view()["object"]
    with pytest.raises(EngineError):
        editor.click_object(0, 40, 32)
    assert editor.view()["object"] == before


def test_the_built_in_segmenter_answers_a_click(make: Callable[..., TrackEditor]) -> None:
    editor = make(direct)
    editor.click_object(0, *CENTRE)
    _, png = editor.object_mask()
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    inside, truth = found > 127, disc(0) > 127
    assert (inside & truth).sum() > 0.7 * (inside | truth).sum()


def test_a_run_makes_tracks_and_a_correction_makes_one_stale(editor: TrackEditor) -> None:
    first, second = editor.add_point(0, *CENTRE), editor.add_point(5, 10, 10)
    assert states(editor) == ["new", "new"] and editor.view()["tracks"] is None and editor.tracks() is None
    rerun(editor)
    assert states(editor) == ["tracked", "tracked"]
    shown = editor.tracks()
    assert shown is not None and shown[0] == editor.view()["tracks"]["version"] and shown[1].count == 2
    editor.move_point(first, 6, 33, 33)
    assert states(editor) == ["stale", "tracked"] and editor.can_undo == "correction"
    editor.remove_key(first, 6)
    assert states(editor) == ["tracked", "tracked"], "the track is what its keys say again"
    assert editor.session.state.points[1].id == second


def test_what_browsers_get_is_the_tracks(editor: TrackEditor) -> None:
    editor.add_point(0, *CENTRE)
    rerun(editor)
    pictures = TrackPictures(lambda _: editor)
    version, tracks = editor.tracks() or ("", None)
    assert tracks is not None
    data = pictures.tracks("", False, version)
    assert struct.unpack("<II", data[:8]) == (FRAMES, 1) and len(data) == 8 + FRAMES * 10
    xy = np.frombuffer(data, "<f4", FRAMES * 2, 8).reshape(FRAMES, 2)
    assert np.array_equal(xy, tracks.xy[:, 0].astype(np.float32)) and set(data[-FRAMES:]) <= {0, 1}
    with pytest.raises(KeyError):
        pictures.tracks("", False, "of another time")


def test_refinement_and_cuts_change_what_is_shown_and_never_the_raw_tracks(editor: TrackEditor) -> None:
    point = editor.add_point(0, *CENTRE)
    rerun(editor)
    files = [editor.session.raw_path(name).read_bytes() for name in ("tracks", "visibility", "confidence")]
    before = editor.tracks()
    editor.set_refinement(smooth=4)
    refined, raw = editor.tracks(), editor.tracks(raw=True)
    assert before and refined and raw and refined[0] != before[0]
    assert np.array_equal(raw[1].xy, before[1].xy) and not np.array_equal(refined[1].xy, raw[1].xy)
    editor.cut([point], 8, FRAMES)
    editor.cut([point], 0, 2)
    cut = editor.tracks()
    assert cut and cut[1].visible[:, 0].tolist() == [False] * 2 + [True] * 6 + [False] * 4
    assert not cut[1].confidence[8:].any(), "a cut frame is not drawn at all"
    editor.clear_cuts([point])
    editor.set_refinement(smooth=0)
    assert (editor.tracks() or ("",))[0] == before[0]
    assert files == [editor.session.raw_path(name).read_bytes() for name in ("tracks", "visibility", "confidence")]


def test_a_drag_is_one_step_of_undo(editor: TrackEditor) -> None:
    for value in (1, 2, 3):
        editor.set_refinement(final=False, smooth=value)
    editor.set_refinement(smooth=3)
    assert editor.undo() == "refinement" and editor.session.state.refinement.smooth == 0 and not editor.can_undo


def test_motions_are_solved_with_their_residual_or_say_why_not(editor: TrackEditor) -> None:
    ids = editor.add_grid(0, 4, (16, 18, 44, 46))
    motion = editor.add_motion("similarity", ids, "Ball")
    with pytest.raises(ParameterError, match="track the points first"):
        editor.motion(motion)
    rerun(editor)
    pictures = TrackPictures(lambda _: editor)
    version = editor.view()["motions"][0]["version"]
    solved = pictures.motion("", motion, version)
    assert solved["solved"] == FRAMES and 0 <= solved["mean"] < 1 and len(solved["path"]) == FRAMES
    editor.set_hidden(ids, True)
    assert "no point is selected" in pictures.motion("", motion)["error"]
    editor.add_point(0, 5, 5)
    rerun(editor)
    assert "hidden or deleted" in pictures.motion("", motion)["error"]
    editor.set_hidden(ids, False)
    with pytest.raises(KeyError):
        pictures.motion("", motion, "of another time")


def test_a_corner_pin_has_corners_that_may_leave_the_picture(editor: TrackEditor) -> None:
    editor.add_grid(0, 4, (16, 18, 44, 46))
    rerun(editor)
    pin = editor.add_motion("corner-pin", [], "Pin")
    editor.move_corner(pin, 0, -40, -25.5)
    _, motion = editor.motion(pin)
    assert motion.path()[motion.reference][0].tolist() == pytest.approx([-40, -25.5])
    editor.move_corner(pin, 0, 60, 50)
    with pytest.raises(ParameterError, match="convex"):
        editor.motion(pin)
    editor.undo()
    editor.set_motion(pin, stabilises=True, smooth=5)
    assert editor.motion(pin)[1].stabilises
    editor.rename_motion(pin, "Screen")
    editor.remove_motion(pin)
    assert editor.undo() == "deleted motion" and editor.session.state.motions[0].name == "Screen"
    with pytest.raises(ParameterError, match="four corners"):
        editor.move_corner(pin, 4, 0, 0)


def test_what_is_decided_during_a_run_stays(editor: TrackEditor) -> None:
    editor.add_point(0, *CENTRE)
    added: list[int] = []

    def meanwhile(_: Progress) -> None:
        if not added:
            added.append(editor.add_point(3, 50, 20))
            editor.add_motion("steady", [1], "Steady")

    run_tracking(TrackingSession.load(editor.session.folder), until="track", on_progress=meanwhile)
    editor.refresh()
    assert [point.id for point in editor.session.state.points] == [1, *added] and states(editor) == ["tracked", "new"]
    assert editor.undo() and editor.undo() == "new point"
    assert states(editor) == ["tracked"], "undo takes decisions back, never what was computed"


def test_deliverables_are_named_after_the_video(editor: TrackEditor) -> None:
    editor.add_point(0, *CENTRE)
    editor.add_point(0, 32, 30)
    editor.set_formats(["json", "ae-keyframes"])
    with pytest.raises(SessionError, match="deliver it first"):
        results(editor.session, ["json"])
    rerun(editor, "deliver")
    found = results(editor.session, ["json", "ae-keyframes"])
    assert found[0].name == "clip_tracks.json" and found[0].path.is_file()
    assert found[1].path.is_dir() and len(list(found[1].path.iterdir())) == 2 and found[1].stem == "clip"
    with pytest.raises(ParameterError, match="say which formats"):
        results(editor.session, [])


def test_spans_that_touch_are_one() -> None:
    assert joined([(4, 6), (0, 2), (2, 3), (5, 9)]) == [(0, 3), (4, 9)] and joined([]) == []


def test_every_step_of_undo_has_its_name() -> None:
    source = "".join(path.read_text() for path in Path("app_logic/track_editor").glob("*.py"))
    assert len(set(TRACK_UNDO_TEXTS)) == len(TRACK_UNDO_TEXTS)
    own = [text for text in TRACK_UNDO_TEXTS if text not in ("engine", "range", "formats", "commercial use")]
    assert all(source.count(f'"{text}"') > 1 for text in own)


def test_a_copy_has_the_tracks_and_results_of_its_own(editor: TrackEditor) -> None:
    editor.add_point(0, *CENTRE)
    editor.set_formats(["json"])
    rerun(editor, "deliver")
    store = TrackingSessionStore(editor.session.folder.parent)
    copy = store.duplicate(editor.session.state.id)
    assert copy.state.tracked and not copy.state.delivered
    run_tracking(copy)
    assert results(copy, ["json"])[0].path != results(editor.session, ["json"])[0].path
