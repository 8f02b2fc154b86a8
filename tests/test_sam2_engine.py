"""SAM2 and EdgeTAM on images, their weights, and what happens when a GPU's memory does not suffice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Box, Direction, Point, Prompts, Stroke
from errors import EngineFailedError, EngineUnavailableError, PromptError, ResourceError
from tests.sam_material import SIDE, Film, carry, save_tiny_sam2, tiny_network

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.neural.compute import Compute, choose  # noqa: E402
from engines.neural.loading import hold  # noqa: E402
from engines.sam.family import Network  # noqa: E402
from engines.sam.image import SamSegmenter  # noqa: E402
from engines.sam2_engine import SAM2  # noqa: E402


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with tiny_network("sam2", tmp_path_factory.mktemp("weights") / "sam2.1-hiera-tiny") as network:
        yield network


# --- images -----------------------------------------------------------------------------------------------------------


def test_one_point_has_three_answers_and_more_prompts_one(net: Network) -> None:
    film, segmenter = Film(1, 101, 77), SamSegmenter(net)
    segmenter.set_image(film.read(0))
    lone = segmenter.predict(Prompts(points=(Point(30, 38),)))
    assert len(lone) == 3 and [c.score for c in lone] == sorted((c.score for c in lone), reverse=True)
    assert all(c.mask.shape == (77, 101) and c.mask.dtype == bool and 0 <= c.score <= 1 for c in lone)
    assert len(segmenter.predict(Prompts(points=(Point(30, 38), Point(3, 3, False)), box=Box(5, 5, 60, 60)))) == 1
    assert len(segmenter.predict(Prompts(points=(Point(30, 38),), mask=film.disc(0)))) == 1


def test_a_second_click_does_not_encode_the_picture_again(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    film, segmenter = Film(3, 64, 48), SamSegmenter(net)
    encoded: list[int] = []
    pixels = Network.pixels

    def counted(self: Network, rgb: Any, side: int) -> Any:
        encoded.append(1)
        return pixels(self, rgb, side)

    monkeypatch.setattr(Network, "pixels", counted)
    for index in (0, 1, 0):
        segmenter.set_image(film.read(index))
        first = segmenter.predict(Prompts(points=(Point(20, 20),)))
        again = segmenter.predict(Prompts(points=(Point(20, 20),)))
        assert all(np.array_equal(a.mask, b.mask) for a, b in zip(first, again, strict=True))
    assert len(encoded) == 2


def test_strokes_are_painted_literally_and_alone_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = SamSegmenter(Network(SAM2, Path("/nowhere"), choose("cpu", "fp32")))
    segmenter.set_image(Film(1, 64, 48).read(0))
    strokes = (Stroke(((10, 10), (30, 10)), 3), Stroke(((20, 10), (20, 10)), 2, positive=False))
    (found,) = segmenter.predict(Prompts(strokes=strokes))
    assert found.mask[10, 12] and found.mask[10, 28] and not found.mask[10, 20] and not found.mask[30, 12]


def test_prompts_that_make_no_sense_are_refused(net: Network) -> None:
    segmenter = SamSegmenter(net)
    with pytest.raises(EngineFailedError, match="set_image"):
        segmenter.predict(Prompts(points=(Point(1, 1),)))
    segmenter.set_image(Film(1, 64, 48).read(0))
    for bad in (Prompts(), Prompts(points=(Point(64, 1),)), Prompts(text="dog"), Prompts(box=Box(9, 9, 1, 1))):
        with pytest.raises(PromptError):
            segmenter.predict(bad)


def test_pictures_are_prepared_as_the_library_prepares_them(net: Network) -> None:
    from transformers.models.sam2_video import Sam2VideoVideoProcessor

    rgb = Film(1, 101, 77).read(0)
    processor = Sam2VideoVideoProcessor(size={"height": SIDE, "width": SIDE})
    theirs = processor(videos=[[rgb]], return_tensors="pt").pixel_values_videos[0]
    assert torch.equal(net.pixels(rgb, SIDE), theirs)


# --- weights ----------------------------------------------------------------------------------------------------------


def test_damaged_and_wrong_weights_are_told_in_one_line(tmp_path: Path) -> None:
    good = save_tiny_sam2(tmp_path / "good")
    film = Film(2, 32, 32)

    def fails(change: Any) -> str:
        import shutil

        folder = tmp_path / "bad"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        change(folder)
        with pytest.raises(EngineFailedError) as caught:
            carry(Network(SAM2, folder, choose("cpu", "fp32")), film, {0: {1: film.disc(0)}}, Direction.FORWARD)
        assert "\n" not in str(caught.value) and "run.py models" in str(caught.value)
        return str(caught.value)

    def truncate(folder: Path) -> None:
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[: len(data) // 2])

    def forget(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        state = load_file(folder / "model.safetensors")
        del state["no_memory_embedding"]
        save_file(state, folder / "model.safetensors", {"format": "pt"})

    fails(truncate)
    assert "missing keys" in fails(forget)
    fails(lambda folder: (folder / "config.json").write_text("{"))
    fails(lambda folder: (folder / "model.safetensors").unlink())


def test_a_full_gpu_gives_up_its_pictures_then_says_what_to_do(
    net: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    film, segmenter, click = Film(2, 64, 48), SamSegmenter(net), Prompts(points=(Point(20, 20),))
    segmenter.set_image(film.read(0))
    before = segmenter.predict(click)
    kept: list[int] = []
    encode = type(net.image()).get_image_embeddings

    def crowded(self: Any, pixels: Any) -> Any:
        kept.append(len(segmenter._kept))
        if len(segmenter._kept) >= room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(self, pixels)

    monkeypatch.setattr(type(net.image()), "get_image_embeddings", crowded)
    room = 1
    segmenter.set_image(film.read(1))
    segmenter.predict(click)
    assert kept == [1, 0]
    (told,) = [record.getMessage() for record in caplog.records if record.name == "splazmatte.notice"]
    assert "forgot the 1 kept pictures" in told and "\n" not in told
    room = 9
    segmenter.set_image(film.read(0))
    again = segmenter.predict(click)
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(before, again, strict=True))
    room = 0
    segmenter.set_image(Film(2, 64, 49).read(0))
    for _ in range(2):  # with pictures to give up, and without
        with pytest.raises(ResourceError, match="choose a smaller model, or device=cpu"):
            segmenter.predict(click)


@pytest.mark.parametrize("precision", ["bf16", pytest.param("fp16", marks=pytest.mark.slow)])
def test_half_precision_gives_nearly_the_same(net: Network, precision: str) -> None:
    """fp16 too, which the engine never chooses on a CPU: no type of number gets in another's way."""
    half = replace(net, compute=Compute("cpu", precision))
    film, click = Film(4, 64, 48), Prompts(points=(Point(20, 20),), mask=Film(4, 64, 48).disc(0))
    found = []
    for network in (net, half):
        segmenter = SamSegmenter(network)
        segmenter.set_image(film.read(0))
        found.append([answer.mask * 255.0 for answer in segmenter.predict(click)])
    for network, masks in zip((net, half), found, strict=True):
        steps = carry(network, film, {1: {1: film.disc(1)}}, Direction.BOTH)
        assert [step.index for step in steps] == [0, 2, 3]
        masks += [step.masks[1].astype(float) for step in steps]
    for exact, rough in zip(*found, strict=True):
        assert np.abs(exact - rough).mean() < 4


def test_a_device_that_is_not_there_is_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(EngineUnavailableError, match="device=cpu"):
            choose("cuda", "auto")
    assert choose("cpu", "fp16").precision == "fp32"


@pytest.mark.parametrize(("has", "precision"), [(True, "bf16"), (False, "fp32")])
def test_the_precision_is_what_the_cpu_can_do(monkeypatch: pytest.MonkeyPatch, has: bool, precision: str) -> None:
    monkeypatch.setattr("engines.neural.compute.cpu_has_bf16", lambda: has)
    assert choose("cpu", "auto").precision == precision
    assert choose("cpu", "fp32").precision == "fp32"


def test_weights_that_do_not_fit_into_a_gpu_are_an_error_of_one_line() -> None:
    def load() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ResourceError, match=r"^the memory of the GPU does not suffice; choose a smaller model"):
        hold("a network too large", load)
