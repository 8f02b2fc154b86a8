"""The steady track does not jump, and stabilising takes a motion back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.test_track_motion import BEYOND, HEIGHT, WIDTH, Array, few, planes, scatter, seeds, tracks_of
from tracking_export.motion.chain import corner_pin, similarity
from tracking_export.motion.result import apply
from tracking_export.motion.stabilise import stabilise
from tracking_export.motion.steady import steady_track


@few
@given(seeds)
def test_steady_track_follows_most_points(seed: int) -> None:
    """While the same points are seen it is their mean displacement, whatever a third of the points does."""
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(0, 4, (20, 2)), axis=0)
    xy = scatter(rng, 30)[None] + (path - path[0])[:, None]
    noise = rng.normal(0, 0.2, xy.shape)
    xy[:, :9] += np.linspace(0, 1, 20)[:, None, None] * rng.uniform(60, 200, (9, 2))  # go their own way
    motion = steady_track(tracks_of(xy + noise), reference=10)
    mean = noise[:, 9:].mean(axis=1)
    np.testing.assert_allclose(motion.matrices[:, :2, 2], path - path[0] + mean - mean[0], atol=0.01)


@few
@given(seeds)
def test_steady_track_never_jumps(seed: int) -> None:
    """Points come and go on a plane that grows: no step is longer than the longest step of any point."""
    rng = np.random.default_rng(seed)
    length = 30
    zoom = np.tile(np.eye(3), (length, 1, 1))
    zoom[:, 0, 0] = zoom[:, 1, 1] = 1.01 ** np.arange(length)
    xy = apply(zoom, scatter(rng, 12) - [WIDTH / 2, HEIGHT / 2])
    start, stop = np.sort(rng.integers(0, length + 1, (2, 12)), axis=0)
    rows = np.arange(length)[:, None]
    seen = (rows >= start) & (rows < stop)
    seen[:, 0] = True
    motion = steady_track(tracks_of(xy, seen))
    steps = np.linalg.norm(np.diff(motion.path()[:, 0], axis=0), axis=1)
    both = seen[1:] & seen[:-1]
    longest = np.where(both, np.linalg.norm(np.diff(xy, axis=0), axis=2), 0).max(axis=1)
    assert (steps <= longest + 1e-9).all()


def test_steady_track_across_holes() -> None:
    rng = np.random.default_rng(1)
    path = np.arange(8)[:, None] * [2.0, -1.0]
    xy = scatter(rng, 4)[None] + path[:, None]
    seen = np.ones((8, 4), bool)
    seen[3:5] = False
    motion = steady_track(tracks_of(xy, seen))
    solved = [0, 1, 2, 5, 6, 7]
    assert motion.used.tolist() == [1, 1, 1, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(motion.matrices[solved, :2, 2], path[solved], atol=1e-9)
    assert motion.note.startswith("frames 13 to 14: a steady track needs one point or more")
    seen = np.arange(4) < 2 * np.ones((8, 1))
    seen = np.where(np.arange(8)[:, None] < 4, seen, ~seen)
    motion = steady_track(tracks_of(xy, seen), reference=10)
    assert motion.note == "no point leads across to frame 14: track one that is visible on both sides of the hole"
    np.testing.assert_allclose(motion.matrices[4, :2, 2], path[3], atol=1e-9)


@few
@given(seeds)
def test_stabilising_takes_the_motion_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = planes(rng, 4)
    tracks = tracks_of(apply(truth, scatter(rng, 20)))
    motion = corner_pin(tracks, BEYOND, reference=10)
    still = stabilise(motion, WIDTH, HEIGHT)
    back = np.stack([apply(still.matrices[row][None], tracks.xy[row])[0] for row in range(4)])
    np.testing.assert_allclose(back, np.tile(tracks.xy[0], (4, 1, 1)), atol=1e-6)
    assert still.stabilises
    assert still.points.tolist() == [[-0.5, -0.5], [1279.5, -0.5], [1279.5, 719.5], [-0.5, 719.5]]


@pytest.mark.parametrize("pin", [False, True])
def test_smooth_stabilising_leaves_a_steady_pan_alone(pin: bool) -> None:
    """A pan at constant speed stays; shake on it is taken out, and what is left is smooth."""
    rng = np.random.default_rng(3)
    length = 40
    pan = np.tile(np.eye(3), (length, 1, 1))
    pan[:, 0, 2] = 5.0 * np.arange(length)
    points = scatter(rng, 12)

    def left(matrices: Array) -> Array:
        tracks = tracks_of(apply(matrices, points))
        motion = corner_pin(tracks, BEYOND, 10) if pin else similarity(tracks, 10)
        return stabilise(motion, WIDTH, HEIGHT, smoothing=5).matrices @ matrices

    np.testing.assert_allclose(left(pan), pan, atol=1e-6)
    shaken = pan.copy()
    shaken[:, :2, 2] += rng.normal(0, 3, (length, 2))
    before, after = (np.diff(path[:, 1, 2], 2).std() for path in (shaken, left(shaken)))
    assert after < before / 20
