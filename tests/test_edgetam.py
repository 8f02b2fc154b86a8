"""EdgeTAM: the same engine with other classes; its backbone is built from the configuration, without a download."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from engines.base import Box, Direction, Point, Prompts
from tests.edgetam_authors import SOURCES, authors_package, build
from tests.sam_material import Film, Past, carry, flat, tiny_network

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")
pytest.importorskip("timm", reason="EdgeTAM's backbone is not installed: just setup")

from engines.neural.compute import Compute  # noqa: E402
from engines.sam.family import Network  # noqa: E402
from engines.sam.image import SamSegmenter  # noqa: E402
from tests.test_sam_upstream import check_logits  # noqa: E402
from tests.test_sam_video import check_session  # noqa: E402


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with tiny_network("edgetam", tmp_path_factory.mktemp("weights") / "edgetam") as network:
        yield network


def test_an_image_is_cut(net: Network) -> None:
    film, segmenter = Film(1, 101, 77), SamSegmenter(net)
    segmenter.set_image(film.read(0))
    assert len(segmenter.predict(Prompts(points=(Point(30, 38),)))) == 3
    for prompts in (Prompts(box=Box(5, 5, 60, 60)), Prompts(points=(Point(30, 38),), mask=film.disc(0))):
        (found,) = segmenter.predict(prompts)
        assert found.mask.shape == (77, 101) and found.mask.dtype == bool and 0 <= found.score <= 1


@pytest.mark.parametrize(
    ("frames", "reverse"),
    [(18, False), pytest.param(24, True, marks=pytest.mark.slow), pytest.param(200, False, marks=pytest.mark.slow)],
)
def test_a_pruned_session_is_the_unpruned_one_to_the_last_bit(net: Network, frames: int, reverse: bool) -> None:
    film = Film(frames, 101, 77)
    last = frames - 1
    keys = {index: film.disc(index) for index in ((last,) if reverse else (0, last))}
    check_session(net, film, keys, reverse)


def test_a_cut_run_gives_the_same_masks(net: Network) -> None:
    film = Film(6, 64, 48)
    keys = {2: {1: film.disc(2)}, 4: {1: film.disc(4), 2: film.disc(1)}}
    whole = carry(net, film, keys, Direction.BOTH)
    for cut in (1, 3):
        together = flat(whole[:cut]) | flat(carry(net, film, keys, Direction.BOTH, Past(whole[:cut])))
        assert set(together) == set(flat(whole))
        assert all(np.array_equal(mask, together[key]) for key, mask in flat(whole).items())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_goes_through(net: Network, precision: str) -> None:
    film = Film(4, 64, 48)
    half = carry(replace(net, compute=Compute("cpu", precision)), film, {1: {1: film.disc(1)}}, Direction.BOTH)
    exact = flat(carry(net, film, {1: {1: film.disc(1)}}, Direction.BOTH))
    assert set(flat(half)) == set(exact)
    for key, mask in flat(half).items():
        assert np.abs(exact[key].astype(float) - mask).mean() < 4


@pytest.mark.upstream
@pytest.mark.skipif(not SOURCES.is_dir(), reason="the authors' sources are not there: clone EdgeTAM into sdks/edgetam")
@pytest.mark.skipif(importlib.util.find_spec("hydra") is None, reason="the authors' code needs hydra-core and iopath")
@pytest.mark.parametrize("reverse", [False, True])
def test_logits_equal_the_authors_code(net: Network, reverse: bool) -> None:
    """But for what memories lose as bf16, in which the authors keep them."""
    with authors_package():
        check_logits(net, Film(20, 101, 77), build(net.folder), reverse, 5e-4)
