"""The built-in propagator: its protocol (resume, staleness, objects, directions) and that it follows an object."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import cv2
import numpy as np
import pytest

from engines.base import Direction, Image, Mask, Propagated
from engines.flow.cut import graph_cut
from engines.flow.parallax import motion_log_odds
from engines.flow.schedule import find_gaps, group_blocks
from engines.flow_engine import FlowPropagator
from engines.registry import create
from engines.spec import Job
from errors import EngineFailedError, ParameterError

FRAMES = 9
SIZE = (80, 60)
Results = dict[tuple[int, int, bool], Mask]


class Clip:
    """Two textured discs crossing a textured ground; a FrameSource."""

    def __init__(self, size: tuple[int, int] = SIZE, frames: int = FRAMES) -> None:
        self.size = size
        self._frames = frames
        rng = np.random.default_rng(3)
        noise = rng.integers(0, 255, (2, size[1], size[0], 3), np.uint8)
        ground, paint = (cv2.GaussianBlur(layer, (0, 0), 1.2).astype(np.float32) for layer in noise)
        self._ground = ground * [0.2, 0.5, 0.8]
        self._paint = {1: paint * [0.9, 0.2, 0.2] + [60, 0, 0], 2: paint * [0.8, 0.8, 0.1] + [60, 60, 0]}

    def __len__(self) -> int:
        return self._frames

    def truth(self, index: int, object_id: int = 1) -> Mask:
        width, height = self.size
        mask = np.zeros((height, width), np.uint8)
        x, y = (0.3 + 0.025 * index, 0.4) if object_id == 1 else (0.75 - 0.02 * index, 0.75)
        cv2.circle(mask, (round(x * width), round(y * height)), max(1, round(0.18 * height)), 255, -1)
        return mask

    def read(self, index: int) -> Image:
        picture = self._ground.copy()
        for object_id, paint in self._paint.items():
            inside = self.truth(index, object_id) > 0
            picture[inside] = np.roll(paint, 2 * index if object_id == 1 else -2 * index, axis=1)[inside]
        return np.clip(picture, 0, 255).astype(np.uint8)


class History:
    """A MaskHistory in memory."""

    def __init__(self, results: Results | None = None) -> None:
        self.results: Results = dict(results or {})

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        return self.results.get((index, object_id, draft))

    def put(self, step: Propagated) -> None:
        for object_id, mask in step.masks.items():
            key = (step.index, object_id, step.draft)
            assert key not in self.results, "yielded twice"
            self.results[key] = mask


Keyframes = Mapping[int, Mapping[int, Mask]]


def steps(
    clip: Clip,
    keyframes: Keyframes,
    history: History,
    direction: Direction = Direction.BOTH,
    span: tuple[int, int] | None = None,
) -> Generator[Propagated]:
    start, stop = span or (0, len(clip))
    for step in FlowPropagator().propagate(clip, keyframes, start, stop, direction, history):
        history.put(step)
        yield step


def run(clip: Clip, keyframes: Keyframes, direction: Direction = Direction.BOTH, **kwargs: tuple[int, int]) -> Results:
    history = History()
    for _ in steps(clip, keyframes, history, direction, **kwargs):
        pass
    return history.results


def finals(results: Results, object_id: int = 1) -> dict[int, Mask]:
    return {index: mask for (index, key, draft), mask in results.items() if key == object_id and not draft}


def iou(one: Mask, other: Mask) -> float:
    one_in, other_in = one > 127, other > 127
    return (one_in & other_in).sum() / max(1, (one_in | other_in).sum())


def same(one: Results, other: Results) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip()


@pytest.mark.parametrize(
    ("direction", "key", "filled"),
    [
        (Direction.FORWARD, 4, {5, 6, 7, 8}),
        (Direction.BACKWARD, 4, {0, 1, 2, 3}),
        (Direction.BOTH, 4, {0, 1, 2, 3, 5, 6, 7, 8}),
    ],
)
def test_each_direction_fills_its_side_and_follows_the_object(
    clip: Clip, direction: Direction, key: int, filled: set[int]
) -> None:
    masks = finals(run(clip, {key: {1: clip.truth(key)}}, direction))
    assert set(masks) == filled
    assert min(iou(mask, clip.truth(index)) for index, mask in masks.items()) > 0.85


def test_masks_are_full_size_bytes_and_confidence_is_a_share(clip: Clip) -> None:
    for step in steps(clip, {0: {1: clip.truth(0)}}, History(), span=(0, 3)):
        assert step.masks[1].dtype == np.uint8
        assert step.masks[1].shape == (SIZE[1], SIZE[0])
        assert 0 <= step.confidence[1] <= 1


@pytest.mark.parametrize(
    ("direction", "keys", "span"),
    [
        (Direction.FORWARD, (0, 5), (0, FRAMES)),
        (Direction.BACKWARD, (3, 8), (0, FRAMES)),
        (Direction.BOTH, (0, 4, 8), (0, FRAMES)),
        (Direction.BOTH, (2, 6), (0, FRAMES)),
        (Direction.BOTH, (0, 8), (3, 6)),
    ],
)
def test_a_run_cut_after_any_frame_and_continued_gives_the_same_bytes(
    clip: Clip, direction: Direction, keys: tuple[int, ...], span: tuple[int, int]
) -> None:
    keyframes = {key: {1: clip.truth(key)} for key in keys}
    whole = run(clip, keyframes, direction, span=span)
    for count in range(1, len(whole)):
        history = History()
        cut = steps(clip, keyframes, history, direction, span)
        for _ in range(count):
            next(cut)
        cut.close()
        resumed = History(history.results)
        for _ in steps(clip, keyframes, resumed, direction, span):
            pass
        assert same(resumed.results, whole), f"cut after {count}"


def test_nothing_is_computed_where_everything_is_there(clip: Clip) -> None:
    keyframes = {0: {1: clip.truth(0)}, 8: {1: clip.truth(8)}}
    whole = run(clip, keyframes)
    masks = {key: mask for key, mask in whole.items() if not key[2]}
    assert list(steps(clip, keyframes, History(masks))) == []


def test_a_keyframe_changes_nothing_beyond_its_neighbours(clip: Clip) -> None:
    keyframes = {key: {1: clip.truth(key)} for key in (0, 3, 6, 8)}
    before = finals(run(clip, keyframes))
    after = finals(run(clip, {**keyframes, 3: {1: clip.truth(3, 2)}}))
    assert np.array_equal(before[7], after[7])
    changed = [index for index in before if not np.array_equal(before[index], after[index])]
    assert changed
    assert set(changed) <= {1, 2, 4, 5}


def test_objects_do_not_depend_on_each_other(clip: Clip) -> None:
    first = {0: {1: clip.truth(0)}, 8: {1: clip.truth(8)}}
    second = {4: {2: clip.truth(4, 2)}}
    together = run(clip, {**first, **second})
    assert same({key: mask for key, mask in together.items() if key[1] == 1}, run(clip, first))
    assert same({key: mask for key, mask in together.items() if key[1] == 2}, run(clip, second))
    assert min(iou(mask, clip.truth(index, 2)) for index, mask in finals(together, 2).items()) > 0.8


def test_drafts_come_before_the_final_masks_of_their_frames(clip: Clip) -> None:
    seen = [
        (step.index, step.draft)
        for step in steps(clip, {0: {1: clip.truth(0)}, 4: {1: clip.truth(4)}}, History(), span=(0, 5))
    ]
    assert seen == [(3, True), (2, True), (1, True), (1, False), (2, False), (3, False)]


def test_a_draft_that_was_not_kept_is_an_error(clip: Clip) -> None:
    keyframes = {0: {1: clip.truth(0)}, 3: {1: clip.truth(3)}}
    with pytest.raises(EngineFailedError, match="draft"):
        list(FlowPropagator().propagate(clip, keyframes, 0, 4, Direction.BOTH, History()))


def test_keyframes_outside_the_range_count_and_only_the_range_is_yielded(clip: Clip) -> None:
    keyframes = {0: {1: clip.truth(0)}, 8: {1: clip.truth(8)}}
    masks = finals(run(clip, keyframes, span=(3, 6)))
    assert set(masks) == {3, 4, 5}
    assert min(iou(mask, clip.truth(index)) for index, mask in masks.items()) > 0.85


@pytest.mark.parametrize("size", [(2, 2), (1, 40), (33, 17), (51, 77)])
def test_odd_and_tiny_sizes(size: tuple[int, int]) -> None:
    clip = Clip(size, frames=3)
    masks = finals(run(clip, {0: {1: clip.truth(0)}, 2: {1: np.full(size[::-1], 255, np.uint8)}}))
    assert {index: mask.shape for index, mask in masks.items()} == {1: (size[1], size[0])}


def test_an_empty_keyframe_stays_empty_and_a_full_one_full(clip: Clip) -> None:
    empty, full = np.zeros(SIZE[::-1], np.uint8), np.full(SIZE[::-1], 255, np.uint8)
    assert not any(mask.any() for mask in finals(run(clip, {0: {1: empty}}, span=(0, 3))).values())
    assert all((mask > 127).mean() > 0.95 for mask in finals(run(clip, {0: {1: full}}, span=(0, 3))).values())


def test_an_object_that_is_absent_at_one_keyframe_comes_from_the_other(clip: Clip) -> None:
    empty = np.zeros(SIZE[::-1], np.uint8)
    masks = finals(run(clip, {0: {1: empty}, 4: {1: clip.truth(4)}}, span=(0, 5)))
    assert iou(masks[3], clip.truth(3)) > 0.8


def test_gaps_that_share_frames_form_one_block() -> None:
    mask = np.ones((2, 2), np.uint8)
    gaps = find_gaps({0: {1: mask, 2: mask}, 5: {1: mask}, 10: {1: mask, 2: mask}}, 0, 20, Direction.BOTH)
    blocks = [[(gap.object_id, gap.first, gap.stop) for gap in block] for block in group_blocks(gaps)]
    assert blocks == [[(1, 1, 5), (2, 1, 10), (1, 6, 10)], [(1, 11, 20), (2, 11, 20)]]


def test_the_cut_prefers_edges_to_noisy_log_odds() -> None:
    truth = np.zeros((48, 48), bool)
    truth[12:36, 12:36] = True
    noise = np.random.default_rng(1).normal(0, 12, truth.shape)
    odds = (np.where(truth, 8, -8) + noise).astype(np.float32)
    contrast = np.dstack([np.where(truth, 200, 60)] * 2).astype(np.uint8)
    result = graph_cut(odds, contrast, np.ones_like(truth))
    assert (result == truth).mean() > 0.99 > ((odds > 0) == truth).mean()


def test_motion_tells_the_object_from_a_panning_background() -> None:
    inside = np.zeros((40, 60), bool)
    inside[10:30, 20:40] = True
    flow = np.zeros((40, 60, 2), np.float32)
    flow[..., 0] = 6 + np.linspace(0, 1, 60)
    flow[inside, 0] -= 3
    odds = motion_log_odds(flow, inside, ~inside)
    assert odds[inside].min() > 1 > -1 > odds[~inside].max()
    still = motion_log_odds(np.full((40, 60, 2), 2, np.float32), inside, ~inside)
    assert np.abs(still).max() < 0.1


def test_the_registry_makes_both_qualities_and_refuses_others() -> None:
    assert isinstance(create(Job.PROPAGATOR, "flow", {"quality": "fast"}), FlowPropagator)
    with pytest.raises(ParameterError, match="best, fast"):
        create(Job.PROPAGATOR, "flow", {"quality": "superb"})
