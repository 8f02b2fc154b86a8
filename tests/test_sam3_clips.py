"""SAM 3 through clips, from masks and from a text: equal to the library's own sessions, whole or cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Direction, Instance, Mask, Propagated
from errors import PromptError
from tests.sam3_material import SIDE, save_tiny_sam3
from tests.sam_material import Film

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.neural.compute import choose  # noqa: E402
from engines.neural.loading import release  # noqa: E402
from engines.sam import finder, following  # noqa: E402
from engines.sam.components import Components, take_over  # noqa: E402
from engines.sam.family import Network  # noqa: E402
from engines.sam.session import LazyFrames, ObjectSession, one_answer  # noqa: E402
from engines.sam3_engine import SAM3, SAM3_TEXT, Sam3Finder, Sam3Propagator  # noqa: E402

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


class Past:
    """What was yielded before, as an engines.base.MaskHistory."""

    def __init__(self, steps: list[Propagated] | None = None) -> None:
        self.made = {(step.index, key): mask for step in steps or [] for key, mask in step.masks.items()}

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        return None if draft else self.made.get((index, object_id))


def carry(film: Film, keys: Mapping[int, Mapping[int, Mask]], direction: Direction, past: Past) -> list[Propagated]:
    return list(Sam3Propagator("cpu").propagate(film, keys, 0, len(film), direction, past))


def flat(steps: list[Propagated]) -> dict[tuple[int, int], Mask]:
    return {(step.index, key): mask for step in steps for key, mask in step.masks.items()}


# --- clips, from masks ------------------------------------------------------------------------------------------------


def library_masks(net: Network, film: Film, keys: Mapping[int, Mask], reverse: bool) -> dict[int, Any]:
    """Return logits by frame from the library's own session with all frames, unpruned."""
    from transformers.models.sam2_video import Sam2VideoVideoProcessor
    from transformers.models.sam3 import Sam3ImageProcessor
    from transformers.models.sam3_tracker_video import Sam3TrackerVideoProcessor

    model = net.video()
    halves = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    videos = Sam2VideoVideoProcessor(size={"height": SIDE, "width": SIDE}, **halves)
    theirs = Sam3TrackerVideoProcessor(Sam3ImageProcessor(), videos, target_size=SIDE)
    with torch.inference_mode():
        session = theirs.init_video_session(video=[film.read(index) for index in range(len(film))])
        for index, mask in keys.items():
            theirs.add_inputs_to_inference_session(session, index, [7], input_masks=mask > 127)
            with one_answer(model):  # the authors' way of a given mask, in which the library errs
                model(session, frame_idx=index)
        start = max(keys) if reverse else min(keys)
        outputs = model.propagate_in_video_iterator(session, start_frame_idx=start, reverse=reverse)
        return {out.frame_idx: out.pred_masks.clone() for out in outputs}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_pruned_session_is_the_librarys_to_the_last_bit(clicks: Network, reverse: bool) -> None:
    frames = 24
    film = Film(frames, 101, 77)
    keys = {index: film.disc(index) for index in ((2, frames - 3) if not reverse else (frames - 3,))}
    theirs = library_masks(clicks, film, keys, reverse)
    lazy = LazyFrames(clicks, film, SIDE)
    with torch.inference_mode():
        ours = ObjectSession(clicks, lazy, keys)
        for index in range(frames - 4, -1, -1) if reverse else range(3, frames - 3):
            logits, _ = ours.step(index, reverse=reverse)
            assert torch.equal(logits, theirs[index]), index
            assert len(ours._session.output_dict_per_obj[0]["non_cond_frame_outputs"]) <= 16
    lazy.close()


@pytest.mark.slow
@pytest.mark.parametrize("direction", list(Direction))
def test_a_cut_run_gives_the_same_masks(direction: Direction) -> None:
    film = Film(9, 64, 48)
    keys = {3: {1: film.disc(3)}, 6: {1: film.disc(6), 2: film.disc(1)}}
    whole = carry(film, keys, direction, Past())
    for cut in range(len(whole)):
        together = {**flat(whole[:cut]), **flat(carry(film, keys, direction, Past(whole[:cut])))}
        assert set(together) == set(flat(whole))
        assert all(np.array_equal(mask, together[key]) for key, mask in flat(whole).items()), cut


def test_a_run_cut_once_gives_the_same_masks() -> None:
    film = Film(6, 64, 48)
    keys = {1: {1: film.disc(1)}, 4: {2: film.disc(4)}}
    whole = carry(film, keys, Direction.BOTH, Past())
    together = {**flat(whole[:3]), **flat(carry(film, keys, Direction.BOTH, Past(whole[:3])))}
    assert all(np.array_equal(mask, together[key]) for key, mask in flat(whole).items())


@pytest.mark.parametrize(("frames", "size"), [(1, (64, 48)), (2, (64, 48)), (3, (7, 3)), (2, (1, 1))])
def test_small_and_odd_clips(frames: int, size: tuple[int, int]) -> None:
    film = Film(frames, *size)
    steps = carry(film, {0: {4: film.disc(0)}}, Direction.BOTH, Past())
    assert [step.index for step in steps] == list(range(1, frames))
    assert all(step.masks[4].shape == (size[1], size[0]) and 0 <= step.confidence[4] <= 1 for step in steps)


@pytest.mark.parametrize(("frames", "size"), [(1, (64, 48)), (2, (1, 1)), (2, (131, 9))])
def test_small_and_odd_clips_are_searched(frames: int, size: tuple[int, int]) -> None:
    film = Film(frames, *size)
    through = list(Sam3Finder("cpu", threshold=ANY).find(film, "dog", 0, frames))
    assert [index for index, _ in through] == list(range(frames))
    assert all(found.mask.shape == (size[1], size[0]) for _, all_found in through for found in all_found)


# --- clips, from a text -----------------------------------------------------------------------------------------------


def library_text(
    net: Network, film: Film, start: int, stop: int, kind: Any
) -> tuple[dict[int, dict[int, tuple[Mask, float]]], set[int]]:
    """Return {frame: {id: (mask, score)}} by the library's own session and post-processing, unpruned, and who left."""
    from transformers import CLIPTokenizer
    from transformers.models.sam2_video import Sam2VideoVideoProcessor
    from transformers.models.sam3 import Sam3ImageProcessor
    from transformers.models.sam3_video import Sam3VideoProcessor

    size = {"height": SIDE, "width": SIDE}
    videos = Sam2VideoVideoProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    theirs = Sam3VideoProcessor(Sam3ImageProcessor(size=size), videos, CLIPTokenizer.from_pretrained(net.folder))
    take_over()
    model = kind.from_pretrained(net.folder).eval()
    model.score_threshold_detection, model.new_det_thresh, model.max_num_objects = ANY, 0.4, finder.MOST
    session = theirs.init_video_session(video=[film.read(index) for index in range(len(film))])
    theirs.add_text_prompt(session, "dog")
    found = {}
    for out in model.propagate_in_video_iterator(session, start, max_frame_num_to_track=stop - start - 1):
        done = theirs.postprocess_outputs(session, out)
        found[out.frame_idx] = {
            int(key): (mask.numpy(), min(float(score), out.obj_id_to_tracker_score.get(int(key), 0.0)))
            for key, mask, score in zip(done["object_ids"], done["masks"], done["scores"], strict=True)
            if mask.any()
        }
    return found, session.hotstart_removed_obj_ids


@pytest.mark.parametrize(
    ("span", "leave"),
    [
        ((3, 15), False),
        pytest.param((3, 90), False, marks=pytest.mark.slow),
        pytest.param((2, 18), True, marks=pytest.mark.slow),
    ],
)
def test_a_pruned_search_is_the_librarys(texts: Network, span: tuple[int, int], leave: bool) -> None:
    """Where instances leave, the library's class mixes them up on that frame: there ours is compared, unpruned."""
    from transformers.models.sam3_video import Sam3VideoModel

    film = Film(span[1] + 2, 101, 77)
    theirs, gone = library_text(texts, film, *span, following.FollowingModel if leave else Sam3VideoModel)
    assert bool(gone) is leave
    ours = dict(Sam3Finder("cpu", threshold=ANY).find(film, "dog", *span))
    assert list(ours) == list(range(*span)) == list(theirs)
    assert max(len(found) for found in ours.values()) > 2
    for index, found in ours.items():
        assert [instance.id - 1 for instance in found] == sorted(theirs[index]), index
        for instance in found:
            mask, score = theirs[index][instance.id - 1]
            assert np.array_equal(instance.mask > 0, mask) and instance.score == pytest.approx(score, abs=1e-6)


def test_a_search_keeps_a_bounded_number_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    prune = following.prune

    def measured(session: Any, model: Any, index: int) -> None:
        prune(session, model, index)
        kept = [*session.output_dict_per_obj.values()]
        assert all(len(outputs["non_cond_frame_outputs"]) <= 16 for outputs in kept)
        assert all(
            sum("maskmem_features" in entry for entry in outputs["cond_frame_outputs"].values()) <= 4
            for outputs in kept
        )
        lists = [*session.unmatched_frame_inds.values(), *session.overlap_pair_to_frame_inds.values()]
        assert all(len(entries) <= 5 for entries in lists)
        assert len(session.obj_id_to_tracker_score_frame_wise) <= 1 and len(session.suppressed_obj_ids) <= 1
        assert len(session.cache._vision_features) <= 1
        sizes.append(index)

    monkeypatch.setattr(finder, "prune", measured)
    film = Film(19, 32, 24)
    list(Sam3Finder("cpu", threshold=ANY).find(film, "dog", 0, 19))
    assert sizes == list(range(19)) and sorted(film.reads) == list(range(19))


def test_an_instance_that_is_given_up_takes_no_other_ones_place(
    texts: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the frame on which one leaves, the others keep the masks that the tracker has for them."""
    tracked: list[tuple[list[int], Any]] = []
    gone: list[int] = []
    kind = following.FollowingModel
    run, plan = kind.run_tracker_propagation, kind.run_tracker_update_planning_phase

    def noted(self: Any, inference_session: Any, **given: Any) -> Any:
        result = run(self, inference_session=inference_session, **given)
        tracked.append((list(inference_session.obj_ids), result[0].clone()))
        return result

    def planned(self: Any, **given: Any) -> Any:
        given["tracker_low_res_masks_global"] = given["tracker_low_res_masks_global"].clone()
        result = plan(self, **given)
        gone.extend(result[0]["obj_ids_newly_removed"])
        return result

    monkeypatch.setattr(kind, "run_tracker_propagation", noted)
    monkeypatch.setattr(kind, "run_tracker_update_planning_phase", planned)
    model = texts.video()
    monkeypatch.setattr(model, "hotstart_unmatch_thresh", 1)
    monkeypatch.setattr(model, "trk_assoc_iou_thresh", 0.4)
    monkeypatch.setattr(model, "recondition_every_nth_frame", 0)
    outputs: list[Any] = []
    hook = model.register_forward_hook(lambda _model, _given, out: outputs.append(out))
    list(Sam3Finder("cpu", threshold=ANY).find(Film(8, 101, 77), "dog", 0, 8))
    hook.remove()
    assert gone
    for out, (ids, masks) in zip(outputs, tracked, strict=True):
        for place, object_id in enumerate(ids):
            assert torch.equal(out.obj_id_to_mask[object_id][0], masks[place]), (out.frame_idx, object_id)


def test_a_text_that_finds_nothing_and_one_that_says_nothing() -> None:
    film = Film(4, 32, 24)
    assert list(Sam3Finder("cpu", threshold=1.0).find(film, "dog", 1, 3)) == [(1, []), (2, [])]
    with pytest.raises(PromptError, match="the text is empty"):
        list(Sam3Finder("cpu").find(film, " ", 0, 2))


@pytest.mark.slow
def test_a_search_that_is_left_ends_its_thread_and_leaves_the_network_usable() -> None:
    film, search = Film(7, 32, 24), Sam3Finder("cpu", threshold=ANY)
    whole = list(search.find(film, "dog", 0, 7))
    for _ in search.find(film, "dog", 0, 7):
        break
    again = list(search.find(film, "dog", 0, 7))
    assert _bytes(again) == _bytes(whole)


def _bytes(steps: list[tuple[int, list[Instance]]]) -> list[Any]:
    return [
        (index, [(found.id, found.score, found.mask.tobytes()) for found in all_found]) for index, all_found in steps
    ]


def test_holes_specks_and_doubles_are_dealt_with_without_a_download() -> None:
    from transformers.models.sam3_video import modeling_sam3_video as library

    take_over()
    mask = torch.full((2, 1, 9, 9), -1.0)
    mask[0, 0, 1:8, 1:8] = 1.0
    mask[0, 0, 3, 3] = mask[0, 0, 4, 4] = -1.0  # one hole of two pixels that touch at a corner
    mask[1, 0, 0, 0] = mask[1, 0, 1, 1] = 1.0  # a speck
    mask[1, 0, 3:, :] = 1.0
    clean = library.fill_holes_in_mask_scores(mask, max_area=2)
    assert (clean[0, 0, 1:8, 1:8] > 0).all() and not (clean[1, 0, :3] > 0).any() and (clean[1, 0, 3:] > 0).all()
    assert torch.equal(library.fill_holes_in_mask_scores(mask, max_area=1), mask)
    ious = torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, 0.6], [0.0, 0.6, 1.0]])
    kept = Components().generic_nms(ious, torch.tensor([0.8, 0.9, 0.7]), 0.55)
    assert kept.tolist() == [1, 0]


@pytest.mark.slow
def test_half_precision_goes_through_clips() -> None:
    film = Film(24, 101, 77)
    steps = Sam3Propagator("cpu", "bf16").propagate(film, {0: {1: film.disc(0)}}, 0, 24, Direction.FORWARD, Past())
    assert len(list(steps)) == 23
    full, half = (list(Sam3Finder("cpu", precision, ANY).find(film, "dog", 0, 24)) for precision in ("fp32", "bf16"))
    assert [index for index, _ in half] == list(range(24))
    assert {found.id for _, seen in full for found in seen} == {found.id for _, seen in half for found in seen}


@pytest.mark.slow
def test_random_states_stay() -> None:
    before = torch.get_rng_state(), str(np.random.get_state())
    release()
    list(Sam3Finder("cpu", threshold=ANY).find(Film(2, 32, 32), "dog", 0, 2))
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == str(np.random.get_state())
