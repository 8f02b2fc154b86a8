"""CoTracker3: known tracks by a stand-in for the network, and the authors' own results under the same weights."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from config import get_settings
from engines.base import Direction, FrameSource, TrackChunk
from engines.cotracker.plan import Pass, plan_groups, plan_windows, scale_of
from engines.notice import followed
from errors import EngineFailedError, EngineUnavailableError, PromptError, ResourceError
from pipeline.decode import VideoReader
from runner_base.facts import load_info
from tests.conftest import write_clip
from tests.cotracker_material import (
    SMALL,
    Authors,
    Shift,
    Texture,
    build_small,
    new_stand_in,
    save_random_weights,
)
from tracking_runner import create_session, run_tracking
from tracking_runner.raw import load_raw
from tracking_session_store import TrackingSessionStore

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.cotracker import follow  # noqa: E402
from engines.cotracker import network as network_module  # noqa: E402
from engines.cotracker.network import SOURCES, Network, adapted, build, load_strictly, prepared  # noqa: E402
from engines.cotracker_engine import CoTracker3Tracker  # noqa: E402
from engines.neural.authors import authors_package  # noqa: E402
from engines.neural.compute import choose  # noqa: E402
from engines.neural.loading import release  # noqa: E402

SDKS = get_settings().sdks_path
HAS_SOURCES = (SDKS / SOURCES / "cotracker").is_dir()
upstream = pytest.mark.upstream
needs_sources = pytest.mark.skipif(not HAS_SOURCES, reason="the authors' sources are not in sdks/: just setup")
MODELS = ("online", "offline")
FORWARD, BACKWARD = Direction.FORWARD, Direction.BACKWARD


def new_tracker(monkeypatch: pytest.MonkeyPatch, model: str, folder: Path = Path(), **params: Any) -> CoTracker3Tracker:
    monkeypatch.setattr("engines.cotracker_engine.find", lambda name: folder)
    return CoTracker3Tracker(model=model, **{"device": "cpu", **params})


@pytest.fixture(params=MODELS)
def tracker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CoTracker3Tracker:
    """Return an engine on the stand-in, without support points."""
    stand_in = adapted(new_stand_in())
    stand_in.init_video_online_processing()
    monkeypatch.setattr(Network, "load", lambda self: stand_in)
    return new_tracker(monkeypatch, request.param, grid=0)


def run(
    tracker: CoTracker3Tracker, film: FrameSource, queries: Any, start: int, stop: int, direction: Direction
) -> TrackChunk:
    """Return all chunks as one, whose order and sizes are looked at on the way."""
    given = np.array(queries, np.float32)
    chunks = list(tracker.track(film, given, start, stop, direction))
    for chunk in chunks:
        frames = len(chunk.tracks)
        assert chunk.tracks.shape == (frames, len(given), 2) and chunk.tracks.dtype == np.float32
        assert chunk.visible.shape == (frames, len(given)) and chunk.visible.dtype == bool
        assert chunk.confidence.shape == (frames, len(given)) and chunk.confidence.dtype == np.float32
        assert frames <= 64 and all(part.flags.c_contiguous for part in (chunk.visible, chunk.confidence))
    ordered = chunks if direction is FORWARD else chunks[::-1]
    ends = [chunk.start + len(chunk.tracks) for chunk in ordered]
    assert [chunk.start for chunk in ordered] == [start, *ends[:-1]] and ends[-1] == stop
    parts = zip(*((chunk.tracks, chunk.visible, chunk.confidence) for chunk in ordered), strict=True)
    return TrackChunk(start, *(np.concatenate(part) for part in parts))


# --- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "overlap"), [(16, 8), (60, 20)])
def test_windows_cover_every_frame_once(size: int, overlap: int) -> None:
    for length in (*range(1, 130), 1000):
        windows = plan_windows(length, size, overlap)
        final = [at for w in windows for at in range(w.start, w.start + w.final)]
        assert final == list(range(length)) and all(w.start + w.final <= w.stop <= length for w in windows)
        for before, after in pairwise(windows):
            assert before.stop - before.start == size and after.start == before.stop - overlap
            assert after.stop - after.start > overlap, "a window without a frame of its own"


def test_online_windows_are_those_of_the_authors_demo() -> None:
    for length in range(1, 60):
        theirs, frames, step = [], list(range(length)), 8
        for index in range(length):
            if index % step == 0 and index > step:
                theirs.append(frames[:index][-2 * step :])
        theirs.append(frames[-((length - 1) % step) - step - 1 :])
        assert [list(range(w.start, w.stop)) for w in plan_windows(length, 16, 8)] == theirs


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
def test_a_pass_begins_at_its_first_query(direction: Direction) -> None:
    way = Pass.over(np.array([140, 105]), 100, 150, direction)
    frames = [way.frame(place) for place in range(len(way))]
    assert frames == (list(range(105, 150)) if direction is FORWARD else list(range(140, 99, -1)))
    assert way.places(np.array([140, 105])).tolist() == ([35, 0] if direction is FORWARD else [0, 35])
    assert way.blanks() == ([(100, 105)] if direction is FORWARD else [(141, 150)])


def test_blanks_are_bounded_and_come_in_the_order_of_the_pass() -> None:
    ahead, back = (Pass.over(np.array([200]), 0, 400, way).blanks() for way in (FORWARD, BACKWARD))
    assert ahead == [(0, 64), (64, 128), (128, 192), (192, 200)]
    assert back == [(336, 400), (272, 336), (208, 272), (201, 208)]


def test_groups_are_few_and_even() -> None:
    assert [len(group) for group in plan_groups(1024, 1024)] == [1024]
    assert [len(group) for group in plan_groups(1025, 1024)] == [513, 512]
    assert np.concatenate(plan_groups(2100, 1024)).tolist() == list(range(2100))


def test_corners_lie_on_corners() -> None:
    assert (np.array([1919, 1079], np.float32) * scale_of((1920, 1080), (512, 384))).tolist() == [511, 383]
    assert scale_of((1, 1), (512, 384)).tolist() == [511, 383] and scale_of((512, 384), (1, 1)).tolist() == [0, 0]


# --- tracks that are known --------------------------------------------------------------------------------------------

QUERIES = [(3, 20, 10), (0, 5.5, 40.25), (17, 30, 30), (35, 60, 2)]


@pytest.mark.parametrize("frames", [36, 40, 63, 101, 190])
@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
def test_tracks_are_right_across_windows(tracker: CoTracker3Tracker, frames: int, direction: Direction) -> None:
    film = Shift(frames, (61, 47))
    sign = 1 if direction is FORWARD else -1
    queries = QUERIES if sign > 0 else [(frames - 1 - at, x, y) for at, x, y in QUERIES]
    found = run(tracker, film, queries, 0, frames, direction)
    for number, query in enumerate(queries):
        for index in range(frames):
            begun = (index - query[0]) * sign >= 0
            expected = film.truth(query, index) if begun else query[1:]
            assert found.tracks[index, number] == pytest.approx(expected, abs=1e-3), (number, index)
            assert bool(found.visible[index, number]) is begun
            assert (found.confidence[index, number] > 0) == begun
        assert found.tracks[query[0], number].tolist() == [np.float32(v) for v in query[1:]], "not exactly the query"
        assert found.confidence[query[0], number] == 1


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
def test_every_frame_is_read_once_and_none_that_is_not_needed(tracker: CoTracker3Tracker, direction: Direction) -> None:
    film = Shift(300)
    run(tracker, film, [(120, 4, 4), (90, 5, 5)], 50, 220, direction)
    needed = range(90, 220) if direction is FORWARD else range(50, 121)
    assert sorted(film.reads) == list(needed)


def test_a_range_does_not_look_beyond_itself(tracker: CoTracker3Tracker) -> None:
    film = Shift(100)
    whole = run(tracker, film, [(30, 4, 4)], 0, 100, FORWARD)
    part = run(tracker, film, [(30, 4, 4)], 20, 100, FORWARD)
    assert np.array_equal(whole.tracks[20:], part.tracks) and np.array_equal(whole.confidence[20:], part.confidence)


@pytest.mark.parametrize("frames", [1, 2, 15, 16, 17])
def test_short_clips(tracker: CoTracker3Tracker, frames: int) -> None:
    found = run(tracker, Shift(frames, (1, 1)), [(0, 0, 0), (frames - 1, 0, 0)], 0, frames, FORWARD)
    assert not found.tracks.any() and found.visible[-1].all() and found.visible[:-1, 1].sum() == 0


def test_a_hidden_point_is_not_visible_and_is_found_again(tracker: CoTracker3Tracker) -> None:
    film = Shift(140, hidden=range(45, 95))
    found = run(tracker, film, [(2, 20, 10)], 0, 140, FORWARD)
    assert not found.visible[45:95].any() and found.visible[2:45].all()
    assert found.confidence[45:95].max() < 0.2
    assert found.visible[95 + 8 :].all()
    assert found.tracks[139, 0] == pytest.approx(film.truth((2, 20, 10), 139), abs=1e-3)
    if tracker._network.model == "offline":
        # The window from frame 42 on has it begin where the one before saw it last.
        assert found.tracks[62:82, 0] == pytest.approx(np.tile(film.truth((2, 20, 10), 44), (20, 1)), abs=1e-3)


def test_many_points_go_in_groups_and_stay_in_order(
    tracker: CoTracker3Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST", 8)
    film, rng = Shift(70), np.random.default_rng(1)
    queries = [(int(rng.integers(0, 69)), *rng.uniform(0, 40, 2)) for _ in range(20)]
    lived: list[None] = []
    with followed(lambda: lived.append(None)):
        found = run(tracker, film, queries, 0, 70, FORWARD)
    assert len(lived) >= len(tracker._network.load().calls), "a sign of life for each group of each window"
    expected = np.array([film.truth(query, 69) for query in queries])
    assert found.tracks[-1] == pytest.approx(expected, abs=1e-3)
    assert max(tracker._network.load().calls) <= 8


def test_what_does_not_fit_is_halved_and_said(
    tracker: CoTracker3Tracker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follow, "FEWEST", 3)
    network, film = tracker._network.load(), Shift(110)
    queries = np.array([(at, at, 40 - at) for at in (0, 2, 3, 5, 7, 9, 40)], np.float32)
    chunks = tracker.track(film, queries, 0, 110, FORWARD)
    found = [next(chunks)]
    network.broken_above = 4
    found += list(chunks)
    expected = np.array([film.truth(query, 109) for query in queries])
    assert found[-1].tracks[-1] == pytest.approx(expected, abs=1e-3), "what was known was lost on the way"
    (told,) = caplog.messages
    assert "out of memory" in told and f"from frame {len(found[0].tracks)} on" in told and "groups of 4," in told
    assert set(network.calls[-4:]) <= {3, 4}
    network.broken_above = 0
    with pytest.raises(ResourceError, match="cpu"):
        list(tracker.track(film, queries, 0, 110, FORWARD))


def test_an_abandoned_run_leaves_no_thread_and_no_features(tracker: CoTracker3Tracker) -> None:
    import threading

    chunks = tracker.track(Shift(100), np.array([(0, 4, 4)], np.float32), 0, 100, FORWARD)
    next(chunks)
    assert isinstance(chunks, Generator)
    chunks.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cotracker")]
    assert tracker._network.load().fnet.features is None


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        (np.zeros((0, 3), np.float32), "at least one"),
        (np.array([(9, 1, 1)], np.float32), "frame 9; tracked are 2 to 8"),
        (np.array([(1, 1, 1)], np.float32), "frame 1;"),
        (np.array([(2.5, 1, 1)], np.float32), "frame 2.5"),
        (np.array([(np.nan, 1, 1)], np.float32), "frame nan"),
        (np.array([(3, 1, 1), (4, 64, 1)], np.float32), "64,1 on frame 4 is outside the picture of 64x48"),
        (np.array([(3, np.nan, 1)], np.float32), "outside"),
        (np.array([(3, 1, -1)], np.float32), "outside"),
    ],
)
def test_queries_that_make_no_sense_are_refused(
    tracker: CoTracker3Tracker, queries: NDArray[np.float32], words: str
) -> None:
    with pytest.raises(PromptError, match=words):
        list(tracker.track(Shift(10), queries, 2, 9, FORWARD))


def test_both_directions_are_the_callers_work(tracker: CoTracker3Tracker) -> None:
    with pytest.raises(ValueError, match="twice"):
        list(tracker.track(Shift(10), np.array([(3, 1, 1)], np.float32), 0, 9, Direction.BOTH))


@pytest.mark.parametrize("direction", ["both", "forward"])
def test_a_runs_frames_before_a_query_come_from_the_pass_back_or_are_empty(
    tracker: CoTracker3Tracker, direction: Literal["both", "forward"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking_runner.track_stage.create", lambda *_: tracker)
    session = create_session(TrackingSessionStore(tmp_path / "sessions"), write_clip(tmp_path / "clip.mp4", 24))
    session.add_point(17, 30, 20)
    session.state.direction = direction
    run_tracking(session, until="track")
    raw = load_raw(session, 24)
    with VideoReader(session.source, load_info(session)) as source:
        chunks = list(tracker.track(source, np.array([[17, 30, 20]], np.float32), 0, 24, BACKWARD))
    back = np.concatenate([chunk.confidence for chunk in reversed(chunks)])
    places = np.concatenate([chunk.tracks for chunk in reversed(chunks)])
    assert raw.confidence[17, 0] == 1 and back[:17].max() > 0
    if direction == "both":
        assert np.array_equal(raw.confidence[:17], back[:17]) and np.array_equal(raw.tracks[:17], places[:17])
    else:
        assert not raw.visible[:17].any() and not raw.confidence[:17].any() and raw.visible[17:].any()


def test_missing_sources_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"\./start\.sh setup"):
        Network("online", tmp_path, tmp_path, choose("cpu", "fp32")).load()


def test_sources_that_cannot_be_imported_name_the_command_and_leave_no_trace(tmp_path: Path) -> None:
    import sys

    place = tmp_path / "some-authors" / "some_package"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("import no_such_module_anywhere")
    before = list(sys.path)
    with (
        pytest.raises(EngineUnavailableError, match=r"no_such_module_anywhere.*\./start\.sh setup"),
        authors_package(tmp_path, "some-authors", "some_package"),
    ):
        __import__("some_package")
    assert sys.path == before


def test_damaged_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cotracker3-online" / "scaled_online.pth"
    path.parent.mkdir()
    network = torch.nn.Linear(2, 2)
    for content in (b"", b"no weights", b"PK\x03\x04 broken"):
        path.write_bytes(content)
        with pytest.raises(EngineFailedError, match=r"damaged.*download cotracker3-online"):
            load_strictly(network, path)
    torch.save([1, 2], path)
    with pytest.raises(EngineFailedError, match="damaged"):
        load_strictly(network, path)
    for wrong, words in (
        ({"weight": torch.zeros(2, 2)}, "1 missing, as bias"),
        ({**network.state_dict(), "more": torch.zeros(1)}, "1 unknown, as more"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}, "another shape, as weight"),
    ):
        torch.save(wrong, path)
        with pytest.raises(EngineFailedError, match=words):
            load_strictly(network, path)
    torch.save({"model": {"weight": torch.ones(2, 2), "bias": torch.ones(2)}}, path)
    load_strictly(network, path)
    assert network.bias.tolist() == [1, 1]


# --- the authors' own code --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with random weights of both models for small pictures."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(3)
    with authors_package(SDKS, SOURCES, "cotracker"):
        for model in MODELS:
            save_random_weights(build_small(model), folder / f"scaled_{model}.pth")
    yield folder
    release()


def compare(ours: TrackChunk, theirs: Any, queries: NDArray[np.float32], tolerance: float = 2e-3) -> None:
    """Compare what follows each query; at a query ours is the query itself."""
    tracks, visible, sure = theirs
    moved = 0.0
    for number, query in enumerate(queries):
        after = int(query[0]) + 1
        assert np.abs(ours.tracks[after:, number] - tracks[after:, number]).max(initial=0) < tolerance
        assert np.abs(ours.confidence[after:, number] - sure[after:, number]).max(initial=0) < 1e-4
        assert np.array_equal(ours.visible[after:, number], visible[after:, number])
        moved = max(moved, float(np.abs(tracks[after:, number] - query[1:]).max(initial=0)))
    assert len(tracks) == 1 or moved > 0.3, "the random network does not move anything"


def manual(size: tuple[int, int], frames: int) -> NDArray[np.float32]:
    """Return queries on several frames, among them the first; corners too."""
    width, height = size
    points = [(0, 0, 0), (0, width - 1, height - 1), (0, width * 0.4, height * 0.6), (0, 7.25, 9.5)]
    points += [(at, width * 0.7, height * 0.3 + at) for at in (1, 5, 9, 15, 16, 23) if at < frames]
    return np.array(points, np.float32)


@upstream
@needs_sources
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("frames", "grid"), [(1, 0), (2, 0), (15, 0), (16, 0), (17, 0), (17, 6), (24, 0), (40, 0)])
def test_the_same_as_the_authors_predictors(
    model: str, frames: int, grid: int, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "build", build_small)
    film = Texture(frames, (131, 77))
    pictures = [film.read(index) for index in range(frames)]
    authors = Authors(SDKS, small / f"scaled_{model}.pth", small=True)
    queries = manual(film.size, frames)
    theirs = authors.track(pictures, queries, grid=grid > 0)
    ours = run(new_tracker(monkeypatch, model, small, grid=grid), film, queries, 0, frames, FORWARD)
    compare(ours, theirs, queries)


@upstream
@needs_sources
@pytest.mark.parametrize("model", MODELS)
def test_backward_is_the_clip_reversed(model: str, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "build", build_small)
    film = Texture(27, (97, 142))
    pictures = [film.read(index) for index in range(27)][::-1]
    turned = manual(film.size, 27)
    queries = turned * np.array([-1, 1, 1], np.float32) + np.array([26, 0, 0], np.float32)
    theirs = Authors(SDKS, small / f"scaled_{model}.pth", small=True).track(pictures, turned, grid=True)
    ours = run(new_tracker(monkeypatch, model, small), film, queries, 0, 27, BACKWARD)
    reversed_ = TrackChunk(0, ours.tracks[::-1], ours.visible[::-1], ours.confidence[::-1])
    compare(reversed_, theirs, turned)


@upstream
@needs_sources
@pytest.mark.parametrize("model", MODELS)
def test_a_clip_is_tracked_as_if_it_began_at_the_first_query(
    model: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "build", build_small)
    film = Texture(50, (120, 90))
    queries = manual(film.size, 30)
    theirs = Authors(SDKS, small / f"scaled_{model}.pth", small=True).track(
        [film.read(index) for index in range(13, 50)], queries, grid=True
    )
    later = queries + np.array([13, 0, 0], np.float32)
    ours = run(new_tracker(monkeypatch, model, small), film, later, 5, 50, FORWARD)
    compare(TrackChunk(13, ours.tracks[8:], ours.visible[8:], ours.confidence[8:]), theirs, queries)


@upstream
@needs_sources
def test_a_grid_of_points_is_the_authors_grid(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their demo asks for a grid; ours are queries, here on the same places."""
    monkeypatch.setattr(network_module, "build", build_small)
    film = Texture(24, SMALL[::-1])
    tracker = new_tracker(monkeypatch, "online", small, grid=0)
    grid = tracker._network.grid(5).numpy()
    queries = np.concatenate([np.zeros((25, 1), np.float32), grid], axis=1)
    theirs = Authors(SDKS, small / "scaled_online.pth", small=True).track(
        [film.read(index) for index in range(24)], queries, grid=False
    )
    compare(run(tracker, film, queries, 0, 24, FORWARD), theirs, queries)


@upstream
@needs_sources
def test_a_long_clips_first_window_is_the_authors_and_the_next_goes_on(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "build", build_small)
    film = Texture(70, (120, 90))
    queries = np.array([(0, 30, 40), (7, 80, 20), (55, 60, 60)], np.float32)
    ours = run(new_tracker(monkeypatch, "offline", small, grid=0), film, queries, 0, 70, FORWARD)
    authors = Authors(SDKS, small / "scaled_offline.pth", small=True)
    theirs = authors.track([film.read(index) for index in range(60)], queries, grid=False)
    first = TrackChunk(0, ours.tracks[:40], ours.visible[:40], ours.confidence[:40])
    compare(first, [part[:40] for part in theirs], queries)
    assert np.isfinite(ours.tracks).all()


@upstream
@needs_sources
def test_the_offline_network_asks_a_querys_frame_for_the_template_only(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a template from another window serves as well; see `engines.cotracker.offline`."""
    monkeypatch.setattr(network_module, "build", build_small)
    network = Network("offline", small, SDKS, choose("cpu", "fp32")).load()
    generator = torch.Generator().manual_seed(4)
    features = network.fnet.encode(torch.rand(12, 3, *SMALL, generator=generator) * 255).detach()
    queries = torch.tensor([[[4.0, 30, 40], [9, 80, 20], [0, 60, 60]]])
    with torch.inference_mode():
        with prepared(network, features) as video:
            plain = network(video, queries, iters=6)
            templates = network.get_track_feat.used
        queries[..., 0] = torch.tensor([0.0, 0, 11])
        with prepared(network, features) as video:
            network.get_track_feat.known = templates
            network.get_track_feat.is_known = torch.ones(3, dtype=torch.bool)
            again = network(video, queries, iters=6)
    assert all(torch.equal(a, b) for a, b in zip(plain[:3], again[:3], strict=True))


@upstream
@needs_sources
@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_the_network_at_its_own_size(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.get_rng_state()
    release()
    with authors_package(SDKS, SOURCES, "cotracker"):
        save_random_weights(build(model), tmp_path / f"scaled_{model}.pth")
    film = Texture(18, (213, 161))
    queries = manual(film.size, 18)
    torch.set_rng_state(state)
    ours = run(new_tracker(monkeypatch, model, tmp_path), film, queries, 0, 18, FORWARD)
    assert torch.equal(torch.get_rng_state(), state), "loading changed the random state"
    theirs = Authors(SDKS, tmp_path / f"scaled_{model}.pth", small=False).track(
        [film.read(index) for index in range(18)], queries, grid=True
    )
    compare(ours, theirs, queries)
    release()
