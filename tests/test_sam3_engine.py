"""SAM 3: equal to the library's own classes on images, by clicks and by text; one folder serves them all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Box, Point, Prompts, Stroke
from engines.registry import create_finder, get_spec
from engines.spec import Job
from errors import EngineFailedError, EngineUnavailableError, ParameterError, PromptError, ResourceError
from tests.sam3_material import SIDE, save_tiny_sam3
from tests.sam_material import Film

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.neural.compute import choose  # noqa: E402
from engines.neural.loading import release  # noqa: E402
from engines.sam import finder  # noqa: E402
from engines.sam.family import Network  # noqa: E402
from engines.sam3_engine import SAM3, SAM3_TEXT, Sam3Finder, Sam3Propagator, Sam3Segmenter  # noqa: E402

ANY = 0.0
"""A threshold that random weights reach."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other in a network this small
    yield save_tiny_sam3(tmp_path_factory.mktemp("models") / "sam3")
    release()
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from config import get_settings

    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(folder.parent))
    monkeypatch.setattr(finder, "MOST", 4)
    monkeypatch.setattr("engines.neural.compute.cpu_has_bf16", lambda: False)  # what is compared here is exact
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def clicks(folder: Path) -> Network:
    return Network(SAM3, folder, choose("cpu", "fp32"))


@pytest.fixture
def texts(folder: Path) -> Network:
    return Network(SAM3_TEXT, folder, choose("cpu", "fp32"))


# --- weights: one folder, four classes --------------------------------------------------------------------------------


def test_every_class_gets_exactly_its_part_of_the_checkpoint(clicks: Network, texts: Network) -> None:
    from safetensors.torch import load_file

    saved = load_file(clicks.folder / "model.safetensors")
    names = {
        "detector_model.vision_encoder.backbone.": "vision_encoder.backbone.",
        "tracker_neck.": "vision_encoder.neck.",
    }
    for load, parts in (
        (clicks.image, {**names, "tracker_model.": ""}),
        (clicks.video, {**names, "tracker_model.": ""}),
        (texts.image, {"detector_model.": ""}),
        (texts.video, {"": ""}),
    ):
        model, known = load(), 0
        expected = {
            new + key[len(old) :]: value
            for key, value in saved.items()
            for old, new in parts.items()
            if key.startswith(old)
        }
        for key, value in model.state_dict().items():
            if key in expected:
                assert torch.equal(value, expected[key]), key
                known += 1
        missing = set(model.state_dict()) - set(expected)
        assert known > 50 and all("rope" in key or "shared_embedding" in key for key in missing), missing


@pytest.mark.slow
@pytest.mark.parametrize("part", ["clicks", "texts"])
@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize("harm", ["truncated", "missing", "unknown", "other size", "no config", "broken config"])
def test_damaged_and_wrong_weights_are_told_in_one_line(
    folder: Path, tmp_path: Path, part: str, kind: str, harm: str
) -> None:
    from safetensors.torch import load_file, save_file

    bad = tmp_path / "sam3"
    shutil.copytree(folder, bad)
    weights, config = bad / "model.safetensors", bad / "config.json"
    state = load_file(weights)
    inner = (
        "tracker_model.mask_decoder.iou_token.weight" if part == "clicks" else "detector_model.text_projection.weight"
    )
    if harm == "truncated":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif harm == "no config":
        config.unlink()
    elif harm == "broken config":
        config.write_text("{")
    else:
        value = state.pop(inner)
        if harm == "unknown":
            state |= {inner: value, "something_else.weight": torch.zeros(3)}
        elif harm == "other size":
            state[inner] = torch.zeros(3, 3)
        save_file(state, weights, {"format": "pt"})
    network = Network(SAM3 if part == "clicks" else SAM3_TEXT, bad, choose("cpu", "fp32"))
    with pytest.raises(EngineFailedError) as caught:
        getattr(network, kind)()
    assert "\n" not in str(caught.value) and "run.py models" in str(caught.value)


def test_a_damaged_tokenizer_is_told_in_one_line(folder: Path, tmp_path: Path) -> None:
    from engines.sam.words import tokens

    shutil.copytree(folder, tmp_path / "sam3")
    (tmp_path / "sam3" / "tokenizer.json").write_text("{")
    with pytest.raises(EngineFailedError, match="tokenizer") as caught:
        tokens(tmp_path / "sam3", "dog", "cpu")
    assert "\n" not in str(caught.value)


def test_the_table_of_weights_has_every_file_that_is_read(folder: Path) -> None:
    from engines.weights import get_set

    assert {file.path for file in get_set("sam3").files} == {path.name for path in folder.iterdir()}


def test_the_finder_is_made_by_the_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from config import get_settings

    assert isinstance(create_finder("sam3", {"threshold": "0.3"}), Sam3Finder)
    with pytest.raises(ParameterError, match="these do: sam3"):
        create_finder("grabcut")
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path))
    get_settings.cache_clear()
    with pytest.raises(EngineUnavailableError, match="download-models sam3"):
        create_finder("sam3")


# --- images -----------------------------------------------------------------------------------------------------------


def processor(folder: Path) -> Any:
    from transformers import CLIPTokenizer
    from transformers.models.sam3 import Sam3ImageProcessor, Sam3Processor

    images = Sam3ImageProcessor(size={"height": SIDE, "width": SIDE})
    return Sam3Processor(images, CLIPTokenizer.from_pretrained(folder))


@pytest.mark.parametrize("box", [None, Box(10, 12, 55, 60)])
def test_text_finds_what_the_library_finds(texts: Network, box: Box | None) -> None:
    rgb = Film(1, 101, 77).read(0)
    theirs = processor(texts.folder)
    corners = {"input_boxes": [[[box.x0, box.y0, box.x1, box.y1]]]} if box else {}
    inputs = theirs(images=rgb, text="dog", return_tensors="pt", **corners)
    inputs.pop("original_sizes")
    with torch.inference_mode():
        out = texts.image()(**inputs)
    threshold = float((out.pred_logits.sigmoid() * out.presence_logits.sigmoid()).quantile(0.5))  # between two scores
    (expected,) = theirs.post_process_instance_segmentation(out, threshold=threshold, target_sizes=[(77, 101)])
    segmenter = Sam3Segmenter("cpu", threshold=threshold)
    segmenter.set_image(rgb)
    found = segmenter.predict(Prompts(text="dog", box=box))
    order = expected["scores"].argsort(descending=True)
    assert len(found) == len(order) == 4
    for candidate, place in zip(found, order, strict=True):
        assert abs(candidate.score - float(expected["scores"][place])) < 1e-6
        assert np.array_equal(candidate.mask, expected["masks"][place].numpy() > 0)


def test_clicks_boxes_and_masks_give_what_the_library_gives(clicks: Network) -> None:
    from transformers.models.sam3 import Sam3ImageProcessor
    from transformers.models.sam3_tracker import Sam3TrackerProcessor

    film = Film(1, 101, 77)
    rgb = film.read(0)
    theirs = Sam3TrackerProcessor(Sam3ImageProcessor(size={"height": SIDE, "width": SIDE}), target_size=SIDE)
    segmenter = Sam3Segmenter("cpu")
    segmenter.set_image(rgb)
    first, second = Point(30, 38), Point(80, 5, False)
    for points, box in (
        ((first,), None),
        ((first, second), None),
        ((), Box(10, 12, 55, 60)),
        ((first,), Box(10, 12, 55, 60)),
    ):
        given: dict[str, Any] = {"input_boxes": [[[box.x0, box.y0, box.x1, box.y1]]]} if box else {}
        if points:
            given["input_points"] = [[[[p.x, p.y] for p in points]]]
            given["input_labels"] = [[[int(p.positive) for p in points]]]
        inputs = theirs(images=rgb, return_tensors="pt", **given)
        inputs.pop("original_sizes")
        with torch.inference_mode():
            out = clicks.image()(**inputs, multimask_output=len(points) == 1 and box is None)
            (masks,) = theirs.post_process_masks(out.pred_masks, [(77, 101)])
        found = segmenter.predict(Prompts(points=points, box=box))
        scores = out.iou_scores[0, 0]
        order = sorted(range(len(scores)), key=lambda place: -float(scores[place]))
        for candidate, place in zip(found, order, strict=True):
            assert np.array_equal(candidate.mask, masks[0, place].numpy()), (points, box)
            assert candidate.score == pytest.approx(min(max(float(scores[place]), 0), 1), abs=1e-6)
    (rough,) = segmenter.predict(Prompts(mask=film.disc(0)))
    assert rough.mask.shape == (77, 101)


@pytest.mark.slow
def test_features_are_made_once_a_picture_and_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    film, segmenter = Film(3, 64, 48), Sam3Segmenter("cpu", threshold=ANY)
    made: list[str] = []
    pixels = Network.pixels

    def counted(self: Network, rgb: Any, side: int) -> Any:
        made.append(self.family.image[1])
        return pixels(self, rgb, side)

    monkeypatch.setattr(Network, "pixels", counted)
    for index in (0, 1, 0):
        segmenter.set_image(film.read(index))
        first, again = (segmenter.predict(Prompts(text="dog")) for _ in range(2))
        assert all(np.array_equal(a.mask, b.mask) for a, b in zip(first, again, strict=True))
    assert made == ["Sam3Model"] * 2
    for index in (0, 1):
        segmenter.set_image(film.read(index))
        segmenter.predict(Prompts(points=(Point(9, 9),)))
    assert made == ["Sam3Model"] * 2 + ["Sam3TrackerModel"] * 2
    segmenter.predict(Prompts(text="cat"))
    assert len(made) == 4


def test_points_beside_a_text_choose_and_strokes_paint() -> None:
    segmenter = Sam3Segmenter("cpu", threshold=ANY)
    segmenter.set_image(Film(1, 101, 77).read(0))
    free = segmenter.predict(Prompts(text="dog"))
    y, x = np.argwhere(free[-1].mask & ~free[0].mask)[0]
    chosen = segmenter.predict(Prompts(text="dog", points=(Point(float(x), float(y)),)))
    assert chosen[0].mask[y, x] and len(chosen) == len(free)
    other = segmenter.predict(Prompts(text="dog", points=(Point(float(x), float(y), positive=False),)))
    assert not other[0].mask[y, x]
    erased = segmenter.predict(Prompts(text="dog", strokes=(Stroke(((float(x), float(y)),), 2, positive=False),)))
    assert not any(candidate.mask[y, x] for candidate in erased)


def test_texts_that_make_no_sense_are_refused() -> None:
    segmenter = Sam3Segmenter("cpu", threshold=1.0)
    with pytest.raises(EngineFailedError, match="set_image"):
        segmenter.predict(Prompts(text="dog"))
    film = Film(1, 64, 48)
    segmenter.set_image(film.read(0))
    for bad, words in (
        (Prompts(text=""), "the text is empty"),
        (Prompts(text="  \n"), "the text is empty"),
        (Prompts(text="dog " * 40), "too long"),
        (Prompts(text="dog"), "no 'dog' was found"),
        (Prompts(text="dog", mask=film.disc(0)), "rough mask"),
        (Prompts(text="dog", box=Box(9, 9, 1, 1)), "inverted"),
        (Prompts(text="dog", points=(Point(99, 1),)), "outside"),
        (Prompts(), "no prompts"),
    ):
        with pytest.raises(PromptError, match=words) as caught:
            segmenter.predict(bad)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(1, 1), pytest.param((131, 9), marks=pytest.mark.slow)])
def test_images_of_odd_sizes(size: tuple[int, int]) -> None:
    segmenter = Sam3Segmenter("cpu", threshold=ANY)
    segmenter.set_image(Film(1, *size).read(0))
    for prompts in (Prompts(text="dog"), Prompts(points=(Point(0, 0),))):
        assert all(found.mask.shape == (size[1], size[0]) for found in segmenter.predict(prompts))


def test_rows_say_what_the_classes_take() -> None:
    import inspect

    for job, kind in ((Job.SEGMENTER, Sam3Segmenter), (Job.SEGMENTER, Sam3Finder), (Job.PROPAGATOR, Sam3Propagator)):
        params = {p.name: p.default for p in get_spec(job, "sam3").params}
        assert params == {n: p.default for n, p in inspect.signature(kind).parameters.items()}


@pytest.mark.slow
def test_half_precision_gives_nearly_the_same() -> None:
    film = Film(1, 101, 77)
    for prompts in (Prompts(text="dog"), Prompts(text="dog", box=Box(5, 5, 50, 50)), Prompts(points=(Point(30, 30),))):
        found = []
        for precision in ("fp32", "bf16"):
            segmenter = Sam3Segmenter("cpu", precision, ANY)
            segmenter.set_image(film.read(0))
            found.append(segmenter.predict(prompts))
        for full, half in zip(*found, strict=True):
            assert half.score == pytest.approx(full.score, abs=0.02)
            assert abs(int(full.mask.sum()) - int(half.mask.sum())) < 0.15 * full.mask.size


def test_a_full_gpu_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.sam3 import Sam3Model

    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Sam3Model, "get_vision_features", full)
    segmenter = Sam3Segmenter("cpu")
    segmenter.set_image(Film(1, 32, 24).read(0))
    for ask in (
        lambda: segmenter.predict(Prompts(text="dog")),
        lambda: list(Sam3Finder("cpu").find(Film(2, 32, 24), "dog", 0, 2)),
    ):
        with pytest.raises(ResourceError, match="device=cpu"):
            ask()
