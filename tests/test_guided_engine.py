from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.guided_engine import GuidedMatter
from engines.registry import create
from engines.spec import Job
from errors import ParameterError
from tests.matting_material import Clip, Guides, Scene, hairy_disc


@pytest.fixture(scope="module")
def scene() -> Scene:
    return hairy_disc()


def plain(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.clip(cv2.ximgproc.guidedFilter(rgb, mask.astype(np.float32) / 255, 8, 1e-4 * 255**2), 0, 1)


def error(alpha: np.ndarray, scene: Scene) -> float:
    return float(((alpha - scene.alpha) ** 2).mean())


def test_better_than_the_mask_its_blur_and_a_guided_filter_for_exact_masks(scene: Scene) -> None:
    ours = error(GuidedMatter().alpha(scene.rgb, scene.mask, 1.0), scene)
    blurred = cv2.GaussianBlur(scene.mask.astype(np.float32) / 255, (0, 0), 3)
    assert ours < 0.5 * error(scene.mask / 255, scene)
    assert ours < 0.5 * error(blurred, scene)
    assert ours < error(plain(scene.rgb, scene.mask), scene)


def test_moves_a_tracked_edge_to_the_pictures(scene: Scene) -> None:
    ours = error(GuidedMatter().alpha(scene.rgb, scene.moved, 0.6), scene)
    assert ours < 0.4 * error(scene.moved / 255, scene)
    assert ours < 0.6 * error(plain(scene.rgb, scene.moved), scene)


def test_auto_decides_by_how_well_the_picture_explains_the_edge(scene: Scene) -> None:
    auto, clean, tracked = (GuidedMatter(detail=detail) for detail in ("auto", "clean", "tracked"))
    for matter, mask in ((clean, scene.mask), (tracked, scene.moved)):
        wanted = matter.alpha(scene.rgb, mask, 1.0)
        assert np.abs(auto.alpha(scene.rgb, mask, 1.0) - wanted).mean() < 1e-3


def test_exactly_opaque_and_transparent_away_from_the_edge(scene: Scene) -> None:
    for mask, confidence in ((scene.mask, 1.0), (scene.moved, 0.3)):
        alpha = GuidedMatter().alpha(scene.rgb, mask, confidence)
        deep = cv2.erode(mask, np.ones((61, 61), np.uint8)) > 0
        far = cv2.dilate(mask, np.ones((91, 91), np.uint8)) == 0
        assert deep.any() and far.any()
        assert (alpha[deep] == 1).all()
        assert (alpha[far] == 0).all()
        assert alpha.min() >= 0 and alpha.max() <= 1 and alpha.dtype == np.float32


def test_same_bytes_wherever_a_chunk_starts() -> None:
    scenes = tuple(hairy_disc(120, 160, seed) for seed in range(4))
    matter = create(Job.MATTER, "guided")
    whole = dict(matter.matte(Clip(scenes), Guides(scenes), 0, 4))
    assert list(whole) == [0, 1, 2, 3]
    for start in range(1, 4):
        for index, alpha in GuidedMatter().matte(Clip(scenes), Guides(scenes), start, 4):
            assert alpha.tobytes() == whole[index].tobytes()


def test_no_seams_between_tiles(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    tiled = GuidedMatter().alpha(scene.rgb, scene.mask, 1.0)
    monkeypatch.setattr("engines.guided_engine.TILE", 10_000)
    assert np.abs(GuidedMatter().alpha(scene.rgb, scene.mask, 1.0) - tiled).max() < 1e-4


def test_as_good_at_twice_the_size(scene: Scene) -> None:
    height, width = scene.mask.shape
    rgb = cv2.resize(scene.rgb, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(scene.alpha, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    alpha = GuidedMatter().alpha(rgb, np.where(large >= 0.5, 255, 0).astype(np.uint8), 1.0)
    small = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    assert error(small, scene) < 0.2 * error(scene.mask / 255, scene)


def test_band_limits_how_far_alpha_leaves_the_mask(scene: Scene) -> None:
    changed = [
        np.count_nonzero(np.abs(GuidedMatter(band=band).alpha(scene.rgb, scene.moved, 0.6) - scene.moved / 255) > 0.05)
        for band in (2, 6, 20)
    ]
    assert changed[0] < changed[1] < changed[2]


def test_a_soft_mask_widens_the_band(scene: Scene) -> None:
    soft = cv2.GaussianBlur(scene.moved, (0, 0), 12)
    alphas = [GuidedMatter(band=3).alpha(scene.rgb, mask, 0.6) for mask in (scene.moved, soft)]
    assert error(alphas[1], scene) < error(alphas[0], scene)


def test_sharpness_hardens_the_edge(scene: Scene) -> None:
    soft, normal, hard = (
        ((alpha > 0) & (alpha < 1)).sum()
        for alpha in (GuidedMatter(sharpness=s).alpha(scene.rgb, scene.mask, 1.0) for s in (0.5, 1.0, 3.0))
    )
    assert hard < normal <= soft


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 5), (33, 701), (1081, 3)])
@pytest.mark.parametrize("fill", ["none", "all", "half", "grey", "dot"])
def test_any_size_and_any_mask(shape: tuple[int, int], fill: str) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    mask = np.full(shape, {"all": 255, "grey": 128}.get(fill, 0), np.uint8)
    if fill == "half":
        mask[:, : (shape[1] + 1) // 2] = 255
    if fill == "dot":
        mask[shape[0] // 2, shape[1] // 2] = 255
    alpha = GuidedMatter().alpha(rgb, mask, 0.5)
    assert alpha.shape == shape and np.isfinite(alpha).all() and alpha.min() >= 0 and alpha.max() <= 1
    if fill in {"none", "all"}:
        assert (alpha == mask / 255).all()


@pytest.mark.parametrize("params", [{"band": -1}, {"detail": "best"}, {"sharpness": 0}, {"radius": 3}])
def test_parameters_are_checked(params: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        create(Job.MATTER, "guided", params)
