"""SAM2: equal to the library's own sessions and to the authors' code, whatever the clip, the cut and the objects."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Box, Direction, Mask, Point, Prompts, Propagated, Stroke
from errors import EngineFailedError, EngineUnavailableError, PromptError
from tests.sam_material import SIDE, Film, save_tiny_sam2

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.neural.compute import choose  # noqa: E402
from engines.neural.loading import release  # noqa: E402
from engines.sam.family import Network  # noqa: E402
from engines.sam.image import SamSegmenter  # noqa: E402
from engines.sam.plan import plan_runs  # noqa: E402
from engines.sam.session import LazyFrames, ObjectSession, to_mask  # noqa: E402
from engines.sam.video import SamPropagator  # noqa: E402
from engines.sam2_engine import SAM2  # noqa: E402

HAS_AUTHORS = importlib.util.find_spec("sam2") is not None
upstream = pytest.mark.upstream
needs_authors = pytest.mark.skipif(not HAS_AUTHORS, reason="the authors' package is not installed: pip install sam2")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = save_tiny_sam2(tmp_path_factory.mktemp("weights") / "sam2.1-hiera-tiny")
    yield Network(SAM2, folder, choose("cpu", "fp32"))
    release()


class Past:
    """What was yielded before, as an engines.base.MaskHistory."""

    def __init__(self, steps: list[Propagated] | None = None) -> None:
        self.made = {(step.index, key): mask for step in steps or [] for key, mask in step.masks.items()}

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        return None if draft else self.made.get((index, object_id))


def carry(
    net: Network, film: Film, keys: Mapping[int, Mapping[int, Mask]], direction: Direction, past: Past | None = None
) -> list[Propagated]:
    return list(SamPropagator(net).propagate(film, keys, 0, len(film), direction, past or Past()))


def flat(steps: list[Propagated]) -> dict[tuple[int, int], Mask]:
    return {(step.index, key): mask for step in steps for key, mask in step.masks.items()}


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", list(Direction))
def test_every_frame_is_in_one_run_and_sees_its_neighbours_only(direction: Direction) -> None:
    keys = [3, 4, 9]
    runs = plan_runs(1, keys, 1, 14, direction)
    frames = [index for run in runs for index in run.frames]
    assert len(frames) == len(set(frames))
    first, last = (1 if direction is not Direction.FORWARD else 3), (14 if direction is not Direction.BACKWARD else 10)
    assert set(frames) == set(range(first, last)) - set(keys)
    for run in runs:
        for index in run.frames:
            before, after = [k for k in keys if k < index][-1:], [k for k in keys if k > index][:1]
            assert set(run.keys) <= {*before, *after}


def test_no_keyframe_or_nothing_to_do_gives_no_run() -> None:
    assert plan_runs(1, [], 0, 9, Direction.BOTH) == []
    assert plan_runs(1, [5], 5, 6, Direction.BOTH) == []


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


# --- clips ------------------------------------------------------------------------------------------------------------


def library_session(net: Network, film: Film, keys: Mapping[int, Mask], reverse: bool) -> dict[int, Any]:
    """Return full-size logits by frame from the library's own session with all frames, unpruned, one object."""
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    model = net.video()
    with torch.inference_mode():
        video = torch.cat([net.pixels(film.read(i), SIDE) for i in range(len(film))])
        session = Sam2VideoInferenceSession(video=video, dtype=torch.float32)
        for index, mask in keys.items():
            given = torch.nn.functional.interpolate(
                torch.tensor(mask > 127).float()[None, None], (SIDE, SIDE), mode="bilinear", antialias=True
            )
            session.add_mask_inputs(session.obj_id_to_idx(7), index, (given >= 0.5).float())
            session.obj_with_new_inputs = [7]
            model(session, frame_idx=index)
        start = max(keys) if reverse else min(keys)
        outputs = model.propagate_in_video_iterator(session, start_frame_idx=start, reverse=reverse)
        return {out.frame_idx: out.pred_masks.clone() for out in outputs}


@pytest.mark.parametrize(
    ("frames", "reverse"), [(40, False), (40, True), pytest.param(200, False, marks=pytest.mark.slow)]
)
def test_a_pruned_session_is_the_unpruned_one_to_the_last_bit(net: Network, frames: int, reverse: bool) -> None:
    film = Film(frames, 101, 77)
    keys = {index: film.disc(index) for index in ((2, frames - 3) if not reverse else (frames - 3,))}
    theirs = library_session(net, film, keys, reverse)
    lazy = LazyFrames(net, film, SIDE)
    with torch.inference_mode():
        ours = ObjectSession(net, lazy, None, keys)
        order = range(frames - 4, -1, -1) if reverse else range(3, frames - 3)
        for index in order:
            logits, _ = ours.step(index, reverse=reverse)
            assert torch.equal(logits, theirs[index]), index
            kept = ours._session.output_dict_per_obj[0]["non_cond_frame_outputs"]
            assert len(kept) <= 16 and len(ours._session.cache._vision_features) <= 1
    lazy.close()


def test_objects_do_not_change_each_other(net: Network) -> None:
    film = Film(8, 64, 48)
    both = flat(carry(net, film, {2: {1: film.disc(2), 2: film.disc(6)}, 5: {2: film.disc(5)}}, Direction.BOTH))
    first = flat(carry(net, film, {2: {1: film.disc(2)}}, Direction.BOTH))
    second = flat(carry(net, film, {2: {2: film.disc(6)}, 5: {2: film.disc(5)}}, Direction.BOTH))
    assert set(both) == set(first) | set(second)
    for key, mask in {**first, **second}.items():
        assert np.array_equal(both[key], mask), key


@pytest.mark.parametrize("direction", list(Direction))
def test_a_cut_run_gives_the_same_masks(net: Network, direction: Direction) -> None:
    film = Film(9, 64, 48)
    keys = {3: {1: film.disc(3)}, 6: {1: film.disc(6), 2: film.disc(1)}}
    whole = carry(net, film, keys, direction)
    for cut in range(len(whole)):
        rest = carry(net, film, keys, direction, Past(whole[:cut]))
        together = {**flat(whole[:cut]), **flat(rest)}
        assert set(together) == set(flat(whole))
        assert all(np.array_equal(mask, together[key]) for key, mask in flat(whole).items()), cut


def test_a_far_keyframe_changes_nothing(net: Network) -> None:
    film = Film(12, 64, 48)
    keys = {2: {1: film.disc(2)}, 6: {1: film.disc(6)}}
    far = flat(carry(net, film, {**keys, 10: {1: film.disc(1)}}, Direction.BOTH))
    near = flat(carry(net, film, keys, Direction.BOTH))
    assert all(np.array_equal(near[i, 1], far[i, 1]) for i in (0, 1, 3, 4, 5))


@pytest.mark.parametrize(("frames", "size"), [(1, (64, 48)), (2, (64, 48)), (3, (7, 3)), (2, (1, 1)), (2, (131, 9))])
def test_small_and_odd_clips(net: Network, frames: int, size: tuple[int, int]) -> None:
    film = Film(frames, *size)
    steps = carry(net, film, {0: {4: film.disc(0)}}, Direction.BOTH)
    assert [step.index for step in steps] == list(range(1, frames))
    for step in steps:
        assert step.masks[4].shape == (size[1], size[0]) and step.masks[4].dtype == np.uint8
        assert 0 <= step.confidence[4] <= 1


def test_an_empty_keyframe_says_absent(net: Network) -> None:
    film = Film(3, 64, 48)
    nothing = np.zeros((48, 64), np.uint8)
    assert len(carry(net, film, {0: {1: nothing}}, Direction.FORWARD)) == 2


def test_frames_are_read_once_a_sweep_and_none_is_kept(net: Network) -> None:
    film = Film(30, 64, 48)
    keys = {0: {1: film.disc(0), 2: film.disc(9)}}
    carry(net, film, keys, Direction.FORWARD)
    assert sorted(film.reads) == list(range(30))


def test_masks_say_in_where_the_network_does() -> None:
    logits = torch.tensor([[[[-1e-6, 1e-6], [-9.0, 9.0]]]])
    mask, certainty = to_mask(logits, (2, 2))
    assert mask.tolist() == [[127, 128], [0, 255]] and 0.5 < certainty < 1
    assert to_mask(logits - 20, (2, 2))[1] == 0


def test_random_states_stay(net: Network) -> None:
    before = torch.get_rng_state(), str(np.random.get_state())
    release()
    film = Film(2, 32, 32)
    carry(net, film, {0: {1: film.disc(0)}}, Direction.FORWARD)
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == str(np.random.get_state())


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


def test_a_device_that_is_not_there_is_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(EngineUnavailableError, match="device=cpu"):
            choose("cuda", "auto")
    assert choose("cpu", "fp16").precision == "fp32"


# --- beside the authors' code -----------------------------------------------------------------------------------------


@upstream
@needs_authors
@pytest.mark.parametrize("reverse", [False, True])
def test_clips_equal_the_authors_package(net: Network, monkeypatch: pytest.MonkeyPatch, reverse: bool) -> None:
    """Two objects, a keyframe on either side, the very same pixels."""
    import sam2.sam2_video_predictor as authors

    from tests.sam2_authors import build

    film = Film(24, 101, 77)
    theirs = build(net.folder)
    with torch.inference_mode():
        video = torch.cat([net.pixels(film.read(i), SIDE) for i in range(len(film))])
    monkeypatch.setattr(authors, "load_video_frames", lambda **_: (video, 77, 101))
    state = theirs.init_state("unused")
    keys = {3: {1: film.disc(3), 2: film.disc(18)}, 20: {1: film.disc(20), 2: film.disc(4)}}
    if reverse:
        keys = {20: keys[20]}
    for index, masks in keys.items():
        for object_id, mask in masks.items():
            theirs.add_new_mask(state, index, object_id, mask > 127)
    start, direction = (20, Direction.BACKWARD) if reverse else (3, Direction.BOTH)
    found = {
        (index, object_id): logits[place, 0]
        for index, ids, logits in theirs.propagate_in_video(state, start_frame_idx=start, reverse=reverse)
        for place, object_id in enumerate(ids)
    }
    ours = flat(carry(net, film, keys, direction))
    inside = range(20) if reverse else range(4, 20)
    worst = 0
    for index in inside:
        for object_id in (1, 2):
            value = torch.sigmoid(found[index, object_id]) * 255
            worst = max(worst, int((torch.tensor(ours[index, object_id]) - value).abs().max().ceil()))
            sure = (found[index, object_id].abs() > 1e-3).numpy()  # where a rounding of the last bit decides nothing
            same = (ours[index, object_id] > 127) == (found[index, object_id] > 0).numpy()
            assert same[sure].all(), index
    print(f"largest difference of soft masks: {worst} of 255")
    assert worst <= 1


@upstream
@needs_authors
def test_images_equal_the_authors_predictor(net: Network) -> None:
    from sam2.sam2_image_predictor import SAM2ImagePredictor

    from tests.sam2_authors import build

    film = Film(1, 101, 77)
    segmenter = SamSegmenter(net)
    segmenter.set_image(film.read(0))
    predictor = SAM2ImagePredictor(build(net.folder))
    pixels = net.pixels(film.read(0), SIDE)[0]
    predictor._bb_feat_sizes = [(SIDE // 4,) * 2, (SIDE // 8,) * 2, (SIDE // 16,) * 2]  # fixed for 1024 there
    kind = type(predictor._transforms)
    predictor._transforms.__class__ = type("Same", (kind,), {"__call__": lambda self, image: pixels})
    predictor.set_image(film.read(0))
    for prompts in (
        Prompts(points=(Point(30, 38),)),
        Prompts(points=(Point(30, 38), Point(80, 5, False))),
        Prompts(box=Box(10, 12, 55, 60)),
        Prompts(points=(Point(30, 38),), box=Box(10, 12, 55, 60)),
    ):
        given = prompts.points
        box = prompts.box
        logits, scores, _ = predictor.predict(
            point_coords=np.array([[p.x, p.y] for p in given]) if given else None,
            point_labels=np.array([int(p.positive) for p in given]) if given else None,
            box=np.array([box.x0, box.y0, box.x1, box.y1]) if box else None,
            multimask_output=len(given) == 1 and box is None,
            return_logits=True,
        )
        found = segmenter.predict(prompts)
        order = np.argsort(-scores, kind="stable")
        for candidate, place in zip(found, order, strict=True):
            assert abs(candidate.score - scores[place]) < 1e-5, prompts
            sure = np.abs(logits[place]) > 1e-4
            assert np.array_equal(candidate.mask[sure], (logits[place] > 0)[sure])
