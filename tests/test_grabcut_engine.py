"""The built-in segmenter: what it finds on plain material, what it promises for any, and what it refuses."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.base import Box, Image, Point, Prompts, Stroke
from engines.grabcut.view import View
from engines.grabcut_engine import GrabCutSegmenter
from engines.registry import create
from engines.spec import Job
from errors import EngineFailedError, ParameterError, PromptError

SHARED = Path(__file__).resolve().parents[2] / "shared"
SIZE = (240, 160)
CENTRE = (100, 80)


def _scene() -> tuple[Image, np.ndarray]:
    """Return a textured reddish ellipse over a textured bluish ground, and its mask."""
    rng = np.random.default_rng(3)
    noise = cv2.GaussianBlur(rng.normal(0, 60, (SIZE[1], SIZE[0], 3)), (0, 0), 1.2)
    truth = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.ellipse(truth, CENTRE, (45, 30), 20, 0, 360, 1, -1)
    colours = np.where(truth[..., None] > 0, [190, 80, 60], [60, 90, 150])
    return np.clip(colours + noise, 0, 255).astype(np.uint8), truth > 0


def _segmenter(image: Image, **params: float) -> GrabCutSegmenter:
    segmenter: GrabCutSegmenter = create(Job.SEGMENTER, "grabcut", params)
    segmenter.set_image(image)
    return segmenter


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum()) / max(1.0, float((a | b).sum()))


def _rough(truth: np.ndarray) -> np.ndarray:
    return cv2.dilate(truth.astype(np.uint8) * 255, np.ones((7, 7), np.uint8))


@pytest.mark.parametrize(
    "prompts",
    [
        Prompts(points=(Point(*CENTRE),)),
        Prompts(box=Box(54, 44, 146, 116)),
        Prompts(strokes=(Stroke(((80.0, 75.0), (120.0, 88.0)), 4.0),)),
        Prompts(mask=_rough(_scene()[1])),
    ],
    ids=["click", "box", "stroke", "mask"],
)
def test_each_kind_of_prompt_finds_the_object(prompts: Prompts) -> None:
    image, truth = _scene()
    best = _segmenter(image).predict(prompts)[0]
    assert best.mask.dtype == np.bool_
    assert _iou(best.mask, truth) > 0.93
    assert 0.5 < best.score <= 1


def test_a_rough_mask_gets_nearer_to_the_edge() -> None:
    image, truth = _scene()
    rough = _rough(truth)
    best = _segmenter(image).predict(Prompts(mask=rough))[0]
    assert _iou(best.mask, truth) > _iou(rough > 0, truth) + 0.05


def test_a_positive_click_adds_and_a_negative_click_removes_what_it_touches() -> None:
    image, truth = _scene()
    image = image.copy()
    cv2.circle(image, (205, 120), 18, (60, 190, 70), -1)
    other = np.zeros(truth.shape, np.uint8)
    cv2.circle(other, (205, 120), 18, 1, -1)
    segmenter = _segmenter(image)
    one, two = (segmenter.predict(Prompts(points=(Point(*CENTRE), Point(205, 120))[:n]))[0].mask for n in (1, 2))
    assert np.count_nonzero(one & (other > 0)) == 0
    assert _iou(two, truth | (other > 0)) > 0.9
    both = np.where(truth | (other > 0), 255, 0).astype(np.uint8)
    removed = segmenter.predict(Prompts(mask=both, points=(Point(205, 120, positive=False),)))[0].mask
    assert np.count_nonzero(removed & (other > 0)) < 0.05 * np.count_nonzero(other)
    assert _iou(removed, truth) > 0.9


def test_clicks_one_by_one_and_all_at_once_give_the_same_mask() -> None:
    image, _ = _scene()
    clicks = (Point(*CENTRE), Point(140, 85), Point(60, 40, positive=False), Point(150, 100, positive=False))
    step_by_step = _segmenter(image)
    for n in range(1, len(clicks)):
        step_by_step.predict(Prompts(points=clicks[:n]))
    last = step_by_step.predict(Prompts(points=clicks))
    at_once = _segmenter(image, threads=1).predict(Prompts(points=clicks))
    assert [c.score for c in last] == [c.score for c in at_once]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(last, at_once, strict=True))


def test_an_undone_click_leaves_no_trace() -> None:
    image, _ = _scene()
    segmenter = _segmenter(image)
    one = segmenter.predict(Prompts(points=(Point(*CENTRE),)))[0].mask
    segmenter.predict(Prompts(points=(Point(*CENTRE), Point(120, 85, positive=False))))
    again = segmenter.predict(Prompts(points=(Point(*CENTRE),)))[0].mask
    assert np.array_equal(one, again)


def test_clicks_and_strokes_hold_literally() -> None:
    image, _ = _scene()
    on, off = Point(10, 10), Point(*CENTRE, positive=False)
    erase = Stroke(((100.0, 50.0), (100.0, 110.0)), 5.0, positive=False)
    mask = _segmenter(image).predict(Prompts(points=(Point(80, 75), on, off), strokes=(erase,)))[0].mask
    assert mask[10, 10] and mask[75, 80]
    assert not mask[80, 100]
    assert not mask[52:108, 96:105].any()


def test_only_negative_prompts_select_nothing() -> None:
    image, _ = _scene()
    best = _segmenter(image).predict(Prompts(points=(Point(5, 5, positive=False),)))[0]
    assert not best.mask.any()
    assert best.score == 0


def test_a_lone_click_offers_different_extents_best_first() -> None:
    image, _ = _scene()
    image = image.copy()
    cv2.circle(image, CENTRE, 12, (230, 220, 60), -1)
    found = _segmenter(image).predict(Prompts(points=(Point(*CENTRE),)))
    areas = [np.count_nonzero(c.mask) for c in found]
    assert len(found) > 1 and max(areas) > 2 * min(areas)
    assert found[0].score == max(c.score for c in found)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40), (3, 90), (17, 23)])
@pytest.mark.parametrize("kind", ["noise", "flat"])
def test_any_size_and_content_keeps_the_promises(size: tuple[int, int], kind: str) -> None:
    height, width = size
    image = np.full((height, width, 3), 120, np.uint8)
    if kind == "noise":
        image = np.random.default_rng(1).integers(0, 255, image.shape, dtype=np.uint8)
    segmenter = _segmenter(image)
    corner = Point(width - 1, height - 1)
    for prompts in (
        Prompts(points=(Point(0, 0),)),
        Prompts(points=(Point(0, 0), corner)),
        Prompts(box=Box(0, 0, width - 1, height - 1)),
        Prompts(strokes=(Stroke(((0.0, 0.0), (corner.x, corner.y)), 1.0),)),
        Prompts(mask=np.full((height, width), 255, np.uint8), points=(corner,)),
    ):
        best = segmenter.predict(prompts)[0]
        assert best.mask.shape == size
        assert best.mask.any()
        assert all(best.mask[round(p.y), round(p.x)] for p in prompts.points)


def test_a_large_image_is_answered_at_its_own_size() -> None:
    image, truth = _scene()
    large = cv2.resize(image, None, fx=9, fy=9, interpolation=cv2.INTER_NEAREST)
    mask = _segmenter(large).predict(Prompts(points=(Point(900, 720),)))[0].mask
    assert mask.shape == large.shape[:2]
    assert _iou(mask, cv2.resize(truth.astype(np.uint8), mask.shape[::-1]) > 0) > 0.9


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (Prompts(), "no prompts"),
        (Prompts(text="the dog"), "no text"),
        (Prompts(points=(Point(240, 10),)), "outside"),
        (Prompts(points=(Point(float("nan"), 10),)), "outside"),
        (Prompts(box=Box(20, 20, 10, 30)), "inverted"),
        (Prompts(box=Box(300, 20, 310, 30)), "outside"),
        (Prompts(box=Box(0, 0, float("inf"), 30)), "numbers"),
        (Prompts(strokes=(Stroke((), 3.0),)), "no points"),
        (Prompts(strokes=(Stroke(((5.0, 5.0),), -1.0),)), "radius"),
        (Prompts(strokes=(Stroke(((float("nan"), 5.0),), 1.0),)), "numbers"),
        (Prompts(strokes=(Stroke(((-50.0, 5.0),), 1.0),)), "outside"),
        (Prompts(mask=np.zeros((5, 5), np.uint8)), "image 240x160"),
        (Prompts(mask=np.zeros((160, 240), np.uint8)), "empty"),
    ],
)
def test_prompts_that_make_no_sense_are_refused_in_one_line(prompts: Prompts, words: str) -> None:
    with pytest.raises(PromptError, match=words) as caught:
        _segmenter(_scene()[0]).predict(prompts)
    assert "\n" not in str(caught.value)


def test_predict_without_an_image_says_what_to_call() -> None:
    with pytest.raises(EngineFailedError, match="set_image"):
        GrabCutSegmenter().predict(Prompts(points=(Point(0, 0),)))


def test_parameters_have_ranges() -> None:
    with pytest.raises(ParameterError, match="smoothness"):
        create(Job.SEGMENTER, "grabcut", {"smoothness": 0})


def test_the_cut_follows_any_unary_and_its_hard_labels() -> None:
    image = np.full((20, 30, 3), 128, np.uint8)
    view = View(image, (0, 0, 30, 20), 10_000)
    unary = np.full((20, 30), -5, np.float32)
    unary[:, 12:] = 5
    inside, outside = np.zeros((20, 30), np.bool_), np.zeros((20, 30), np.bool_)
    outside[5, 28] = True
    result = view.cut(unary, inside, outside, 2.5)
    expected = unary > 0
    expected[5, 28] = False
    assert np.count_nonzero(result != expected) <= 2
    assert not result[5, 28]


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "ground_truth").is_dir(), reason="the test material ../shared is not here")
def test_clicks_on_real_frames_reach_a_floor() -> None:
    from benchmarks.clicks import samples, simulate

    chosen = [s for i, s in enumerate(samples()) if i % 5 == 1]
    segmenter = GrabCutSegmenter()
    after = []
    for sample in chosen:
        segmenter.set_image(sample.image)
        after.append(simulate(sample, lambda prompts: segmenter.predict(prompts)[0].mask, clicks=3)[0])
    first, _, third = np.mean(after, axis=0)
    assert first > 0.68
    assert third > 0.8
