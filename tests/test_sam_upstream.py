"""SAM2 and EdgeTAM beside their authors' own code: the same weights, the same pixels, every kind of prompt."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from engines.base import Box, Direction, Mask, Point, Prompts
from tests.sam2_authors import build
from tests.sam_material import SIDE, Film, carry, flat, tiny_network

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.sam.family import Network  # noqa: E402
from engines.sam.image import SamSegmenter, rough_logits  # noqa: E402
from engines.sam.session import LazyFrames, ObjectSession  # noqa: E402

pytestmark = [
    pytest.mark.upstream,
    pytest.mark.skipif(
        importlib.util.find_spec("sam2") is None, reason="the authors' package is not installed: pip install sam2"
    ),
]
FORWARD, BACKWARD, BOTH = Direction.FORWARD, Direction.BACKWARD, Direction.BOTH


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with tiny_network("sam2", tmp_path_factory.mktemp("weights") / "sam2.1-hiera-tiny") as network:
        yield network


def authors_clip(
    net: Network, film: Film, theirs: Any, keys: Mapping[int, Mapping[int, Mask]], reverse: bool
) -> dict[tuple[int, int], Any]:
    """Return the authors' logits [H, W] by frame and object, from the very pixels that our engine sees.

    Their predictor remembers a given mask from a copy of a quarter of its size; their training, and we, the mask.
    """
    with torch.inference_mode():
        video = torch.cat([net.pixels(film.read(i), SIDE) for i in range(len(film))])
    width, height = film.size
    module = importlib.import_module("sam2.sam2_video_predictor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_video_frames", lambda **_: (video, height, width))
        state = theirs.init_state("unused")
    for index, masks in keys.items():
        for object_id, mask in masks.items():
            theirs.add_new_mask(state, index, object_id, mask > 127)
    given = [mask for masks in state["mask_inputs_per_obj"].values() for mask in masks.values()]
    encode = theirs._run_memory_encoder
    theirs._run_memory_encoder = lambda *a, **k: encode(*a, **{**k, "high_res_masks": given.pop(0).float() * 20 - 10})
    start = max(keys) if reverse else min(keys)
    return {
        (index, object_id): logits[place, 0]
        for index, ids, logits in theirs.propagate_in_video(state, start_frame_idx=start, reverse=reverse)
        for place, object_id in enumerate(ids)
    }


def compare(found: Mapping[tuple[int, int], Any], ours: Mapping[tuple[int, int], Mask]) -> None:
    """Allow the last step of a soft mask, and the side of the line only where a rounding of the last bit decides."""
    worst = 0
    for key, mask in ours.items():
        logits = found[key]
        worst = max(worst, int((torch.tensor(mask) - torch.sigmoid(logits) * 255).abs().max().ceil()))
        sure = (logits.abs() > 1e-3).numpy()
        assert ((mask > 127) == (logits > 0).numpy())[sure].all(), key
    print(f"largest difference of soft masks: {worst} of 255")
    assert worst <= 1


def check_logits(net: Network, film: Film, theirs: Any, reverse: bool, within: float) -> None:
    """Compare a run through the clip by what the networks say of each frame, before it becomes a mask."""
    key = len(film) - 1 if reverse else 0
    keys = {key: film.disc(key)}
    found = authors_clip(net, film, theirs, {key: {1: keys[key]}}, reverse)
    frames = LazyFrames(net, film, SIDE)
    with torch.inference_mode():
        session = ObjectSession(net, frames, keys)
        for index in range(key - 1, -1, -1) if reverse else range(1, len(film)):
            logits, _ = session.step(index, reverse=reverse)
            ours = torch.nn.functional.interpolate(logits, film.size[::-1], mode="bilinear", align_corners=False)
            assert (ours[0, 0] - found[index, 1]).abs().max() < within, index
    frames.close()


@pytest.mark.parametrize("reverse", [False, True])
def test_logits_equal_the_authors(net: Network, reverse: bool) -> None:
    """So closely that the library's own pointer of a given mask, which is twice as far off, would be seen."""
    check_logits(net, Film(20, 101, 77), build(net.folder), reverse, 1e-4)


@pytest.mark.parametrize(
    ("keys", "direction"),
    [((3,), FORWARD), ((20,), BACKWARD), ((3, 20), BOTH)],
    ids=["forward", "reverse", "between two keyframes"],
)
def test_clips_equal_the_authors_package(net: Network, keys: tuple[int, ...], direction: Direction) -> None:
    """Two objects; frames outside of the keyframes are asked for in one direction only."""
    film = Film(24, 101, 77)
    masks = {index: {1: film.disc(index), 2: film.disc(23 - index)} for index in keys}
    found = authors_clip(net, film, build(net.folder), masks, direction is BACKWARD)
    wanted = range(4, 20) if len(keys) == 2 else range(24)
    ours = {key: mask for key, mask in flat(carry(net, film, masks, direction)).items() if key[0] in wanted}
    assert len(ours) > 30
    compare(found, ours)


def test_each_object_equals_the_authors_alone(net: Network) -> None:
    """Objects with keyframes of their own, two each; between them the authors' sessions see both as ours do."""
    film = Film(14, 101, 77)
    keys = {1: {1: film.disc(1)}, 4: {2: film.disc(9)}, 9: {1: film.disc(9)}, 12: {2: film.disc(3)}}
    ours = flat(carry(net, film, keys, BOTH))
    for object_id, inside in ((1, range(2, 9)), (2, range(5, 12))):
        own = {index: masks for index, masks in keys.items() if object_id in masks}
        found = authors_clip(net, film, build(net.folder), own, False)
        compare(found, {(index, object_id): ours[index, object_id] for index in inside})


def test_images_equal_the_authors_predictor(net: Network) -> None:
    from sam2.sam2_image_predictor import SAM2ImagePredictor

    film = Film(1, 101, 77)
    segmenter = SamSegmenter(net)
    segmenter.set_image(film.read(0))
    predictor = SAM2ImagePredictor(build(net.folder))
    pixels = net.pixels(film.read(0), SIDE)[0]
    predictor._bb_feat_sizes = [(SIDE // 4,) * 2, (SIDE // 8,) * 2, (SIDE // 16,) * 2]  # fixed for 1024 there
    kind = type(predictor._transforms)
    predictor._transforms.__class__ = type("Same", (kind,), {"__call__": lambda self, image: pixels})
    predictor.set_image(film.read(0))
    click, away, box = Point(30, 38), Point(80, 5, False), Box(10, 12, 55, 60)
    for prompts in (
        Prompts(points=(click,)),
        Prompts(points=(click, away)),
        Prompts(box=box),
        Prompts(points=(click,), box=box),
        Prompts(mask=film.disc(0)),
        Prompts(points=(click,), mask=film.disc(0)),
        Prompts(points=(click, away), box=box, mask=film.disc(0)),
    ):
        compare_image(predictor, prompts, segmenter)


def compare_image(predictor: Any, prompts: Prompts, segmenter: SamSegmenter) -> None:
    """Ask both; scores and masks are the same but for the last bits."""
    given, box, mask = prompts.points, prompts.box, prompts.mask
    points, labels = [[p.x, p.y] for p in given], [int(p.positive) for p in given]
    if not given and box is None:
        points, labels = [[0.0, 0.0]], [-1]  # what their video code does
    logits, scores, _ = predictor.predict(
        point_coords=np.array(points) if points else None,
        point_labels=np.array(labels) if points else None,
        box=np.array([box.x0, box.y0, box.x1, box.y1]) if box else None,
        mask_input=rough_logits(mask, SIDE)[None] if mask is not None else None,
        multimask_output=len(given) == 1 and box is None and mask is None,
        return_logits=True,
    )
    found = segmenter.predict(prompts)
    order = np.argsort(-scores, kind="stable")
    for candidate, place in zip(found, order, strict=True):
        assert abs(candidate.score - scores[place]) < 1e-5, prompts
        sure = np.abs(logits[place]) > 1e-4
        assert np.array_equal(candidate.mask[sure], (logits[place] > 0)[sure])
