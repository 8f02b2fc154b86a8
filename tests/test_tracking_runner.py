"""The tracking runner: raw tracks that are kept, corrections that redo their own track, results, the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.base import Direction, FrameSource, TrackChunk
from errors import Cancelled, ParameterError, PromptError
from pipeline.probe import scan
from runner_base.facts import load_info
from tests.conftest import FRAMES, SIZE
from tests.media_in import write_video
from tracking_runner import check_formats, create_session, run_tracking
from tracking_runner.queries import grid, spread
from tracking_runner.raw import RawTracks, load_raw, save_raw
from tracking_runner.result import session_tracks
from tracking_session_store import RAW, MotionChoice, Refinement, TrackingSession, TrackingSessionStore


class Drift:
    """A tracker whose points go one pixel right a frame from their query on, and half a pixel left before it."""

    asked: list[tuple[int, Direction]] = []  # noqa: RUF012 - what all of them were asked
    breaks: Direction | None = None

    def track(
        self, source: FrameSource, queries: NDArray[np.float32], start: int, stop: int, direction: Direction
    ) -> Iterator[TrackChunk]:
        Drift.asked.append((len(queries), direction))
        if direction is Drift.breaks:
            raise RuntimeError("cut off")
        frames = np.arange(start, stop)[:, None]
        away = frames - queries[:, 0]
        seen = away >= 0 if direction is Direction.FORWARD else away <= 0
        x = queries[:, 1] + np.where(seen, away * (1.0 if direction is Direction.FORWARD else 0.5), 0)
        tracks = np.stack([x, np.broadcast_to(queries[:, 2], x.shape)], axis=2).astype(np.float32)
        chunk = TrackChunk(start, tracks, seen, seen.astype(np.float32))
        half = len(frames) // 2
        parts = [slice(0, half), slice(half, None)][:: 1 if direction is Direction.FORWARD else -1]
        for part in parts:
            first = start + (part.start or 0)
            yield TrackChunk(first, chunk.tracks[part], chunk.visible[part], chunk.confidence[part])


@pytest.fixture
def session(tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch) -> TrackingSession:
    monkeypatch.setattr("tracking_runner.track_stage.create", lambda *args: Drift())
    Drift.asked.clear()
    made = create_session(TrackingSessionStore(tmp_path / "workspace" / "tracking_sessions"), small_clip)
    made.state.range = (10, 20)
    made.state.formats = ["json"]
    return made


def test_times_of_a_varying_rate_go_into_what_carries_them(session: TrackingSession, tmp_path: Path) -> None:
    """Formats that only count frames are named; others have the source's own times."""
    ticks = [0, 40, 80, 200, 240, 280, 300, 400]
    clip = write_video(tmp_path / "phone.mp4", 8, times=ticks, time_base=Fraction(1, 1000))
    varying = create_session(TrackingSessionStore(session.folder.parent), clip)
    varying.add_point(2, 30, 20)
    varying.state.range, varying.state.formats = (2, 8), ["csv", "json", "ae-script", "ae-keyframes", "nuke"]
    result = run_tracking(varying)
    (notice,) = result.notices
    assert "frame rate varies, but frames are only counted by ae-keyframes, nuke:" in notice
    seconds = [tick / 1000 for tick in ticks[2:]]
    assert json.loads(result.outputs["json"].read_text())["times"] == seconds
    rows = result.outputs["csv"].read_text().splitlines()[1:]
    assert [float(row.split(",")[4]) for row in rows] == seconds
    session.add_point(14, 30, 20)
    constant = run_tracking(session)
    assert constant.notices == [] and json.loads(constant.outputs["json"].read_text())["times"] is None


def test_a_run_that_only_extracts_frames_was_made_by_no_tracker(session: TrackingSession) -> None:
    assert run_tracking(session, until="frames").summary()["engines"] == {}
    session.add_point(14, 30, 20)
    assert run_tracking(session, until="track").summary()["engines"] == {"tracker": "klt"}


def test_a_point_goes_both_ways_from_its_key(session: TrackingSession) -> None:
    point = session.add_point(14, 30, 20)
    assert session.state.tracker.name == "klt" and point.name == "point 1"
    run_tracking(session)
    raw = load_raw(session, FRAMES)
    assert raw.tracks[10:20, 0, 0].tolist() == [28, 28.5, 29, 29.5, 30, 31, 32, 33, 34, 35]
    assert raw.visible[10:20].all() and not raw.visible[:10].any() and not raw.visible[20:].any()
    assert Drift.asked == [(1, Direction.FORWARD), (1, Direction.BACKWARD)]


def test_forward_leaves_what_is_before_alone(session: TrackingSession) -> None:
    session.add_point(14, 30, 20)
    session.state.direction = "forward"
    run_tracking(session)
    assert load_raw(session, FRAMES).visible[10:20, 0].tolist() == [False] * 4 + [True] * 6


def test_a_correction_redoes_its_own_track_and_leaves_no_jump(session: TrackingSession) -> None:
    first, other = session.add_point(10, 10, 5), session.add_point(10, 50, 40)
    run_tracking(session)
    before = load_raw(session, FRAMES)
    first.keys[18] = (30, 5)
    Drift.asked.clear()
    run_tracking(session)
    raw = load_raw(session, FRAMES)
    assert Drift.asked[0][0] == 2, "the two keys of the one point"
    assert np.array_equal(raw.tracks[:, 1], before.tracks[:, 1]) and other.keys == {10: (50, 40)}
    x = raw.tracks[10:20, 0, 0]
    assert x[0] == 10 and x[8] == 30 and np.all(np.abs(np.diff(x)) < 4)
    Drift.asked.clear()
    run_tracking(session)
    assert Drift.asked == [], "nothing was stale"


def test_a_correction_leaves_what_is_before_the_key_before_it(session: TrackingSession) -> None:
    point = session.add_point(12, 30, 20)
    point.keys[15] = (33, 20)
    run_tracking(session)
    before = load_raw(session, FRAMES)
    point.keys[18] = (36, 22)
    Drift.asked.clear()
    run_tracking(session)
    raw = load_raw(session, FRAMES)
    assert Drift.asked == [(2, Direction.FORWARD), (1, Direction.BACKWARD)], "from 15 and 18, and from 18"
    assert np.array_equal(raw.tracks[:15], before.tracks[:15]) and raw.tracks[18, 0].tolist() == [36, 22]
    del point.keys[18]
    run_tracking(session)
    assert np.array_equal(load_raw(session, FRAMES).tracks, before.tracks), "taken back"


def test_forward_a_track_is_redone_from_the_corrected_frame_on_only(session: TrackingSession) -> None:
    session.state.direction = "forward"
    point = session.add_point(12, 30, 20)
    run_tracking(session)
    before = load_raw(session, FRAMES)
    point.keys[16] = (40, 22)
    Drift.asked.clear()
    run_tracking(session)
    raw = load_raw(session, FRAMES)
    assert Drift.asked == [(1, Direction.FORWARD)]
    assert np.array_equal(raw.tracks[:16], before.tracks[:16]) and not raw.visible[:12].any()
    assert raw.tracks[16:20, 0].tolist() == [[40, 22], [41, 22], [42, 22], [43, 22]]


def test_settings_and_looks_never_touch_the_raw_result(session: TrackingSession) -> None:
    point = session.add_point(12, 30, 20)
    session.add_point(12, 50, 20)
    first = run_tracking(session).outputs["json"].read_bytes()
    before = [session.raw_path(name).read_bytes() for name in RAW]
    Drift.asked.clear()
    state = session.state
    state.refinement = Refinement(smooth=5, reject=3, fill=4)
    run_tracking(session)
    changes: tuple[Callable[[], None], ...] = (
        lambda: setattr(point, "cuts", [(14, 16)]),
        lambda: setattr(point, "name", "nose"),
        lambda: setattr(point, "colour", "#123456"),
        lambda: setattr(point, "group", "face"),
        lambda: state.motions.append(MotionChoice(id=1, kind="steady", name="s")),
        lambda: setattr(point, "hidden", True),
    )
    for change in changes:
        change()
        now = run_tracking(session).outputs["json"].read_bytes()
        assert now != first, "the export follows"
        first = now
    assert [session.raw_path(name).read_bytes() for name in RAW] == before and Drift.asked == []


def test_cuts_can_be_taken_back_and_gaps_be_filled(session: TrackingSession) -> None:
    point = session.add_point(10, 30, 20)
    run_tracking(session)
    point.cuts = [(12, 14)]
    shown = session_tracks(session, load_info(session), (10, 20))
    assert shown.visible[:, 0].tolist() == [True, True, False, False, *[True] * 6]
    assert shown.confidence[2:4, 0].tolist() == [0, 0], "a cut is no guess"
    session.state.refinement = Refinement(fill=2)
    assert session_tracks(session, load_info(session), (10, 20)).visible.all()
    point.cuts, session.state.refinement = [], Refinement()
    assert session_tracks(session, load_info(session), (10, 20)).visible.all()


def test_the_first_of_two_passes_is_kept_when_the_second_is_cut_off(session: TrackingSession) -> None:
    session.add_point(14, 30, 20)
    run_tracking(session)
    whole = [session.raw_path(name).read_bytes() for name in RAW]
    session.state.columns, session.state.tracked = [], {}
    Drift.asked.clear()
    Drift.breaks = Direction.BACKWARD
    with pytest.raises(RuntimeError):
        run_tracking(session)
    Drift.breaks = None
    run_tracking(session)
    assert [way for _, way in Drift.asked] == [Direction.FORWARD, Direction.BACKWARD, Direction.BACKWARD]
    assert [session.raw_path(name).read_bytes() for name in RAW] == whole
    assert not (session.folder / "raw_pass.npz").exists()


def test_a_pass_of_other_queries_is_not_taken_for_this_one(session: TrackingSession) -> None:
    point = session.add_point(14, 30, 20)
    Drift.breaks = Direction.BACKWARD
    with pytest.raises(RuntimeError):
        run_tracking(session)
    Drift.breaks = None
    point.keys = {14: (31.0, 20.0)}
    run_tracking(session)
    assert load_raw(session, FRAMES).tracks[14:17, 0, 0].tolist() == [31, 32, 33]


@pytest.mark.parametrize("cut", ["raw_tracks.2.npy", "raw_confidence.2.npy", "state.json", "raw_tracks.npy"])
def test_raw_arrays_are_replaced_whole_or_not_at_all(
    session: TrackingSession, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    session.add_point(14, 30, 20)
    run_tracking(session)
    old = load_raw(session, FRAMES)
    new = RawTracks([1], old.tracks + 1, old.visible, old.confidence)
    rename = Path.replace

    def breaking(self: Path, target: Path) -> Path:
        if Path(target).name == cut:
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", breaking)
        with pytest.raises(KeyboardInterrupt):
            save_raw(session, new, {1: "new"})
    again = TrackingSessionStore(session.folder.parent).open(session.state.id)
    found = load_raw(again, FRAMES)
    counted = again.state.tracked[1] == "new"
    assert counted == (cut == "raw_tracks.npy")
    assert np.array_equal(found.tracks, new.tracks if counted else old.tracks)
    save_raw(again, new, {1: "newer"})
    assert np.array_equal(load_raw(again, FRAMES).tracks, new.tracks)
    assert {path.name for path in session.folder.glob("raw_*")} == {f"raw_{name}.npy" for name in RAW}


def test_deleting_a_point_keeps_the_others(session: TrackingSession) -> None:
    session.add_point(10, 10, 5)
    kept = session.add_point(10, 50, 40)
    run_tracking(session)
    before = load_raw(session, FRAMES).tracks[:, 1]
    session.state.points = [kept]
    Drift.asked.clear()
    run_tracking(session)
    raw = load_raw(session, FRAMES)
    assert raw.columns == [kept.id] and np.array_equal(raw.tracks[:, 0], before) and Drift.asked == []
    assert session.add_point(10, 1, 1).id == 3


def test_cuts_and_hidden_points_are_left_out_of_exports_and_never_of_the_raw_result(session: TrackingSession) -> None:
    session.add_point(10, 10, 5).cuts = [(12, 15)]
    session.add_point(10, 20, 5, name="secret").hidden = True
    outputs = run_tracking(session).outputs
    written = json.loads(outputs["json"].read_text())
    assert "secret" not in outputs["json"].read_text() and "point 1" in json.dumps(written)
    assert load_raw(session, FRAMES).visible[10:20].all()


def test_the_video_has_the_clips_size_and_frames(session: TrackingSession) -> None:
    session.add_point(10, 10, 5)
    session.state.formats = ["video"]
    made = scan(run_tracking(session).outputs["video"])
    assert (made.frames, made.width, made.height) == (10, *SIZE) and made.audio is not None


def test_a_stopped_run_tracks_again(session: TrackingSession) -> None:
    session.add_point(10, 10, 5)
    asked = iter([False] * (FRAMES + 4))
    with pytest.raises(Cancelled):
        run_tracking(session, should_stop=lambda: next(asked, True))
    assert session.state.last_run is not None and session.state.last_run.status == "cancelled"
    run_tracking(session)
    assert load_raw(session, FRAMES).columns == [1]


@pytest.mark.parametrize(
    ("frame", "x", "y", "words"),
    [(500, 1, 1, "the last is"), (10, 96, 1, "outside the picture"), (10, float("nan"), 1, "outside the picture")],
)
def test_points_that_are_nowhere_are_refused(
    session: TrackingSession, frame: int, x: float, y: float, words: str
) -> None:
    session.add_point(frame, x, y)
    with pytest.raises(PromptError, match=words):
        run_tracking(session)


def test_no_points_and_no_formats_are_refused(session: TrackingSession) -> None:
    with pytest.raises(PromptError, match="no point to track"):
        run_tracking(session)
    for names in ([], ["nope"]):
        with pytest.raises(ParameterError):
            check_formats(names)


def test_grids_and_masks_are_filled() -> None:
    points = grid((-0.5, -0.5, 99.5, 49.5), 10)
    assert len(points) == 50 and points[0] == (4.5, 4.5)
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 20:60] = 255
    spots = spread(mask, 30)
    assert len(set(spots)) == 30 and all(mask[int(y), int(x)] for x, y in spots)
    assert spread(mask, 30) == spots
    apart = [np.hypot(a[0] - b[0], a[1] - b[1]) for i, a in enumerate(spots) for b in spots[:i]]
    assert min(apart) > 3
    with pytest.raises(PromptError, match="area"):
        grid((0, 0, 0, 5), 3)
    with pytest.raises(PromptError, match="70"):
        grid((0, 0, 5, 5), 0)
    with pytest.raises(PromptError, match="empty"):
        spread(np.zeros((4, 4), np.uint8), 3)
    one = np.zeros((5, 5), np.uint8)
    one[2, 2] = 255
    assert spread(one, 8) == [(2.0, 2.0)]


def test_the_shape_of_pixels_reaches_the_exports(session: TrackingSession) -> None:
    session.add_point(12, 30, 20)
    run_tracking(session)
    info = load_info(session).model_copy(update={"sample_aspect_ratio": Fraction(2)})
    assert session_tracks(session, info, (10, 20)).pixel_aspect == 2
