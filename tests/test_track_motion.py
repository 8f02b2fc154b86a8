"""Motion from tracks: what was moved comes back, whatever some points do, and says where it could not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from errors import ParameterError
from tracking_export.motion.chain import corner_pin, similarity
from tracking_export.motion.estimate import distances, estimate
from tracking_export.motion.result import MotionKind, apply, as_shown, as_tracks
from tracking_export.motion.stabilise import stabilise
from tracking_export.motion.steady import steady_track
from tracking_export.tracks import Tracks

WIDTH, HEIGHT = 1280, 720
BEYOND = np.array([[-300, -200], [1500, -100], [1600, 900], [-250, 800]], np.float64)
few = settings(max_examples=8)
seeds = st.integers(0, 2**32 - 1)
Array = NDArray[np.float64]


def tracks_of(xy: Array, visible: NDArray[np.bool_] | None = None) -> Tracks:
    """Return tracks whose arrays cannot be written to: nothing may change what it is given."""
    seen = np.ones(xy.shape[:2], bool) if visible is None else visible
    sure = np.ones(xy.shape[:2], np.float32)
    xy = np.where(seen[..., None], xy, np.nan)
    for array in (xy, seen, sure):
        array.setflags(write=False)
    names = tuple(f"p{index}" for index in range(xy.shape[1]))
    return Tracks(names, xy, seen, sure, Fraction(25), WIDTH, HEIGHT, first_frame=10)


def scatter(rng: np.random.Generator, count: int) -> Array:
    return rng.uniform([20, 20], [WIDTH - 20, HEIGHT - 20], (count, 2))


def turns(rng: np.random.Generator, length: int) -> Array:
    """Return similarities [T, 3, 3] from the first frame on, as a hand-held camera makes them."""
    steps = np.cumsum(rng.normal(0, [3, 3, 0.01, 0.01], (length, 4)), axis=0)
    steps -= steps[0]
    turn = np.exp(steps[:, 2] + 1j * steps[:, 3])
    zero, one = np.zeros(length), np.ones(length)
    rows = [[turn.real, -turn.imag, steps[:, 0]], [turn.imag, turn.real, steps[:, 1]], [zero, zero, one]]
    return np.moveaxis(np.array(rows), 2, 0)


def planes(rng: np.random.Generator, length: int) -> Array:
    matrices = turns(rng, length)
    tilt = np.cumsum(rng.normal(0, 5e-6, (length, 2)), axis=0)
    matrices[:, 2, :2] = tilt - tilt[0]
    return matrices


def spoil(rng: np.random.Generator, xy: Array, share: float) -> NDArray[np.bool_]:
    """Move a share of the points elsewhere, in place; return which were left alone."""
    bad = np.arange(xy.shape[1]) < round(share * xy.shape[1])
    xy[1:, bad] += rng.uniform(15, 200, (len(xy) - 1, bad.sum(), 2)) * rng.choice([-1, 1], (len(xy) - 1, bad.sum(), 2))
    return ~bad


@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(12, 11), Fraction(8, 9)])
def test_a_turn_is_one_of_the_picture_as_it_is_shown(aspect: Fraction) -> None:
    """In pixels that are not square a thing that turns is sheared, which no similarity of theirs could follow."""
    rng = np.random.default_rng(1)
    shown, wide = turns(rng, 6), np.array([float(aspect), 1])
    shown[:, :2, 2] = 0
    angles = np.degrees(np.arctan2(shown[:, 1, 0], shown[:, 0, 0]))
    points = scatter(rng, 12)
    xy = apply(shown, points * wide) / wide
    motion = similarity(replace(tracks_of(xy), pixel_aspect=aspect), 10, (100.0, 50.0))
    position, angle, scale = motion.parameters()
    np.testing.assert_allclose(motion.path(points), xy, atol=1e-6)
    np.testing.assert_allclose(angle, angles, atol=1e-6)
    np.testing.assert_allclose(scale, np.hypot(shown[:, 0, 0], shown[:, 1, 0]), atol=1e-8)
    np.testing.assert_allclose(position, (apply(shown, np.array([[100.0, 50.0]]) * wide) / wide)[:, 0], atol=1e-6)
    assert motion.residual.max() < 1e-5 < similarity(tracks_of(xy), 10).residual.max()
    still = stabilise(motion, WIDTH, HEIGHT)
    np.testing.assert_allclose(still.matrices @ motion.matrices, np.tile(np.eye(3), (6, 1, 1)), atol=1e-8)
    smooth = stabilise(motion, WIDTH, HEIGHT, 2).matrices @ motion.matrices
    linear = as_shown(smooth, motion.pixel_aspect)[:, :2, :2]
    np.testing.assert_allclose(linear[:, 0, 0], linear[:, 1, 1], atol=1e-8)
    np.testing.assert_allclose(linear[:, 0, 1], -linear[:, 1, 0], atol=1e-8)


@few
@given(seeds)
def test_similarity_comes_back_exactly_with_a_third_of_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = turns(rng, 6)
    xy = apply(truth, scatter(rng, 20))
    spoil(rng, xy, 0.3)
    motion = similarity(tracks_of(xy), reference=10)
    np.testing.assert_allclose(motion.matrices, truth, atol=1e-8)
    assert motion.note == ""
    np.testing.assert_allclose(motion.confidence[1:], 0.7, atol=1e-6)
    assert np.nanmax(motion.residual) < 1e-6
    position, angle, scale = motion.parameters()
    np.testing.assert_allclose(position[3], apply(truth, motion.points)[3, 0], atol=1e-8)
    assert scale[3] == pytest.approx(np.hypot(*truth[3, :2, 0]))
    assert angle[3] == pytest.approx(np.degrees(np.arctan2(truth[3, 1, 0], truth[3, 0, 0])))


def test_a_plane_that_tilts_turns_evenly_as_a_similarity() -> None:
    """No similarity fits it: the one that is near to most points is given, not one that three points happen to fit."""
    rng = np.random.default_rng(4)
    rows = np.arange(24)
    turn = np.exp(1j * np.radians(2.0 * rows))
    planes = np.tile(np.eye(3), (24, 1, 1))
    planes[:, 0, 0], planes[:, 0, 1], planes[:, 1, 0], planes[:, 1, 1] = turn.real, -turn.imag, turn.imag, turn.real
    planes[:, 2, :2] = rows[:, None] * (1.5e-5, 2e-5)
    points = scatter(rng, 30)
    motion = similarity(tracks_of(apply(planes, points)), reference=10)
    _, angle, scale = motion.parameters()
    assert (motion.used == 2).all()
    assert np.abs(np.diff(angle, 2)).max() < 2, "a few points at a time gave leaps of a quarter turn"
    assert np.abs(np.diff(scale, 2)).max() < 0.05
    assert motion.residual[-1] > 20 and motion.confidence[-1] < 0.3, "and it says that it does not fit"


@pytest.mark.parametrize("share", [0.55, 0.65])
def test_points_that_agree_are_followed_though_most_go_their_own_ways(share: float) -> None:
    rng = np.random.default_rng(5)
    truth = turns(rng, 6)
    xy = apply(truth, scatter(rng, 40))
    spoil(rng, xy, share)
    np.testing.assert_allclose(similarity(tracks_of(xy), reference=10).matrices, truth, atol=1e-8)


@few
@given(seeds)
def test_plane_comes_back_exactly_with_corners_outside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = planes(rng, 5)
    xy = apply(truth, scatter(rng, 24))
    spoil(rng, xy, 0.3)
    motion = corner_pin(tracks_of(xy), BEYOND, reference=10)
    np.testing.assert_allclose(motion.path(), apply(truth, BEYOND), atol=1e-6)
    assert (motion.used == 4).all()
    assert (motion.kind, motion.note) == (MotionKind.CORNER_PIN, "")


@few
@given(seeds)
def test_noise_is_averaged_as_well_as_by_who_knows_the_outliers(seed: int) -> None:
    """The robust fit is not more than a half worse than least squares over the true points alone."""
    rng = np.random.default_rng(seed)
    truth = turns(rng, 2)
    xy = apply(truth, scatter(rng, 40))
    xy += rng.normal(0, 0.4, xy.shape)
    good = spoil(rng, xy, 0.3)
    fit = estimate(2, xy[0], xy[1], np.ones(40), 3.0)
    assert fit is not None
    assert fit.level == 2
    plain = np.zeros((2 * good.sum(), 4))
    x, y = xy[0, good].T
    plain[::2], plain[1::2] = (np.stack(row, 1) for row in ((x, -y, x * 0 + 1, y * 0), (y, x, x * 0, y * 0 + 1)))
    a, b, c, d = np.linalg.lstsq(plain, xy[1, good].ravel(), rcond=None)[0]
    best = np.array([[a, -b, c], [b, a, d], [0, 0, 1]])
    ours, theirs = distances(np.stack([fit.matrix, best]), xy[0, good], xy[1, good])
    assert np.sqrt((ours**2).mean()) < 1.5 * np.sqrt((theirs**2).mean())


def test_four_tracks_may_be_the_corners() -> None:
    """They are followed exactly, by however much they move, and by the other three's similarity where one is gone."""
    rng = np.random.default_rng(9)
    corners = np.array([[100, 100], [900, 120], [880, 600], [120, 620]], np.float64)
    xy = corners + np.cumsum(rng.normal(0, 20, (10, 4, 2)), axis=0)
    seen = np.ones((10, 4), bool)
    seen[7, 1] = False
    motion = corner_pin(tracks_of(xy, seen), xy[0], reference=10, tolerance=200)
    kept = [0, 1, 2, 3, 4, 5, 6, 8, 9]
    np.testing.assert_allclose(motion.path()[kept], xy[kept], atol=1e-6)
    assert motion.used.tolist() == [4] * 7 + [2] + [4] * 2


def test_the_same_points_give_the_same_matrix() -> None:
    rng = np.random.default_rng(5)
    xy = apply(planes(rng, 2), scatter(rng, 60)) + rng.normal(0, 0.3, (2, 60, 2))
    fits = [estimate(4, xy[0], xy[1], np.ones(60), 3.0) for _ in range(2)]
    assert fits[0] is not None
    assert fits[1] is not None
    assert fits[0].matrix.tobytes() == fits[1].matrix.tobytes()


@pytest.mark.parametrize("solve", [similarity, lambda tracks, at: corner_pin(tracks, BEYOND, at)])
@pytest.mark.parametrize("reference", [10, 21, 33])
def test_points_that_never_meet_are_chained(solve, reference: int) -> None:  # type: ignore[no-untyped-def]
    """Six points leave and six come every four frames; no point sees both ends."""
    rng = np.random.default_rng(2)
    truth = turns(rng, 24)
    xy = apply(truth, scatter(rng, 42))
    seen = np.array([[4 * (point // 6) - 8 <= row < 4 * (point // 6) for point in range(42)] for row in range(24)])
    motion = solve(tracks_of(xy, seen), reference)
    back = truth @ np.linalg.inv(truth[reference - 10])
    np.testing.assert_allclose(apply(motion.matrices, BEYOND), apply(back, BEYOND), atol=1e-5)
    assert motion.note == ""


def test_a_hole_is_reached_from_its_other_side() -> None:
    """Frame 3 shares points with frame 4 only, and frame 5, which sees the first points again, comes later."""
    rng = np.random.default_rng(4)
    truth = turns(rng, 6)
    seen = np.zeros((6, 8), bool)
    seen[[0, 1, 2, 5], :4] = True
    seen[[3, 4, 5], 4:] = True
    motion = similarity(tracks_of(apply(truth, scatter(rng, 8)), seen), reference=10)
    np.testing.assert_allclose(motion.matrices, truth, atol=1e-8)


def test_too_few_points_fall_back_and_say_so() -> None:
    """Frames with 16, 3, 2, 1, 0 and 16 points: homography, similarity twice, translation, nothing, homography."""
    rng = np.random.default_rng(7)
    shift = np.tile(np.eye(3), (6, 1, 1))
    shift[:, 0, 2] = np.arange(6) * 3.0
    counts = [16, 3, 2, 1, 0, 16]
    seen = np.arange(16) < np.array(counts)[:, None]
    tracks = tracks_of(apply(shift, scatter(rng, 16)), seen)
    motion = corner_pin(tracks, BEYOND)
    assert motion.used.tolist() == [4, 2, 2, 1, 0, 4]
    np.testing.assert_allclose(motion.matrices[[0, 1, 2, 3, 5]], shift[[0, 1, 2, 3, 5]], atol=1e-8)
    np.testing.assert_allclose(motion.matrices[4], shift[3], atol=1e-8)  # held
    assert motion.confidence.tolist() == pytest.approx([1, 0.5, 0.5, 0.25, 0, 1])
    assert np.isnan(motion.residual[4])
    assert motion.note == (
        "frames 11 to 14: a corner pin needs 4 points or more, not in a line, that a neighbouring frame shares"
    )
    assert similarity(tracks).used.tolist() == [2, 2, 2, 1, 0, 2]
    assert not as_tracks(motion, tracks).visible[4].any()


@few
@given(seeds, st.sampled_from([0, 1]))
def test_points_in_a_line_move_as_a_similarity(seed: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    along = rng.uniform(0, 900, 12)
    points = np.column_stack([100 + along, 50 + along / 2])
    if spare:  # one point beside the line still leaves a homography undetermined
        points[0] += [-40, 90]
    truth = turns(rng, 3)
    motion = corner_pin(tracks_of(apply(truth, points)), BEYOND, reference=10)
    assert motion.used.tolist() == [4, 2, 2]
    np.testing.assert_allclose(motion.matrices, truth, atol=1e-8)


def test_points_in_one_place_give_a_translation() -> None:
    xy = np.array([[[50, 50], [50.2, 50]], [[53, 49], [53, 49.2]]])
    assert similarity(tracks_of(xy)).used.tolist() == [2, 1]


def test_what_cannot_be_solved_is_refused() -> None:
    tracks = tracks_of(np.zeros((3, 4, 2)), np.array([[False] * 4, [True] * 4, [True] * 4]))
    with pytest.raises(ParameterError, match="no point is visible on frame 10; choose another reference"):
        similarity(tracks, reference=10)
    with pytest.raises(ParameterError, match="frame 13 is not within the tracks, 10 to 12"):
        steady_track(tracks, reference=13)
    with pytest.raises(ParameterError, match="needs four corners"):
        corner_pin(tracks, BEYOND[:3])
    with pytest.raises(ParameterError, match="convex quadrangle"):
        corner_pin(tracks, BEYOND[[0, 2, 1, 3]])
    for solve in (similarity, steady_track):
        with pytest.raises(ParameterError, match="tolerance must be above 0"):
            solve(tracks, tolerance=0)
