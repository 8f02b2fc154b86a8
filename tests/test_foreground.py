from __future__ import annotations

import numpy as np
import pytest

from engines.foreground import estimate_foreground
from tests.matting_material import Scene, hairy_disc


@pytest.fixture(scope="module")
def scene() -> Scene:
    return hairy_disc()


@pytest.fixture(scope="module")
def rgb(scene: Scene) -> np.ndarray:
    return scene.rgb.astype(np.float32) / 255


def test_takes_the_backgrounds_colour_out_of_the_edge(scene: Scene, rgb: np.ndarray) -> None:
    soft = (scene.alpha > 0.05) & (scene.alpha < 0.98)
    found = estimate_foreground(rgb, scene.alpha)
    before = ((rgb - scene.foreground)[soft] ** 2).mean()
    after = ((found - scene.foreground)[soft] ** 2).mean()
    assert after < 0.05 * before


def test_is_the_picture_where_alpha_is_one(scene: Scene, rgb: np.ndarray) -> None:
    found = estimate_foreground(rgb, scene.alpha)
    assert found.dtype == np.float32 and found.shape == rgb.shape
    assert np.abs(found - rgb)[scene.alpha >= 1].max() < 1e-6


def test_goes_on_with_the_foregrounds_colour_where_alpha_is_zero(scene: Scene, rgb: np.ndarray) -> None:
    found = estimate_foreground(rgb, scene.alpha)
    rows, columns = np.nonzero(scene.alpha == 0)
    centre = np.array(scene.alpha.shape) / 2
    near = np.hypot(rows - centre[0], columns - centre[1]) < 0.29 * scene.alpha.shape[0] + 8
    assert near.any()
    # Red over blue in the foreground, blue over red behind it.
    assert (found[rows[near], columns[near], 0] > found[rows[near], columns[near], 2]).all()


def test_no_seams_between_tiles(scene: Scene, rgb: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    tiled = estimate_foreground(rgb, scene.alpha)
    monkeypatch.setattr("engines.foreground.TILE", 10_000)
    whole = estimate_foreground(rgb, scene.alpha)
    visible = scene.alpha > 0
    assert np.abs(whole - tiled)[visible].max() < 0.02


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (37, 41), (1083, 5)])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, None])
def test_any_size_and_any_alpha(shape: tuple[int, int], alpha: float | None) -> None:
    rng = np.random.default_rng(0)
    rgb = rng.random((*shape, 3), np.float32)
    matte = rng.random(shape, np.float32) if alpha is None else np.full(shape, alpha, np.float32)
    found = estimate_foreground(rgb, matte)
    assert found.shape == rgb.shape and np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1
    if alpha == 1:
        assert (found == rgb).all()


def test_does_not_write_into_its_arguments(scene: Scene, rgb: np.ndarray) -> None:
    picture, alpha = rgb.copy(), scene.alpha.copy()
    estimate_foreground(rgb, scene.alpha)
    assert (rgb == picture).all() and (scene.alpha == alpha).all()
