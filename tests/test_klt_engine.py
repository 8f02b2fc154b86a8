from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from engines.base import Direction, Image
from engines.klt_engine import CHUNK, KltTracker

Mapping = Callable[[int, np.ndarray], np.ndarray]
SIZE = (192, 128)


class Clip:
    """A FrameSource in memory that counts what is read."""

    def __init__(self, frames: list[Image]) -> None:
        self.frames = frames
        self.reads: list[int] = []

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> tuple[int, int]:
        return self.frames[0].shape[1], self.frames[0].shape[0]

    def read(self, index: int) -> Image:
        self.reads.append(index)
        return self.frames[index]


def texture(seed: int, size: tuple[int, int] = (400, 400)) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 1, (size[1], size[0], 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.asarray((soft - soft.min()) / np.ptp(soft) * 255, np.float32)


def film(back: Callable[[int], np.ndarray], frames: int, size: tuple[int, int] = SIZE) -> Clip:
    """Return a clip of a texture; `back` gives the 2x3 matrix from a frame's positions to the texture's."""
    surface = texture(3)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    pictures = [
        cv2.warpAffine(surface, back(i), size, flags=flags, borderMode=cv2.BORDER_REFLECT) for i in range(frames)
    ]
    return Clip([np.clip(np.rint(picture), 0, 255).astype(np.uint8) for picture in pictures])


def affine(frame: int, scale: float = 1, angle: float = 0, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Return the 2x3 matrix from a frame to the texture, after `frame` steps of a motion about the frame's middle."""
    turn, size = np.deg2rad(angle) * frame, scale**frame
    linear = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / size
    middle = np.array(SIZE) / 2
    return np.c_[linear, middle + 100 - linear @ (middle + np.array(shift) * frame)]


def truth(back: Callable[[int], np.ndarray], queries: np.ndarray, frames: int) -> np.ndarray:
    """Return float64 [T, N, 2]."""
    found = np.zeros((frames, len(queries), 2))
    for column, (start, *xy) in enumerate(queries.tolist()):
        on_texture = back(int(start)) @ [*xy, 1]
        for frame in range(frames):
            matrix = back(frame)
            found[frame, column] = np.linalg.solve(matrix[:, :2], on_texture - matrix[:, 2])
    return found


def track(
    clip: Clip, queries: np.ndarray, direction: Direction = Direction.FORWARD, **options: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chunks = list(KltTracker(**options).track(clip, queries.astype(np.float32), 0, len(clip), direction))
    chunks.sort(key=lambda chunk: chunk.start)
    assert [chunk.start for chunk in chunks] == list(np.cumsum([0, *(len(chunk.tracks) for chunk in chunks)]))[:-1]
    tracks, visible, confidence = (
        np.concatenate([getattr(chunk, part) for chunk in chunks]) for part in ("tracks", "visible", "confidence")
    )
    assert tracks.dtype == confidence.dtype == np.float32 and visible.dtype == bool
    assert tracks.shape == (len(clip), len(queries), 2) and np.isfinite(tracks).all()
    assert visible.shape == confidence.shape == tracks.shape[:2] and 0 <= confidence.min() <= confidence.max() <= 1
    return tracks, visible, confidence


def lattice(count: int = 5, frame: int = 0, margin: int = 45) -> np.ndarray:
    xs, ys = np.meshgrid(np.linspace(margin, SIZE[0] - margin, count), np.linspace(margin, SIZE[1] - margin, count))
    return np.stack([np.full(count * count, frame), xs.ravel(), ys.ravel()], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    "motion",
    [{"shift": (1.7, -0.9)}, {"shift": (9.3, 0)}, {"angle": 2.0}, {"scale": 1.015}, {"scale": 0.99, "angle": -1.5}],
    ids=["slow", "fast", "turn", "nearer", "farther and turn"],
)
def test_motion_is_followed_to_a_fifth_of_a_pixel(motion: dict[str, Any]) -> None:
    frames = 20 if motion.get("shift", (0, 0)) != (9.3, 0) else 6
    clip = film(lambda frame: affine(frame, **motion), frames)
    queries = lattice()
    tracks, visible, _ = track(clip, queries)
    expected = truth(lambda frame: affine(frame, **motion), queries, frames)
    inside = ((expected >= 11) & (expected <= np.array(SIZE) - 12)).all(axis=2)
    assert visible[inside].mean() > 0.99
    assert np.linalg.norm(tracks - expected, axis=2)[inside & visible].max() < 0.2


@pytest.mark.parametrize("count", [1, 300])
def test_one_point_and_many(count: int) -> None:
    clip = film(lambda frame: affine(frame, shift=(1.5, 0.5)), 5)
    rng = np.random.default_rng(1)
    queries = np.c_[np.zeros(count), rng.uniform([30, 30], [150, 90], (count, 2))]
    tracks, visible, _ = track(clip, queries)
    expected = truth(lambda frame: affine(frame, shift=(1.5, 0.5)), queries.astype(np.float32), 5)
    assert visible.all() and np.abs(tracks - expected).max() < 0.2


def test_the_query_itself_is_exact_and_sure() -> None:
    queries = np.array([[2, 40.25, 50.75], [0, 100, 60]])
    tracks, visible, confidence = track(film(lambda frame: affine(frame, shift=(1, 1)), 4), queries)
    assert tracks[2, 0].tolist() == [40.25, 50.75] and visible[2, 0] and confidence[2, 0] == 1


def test_before_its_query_a_point_stands_there_unseen() -> None:
    queries = np.array([[3, 50, 60], [0, 90, 60], [5, 80, 50]])
    tracks, visible, confidence = track(film(lambda frame: affine(frame, shift=(2, 0)), 8), queries)
    assert (tracks[:3, 0] == [50, 60]).all() and not visible[:3, 0].any() and not confidence[:3, 0].any()
    assert visible[3:, 0].all() and visible[:, 1].all() and visible[5:, 2].all() and not visible[:5, 2].any()
    assert np.abs(tracks[:, 1, 0] - (90 + 2 * np.arange(8))).max() < 0.2


def test_backward_is_forward_in_the_reversed_clip() -> None:
    clip = film(lambda frame: affine(frame, shift=(2, 1), angle=0.5), 2 * CHUNK + 5)
    queries = np.array([[30, 120, 80], [12, 100, 60], [36, 110, 70]], np.float32)
    last = len(clip) - 1
    backward = track(clip, queries, Direction.BACKWARD)
    mirrored = np.c_[last - queries[:, 0], queries[:, 1:]]
    forward = track(Clip(clip.frames[::-1]), mirrored)
    for one, other in zip(backward, forward, strict=True):
        np.testing.assert_array_equal(one, other[::-1])
    assert backward[1][:31, 0].any() and not backward[1][31:, 0].any()


@pytest.mark.parametrize("direction", [Direction.FORWARD, Direction.BACKWARD])
def test_chunks_come_in_the_order_of_the_work_and_cover_the_range(direction: Direction) -> None:
    clip = film(affine, 2 * CHUNK + 6)
    query = np.array([[20, 90, 60]], np.float32)
    chunks = list(KltTracker().track(clip, query, 3, len(clip), direction))
    frames = [list(range(chunk.start, chunk.start + len(chunk.tracks))) for chunk in chunks]
    assert sorted(frame for chunk in frames for frame in chunk) == list(range(3, len(clip)))
    starts = [chunk.start for chunk in chunks]
    assert starts == sorted(starts, reverse=direction is Direction.BACKWARD) and max(map(len, frames)) <= CHUNK


def test_each_frame_is_read_once_in_order_and_those_long_before_the_queries_not_at_all() -> None:
    clip = film(lambda frame: affine(0), 40, (64, 64))
    track(clip, np.array([[36, 30, 30]]))
    assert clip.reads == list(range(32, 40))
    clip.reads.clear()
    track(clip, np.array([[25, 30, 30]]), Direction.BACKWARD)
    assert clip.reads == list(range(39, -1, -1))


def test_work_follows_the_callers_pace() -> None:
    clip = film(lambda frame: affine(0), 3 * CHUNK, (64, 64))
    chunks = iter(KltTracker().track(clip, lattice(2, margin=30), 0, len(clip), Direction.FORWARD))
    next(chunks)
    assert len(clip.reads) == CHUNK


def test_no_more_than_the_latest_frames_are_kept() -> None:
    class Fresh(Clip):
        def __init__(self, frames: list[Image]) -> None:
            super().__init__(frames)
            self.alive: list[weakref.ref[np.ndarray]] = []
            self.most = 0

        def read(self, index: int) -> Image:
            frame = super().read(index).copy()
            self.alive.append(weakref.ref(frame))
            self.most = max(self.most, sum(one() is not None for one in self.alive))
            return frame

    clip = Fresh(film(lambda frame: affine(frame, shift=(1, 0)), 40, (64, 64)).frames)
    track(clip, np.array([[0, 30, 30]]))
    assert 1 <= clip.most <= 2


def test_a_track_does_not_depend_on_other_queries() -> None:
    clip = covered(36)
    alone = np.array([[33, 130, 60], [12, 90, 64]], np.float32)
    rng = np.random.default_rng(2)
    others = np.c_[rng.integers(0, 36, 30), rng.uniform(5, 120, (30, 2))]
    many = track(clip, np.r_[others, alone])
    for place, query in enumerate(alone):
        for one, other in zip(track(clip, query[None]), many, strict=True):
            np.testing.assert_allclose(one[:, 0], other[:, len(others) + place], atol=0.02)


def test_the_same_run_gives_the_same_bytes() -> None:
    clip, queries = covered(12), lattice(4, margin=30)
    for one, other in zip(track(clip, queries), track(clip, queries), strict=True):
        assert one.tobytes() == other.tobytes()


def covered(frames: int) -> Clip:
    """Return a clip whose ground drifts to the right while a bar of another texture crosses it."""
    clip = film(lambda frame: affine(frame, shift=(0.5, 0)), frames)
    bar = texture(9)[: SIZE[1], :36].astype(np.uint8)
    for index, frame in enumerate(clip.frames):
        left = -40 + 6 * index
        there = np.arange(max(0, left), min(SIZE[0], left + 36))
        frame[:, there] = bar[:, there - left]
    return clip


def test_what_is_covered_is_thought_to_go_on_and_found_again() -> None:
    tracks, visible, confidence = track(covered(30), np.array([[0, 80, 64]]))
    left = -40 + 6 * np.arange(30)
    x = 80 + 0.5 * np.arange(30)
    hidden = (left + 5 < x) & (x < left + 30)
    clear = (x < left - 3) | (x > left + 42)
    assert hidden.sum() >= 3 and clear.sum() >= 18
    assert not visible[hidden, 0].any() and visible[clear, 0].all()
    assert np.abs(tracks[clear, 0, 0] - x[clear]).max() < 0.3
    gone = np.flatnonzero(~visible[:, 0])
    assert np.abs(tracks[gone, 0] - np.stack([x, np.full(30, 64)], 1)[gone]).max() < 2 and not confidence[gone, 0].any()


def test_what_leaves_the_picture_and_comes_back_is_seen_again() -> None:
    way = 40 * np.sin(np.arange(30) / 29 * np.pi)

    def back(frame: int) -> np.ndarray:
        return np.array([[1, 0, 100 + way[frame]], [0, 1, 100]])

    tracks, visible, _ = track(film(back, 30), np.array([[0, 25, 64], [0, 120, 64]]))
    x = 25 - way
    assert not visible[x < -1, 0].any() and visible[x > 14, 0].all() and visible[:, 1].all()
    assert np.abs(tracks[:, 0, 0] - x)[visible[:, 0] & (x > 12)].max() < 0.3


def test_without_a_search_radius_it_still_works() -> None:
    _, visible, _ = track(covered(30), np.array([[0, 80, 64]]), search=0)
    assert visible[0, 0] and visible.any(axis=1).sum() > 10


def test_a_point_on_a_flat_area_moves_with_what_surrounds_it() -> None:
    clip = film(lambda frame: affine(frame, shift=(1.5, 0)), 10)
    for index, frame in enumerate(clip.frames):
        cv2.circle(frame, (round((70 + 1.5 * index) * 16), 64 * 16), 26 * 16, (90, 90, 90), -1, cv2.LINE_AA, 4)
    tracks, visible, _ = track(clip, np.array([[0, 70, 64]]))
    assert visible.all() and np.abs(tracks[:, 0, 0] - (70 + 1.5 * np.arange(10))).max() < 1


def test_without_any_texture_nothing_moves() -> None:
    clip = Clip([np.full((48, 64, 3), 120, np.uint8)] * 5)
    tracks, _, _ = track(clip, np.array([[0, 20, 20], [2, 63, 47]]))
    assert (tracks[:, 0] == [20, 20]).all() and (tracks[:, 1] == [63, 47]).all()


def test_a_cut_loses_every_point() -> None:
    one, other = film(lambda frame: affine(0), 6), texture(77)[: SIZE[1], : SIZE[0]].astype(np.uint8)
    clip = Clip([*one.frames[:3], other, other, other])
    _, visible, _ = track(clip, lattice())
    assert visible[:3].all() and visible[3:].mean() < 0.05


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (65, 1), (41, 33), (12, 200)])
@pytest.mark.parametrize("frames", [1, 2])
def test_small_and_odd_pictures(size: tuple[int, int], frames: int) -> None:
    surface = texture(5)[: size[1], : size[0]].astype(np.uint8)
    clip = Clip([surface] * frames)
    queries = np.array([[0, (size[0] - 1) / 2, (size[1] - 1) / 2], [frames - 1, 0, 0], [0, size[0] - 1, size[1] - 1]])
    tracks, visible, _ = track(clip, queries)
    assert visible[0, 0] and visible[-1, 1] and np.abs(tracks - queries[None, :, 1:]).max() < 0.2


def test_large_pictures_are_worked_on_smaller_and_answered_in_their_own_pixels() -> None:
    small = film(lambda frame: affine(frame, shift=(1.5, 0.5)), 3)
    frames = [cv2.resize(frame, None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC) for frame in small.frames]
    query = np.array([[0, 96 * 12 + 5.5, 64 * 12 + 5.5]])
    tracks, visible, _ = track(Clip(frames), query)
    assert visible.all() and np.abs(tracks[2, 0] - query[0, 1:] - [36, 12]).max() < 1


def test_after_a_flash_points_go_on() -> None:
    clip = film(lambda frame: affine(frame, shift=(1, 0)), 14)
    clip.frames[4] = np.full_like(clip.frames[4], 250)
    queries = lattice(3)
    tracks, visible, _ = track(clip, queries)
    assert visible[:4].all() and not visible[4].any() and visible[-1].all()
    assert np.abs(tracks[-1] - queries[:, 1:] - [13, 0]).max() < 0.2


def test_a_stricter_visibility_sees_less() -> None:
    clip = covered(12)
    rng = np.random.default_rng(4)
    for index, frame in enumerate(clip.frames):
        frame[:] = np.clip(frame + rng.normal(0, 4 + 2 * index, frame.shape), 0, 255)
    seen = [track(clip, lattice(4), visibility=value)[1].sum() for value in (0.3, 0.97)]
    assert seen[0] > seen[1]
