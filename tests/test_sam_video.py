"""SAM2 and EdgeTAM through a clip: equal to the library's own sessions, whatever the cut and the objects."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from engines.base import Direction, Mask
from errors import ResourceError
from tests.sam_material import SIDE, Film, Past, carry, flat, library_session, tiny_network

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.neural.loading import release  # noqa: E402
from engines.sam.family import Network  # noqa: E402
from engines.sam.plan import plan_runs  # noqa: E402
from engines.sam.session import LazyFrames, ObjectSession, to_mask  # noqa: E402
from engines.sam.video import SamPropagator  # noqa: E402


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with tiny_network("sam2", tmp_path_factory.mktemp("weights") / "sam2.1-hiera-tiny") as network:
        yield network


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


# --- clips ------------------------------------------------------------------------------------------------------------


def check_session(net: Network, film: Film, keys: Mapping[int, Mask], reverse: bool) -> None:
    """Compare every frame's logits with the library's own session that forgets nothing; and what ours keeps."""
    theirs = library_session(net, film, keys, reverse)
    lazy = LazyFrames(net, film, SIDE)
    with torch.inference_mode():
        ours = ObjectSession(net, lazy, keys)
        order = range(len(film) - 2, -1, -1) if reverse else range(1, len(film) - 1)
        for index in order:
            logits, _ = ours.step(index, reverse=reverse)
            assert torch.equal(logits, theirs[index]), index
            kept = ours._session.output_dict_per_obj[0]["non_cond_frame_outputs"]
            assert len(kept) <= 16 and len(ours._session.cache._vision_features) <= 2
    lazy.close()


@pytest.mark.parametrize(
    ("frames", "reverse"), [(18, False), (18, True), pytest.param(200, False, marks=pytest.mark.slow)]
)
def test_a_pruned_session_is_the_unpruned_one_to_the_last_bit(net: Network, frames: int, reverse: bool) -> None:
    film = Film(frames, 101, 77)
    last = frames - 1
    keys = {index: film.disc(index) for index in ((last,) if reverse else (0, last))}
    check_session(net, film, keys, reverse)


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
    film = Film(6, 64, 48)
    keys = {2: {1: film.disc(2)}, 4: {1: film.disc(4), 2: film.disc(1)}}
    whole = carry(net, film, keys, direction)
    for cut in range(0, len(whole), 2):
        rest = carry(net, film, keys, direction, Past(whole[:cut]))
        together = {**flat(whole[:cut]), **flat(rest)}
        assert set(together) == set(flat(whole))
        assert all(np.array_equal(mask, together[key]) for key, mask in flat(whole).items()), cut


def test_a_far_keyframe_changes_nothing(net: Network) -> None:
    film = Film(8, 64, 48)
    keys = {1: {1: film.disc(1)}, 4: {1: film.disc(4)}}
    far = flat(carry(net, film, {**keys, 6: {1: film.disc(0)}}, Direction.BOTH))
    near = flat(carry(net, film, keys, Direction.BOTH))
    assert all(np.array_equal(near[i, 1], far[i, 1]) for i in (0, 2, 3))


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


def test_every_picture_is_read_and_encoded_once(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyframes begin one run and end another, of two objects, in both directions; still one encoding each."""
    encoded: list[int] = []
    encode = net.video().vision_encoder.forward

    def counted(*args: Any, **options: Any) -> Any:
        encoded.append(1)
        return encode(*args, **options)

    monkeypatch.setattr(net.video().vision_encoder, "forward", counted)
    film = Film(9, 64, 48)
    keys = {index: {1: film.disc(index), 2: film.disc(8 - index)} for index in (2, 5, 7)}
    steps = carry(net, film, keys, Direction.BOTH)
    assert sorted(film.reads) == list(range(9)) and len(encoded) == 9
    assert [step.index for step in steps] == [1, 0, 3, 4, 6, 8]


def test_a_gpu_that_is_too_small_is_told_with_what_to_do(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    film = Film(4, 64, 48)
    steps = SamPropagator(net).propagate(film, {0: {1: film.disc(0)}}, 0, 4, Direction.FORWARD, Past())
    assert next(steps).index == 1

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(net.video(), "forward", full)
    with pytest.raises(ResourceError, match="choose a smaller model, or device=cpu"):
        next(steps)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sam-frames")]


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
