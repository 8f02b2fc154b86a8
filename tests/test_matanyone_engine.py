"""MatAnyone: runs, blends and cuts with a stand-in for the network; and equal to the authors' own code with it."""

from __future__ import annotations

import logging
import random
import shutil
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from config import get_settings
from engines.base import Alpha, Mask
from engines.matanyone.plan import plan_legs
from engines.matanyone.rows import ROWS
from engines.registry import create
from engines.spec import Job, Load
from errors import EngineFailedError, EngineUnavailableError, ResourceError, StorageError
from tests.matanyone_material import AuthorsDriver, Clip, Keyframes, Reversed, save_random_weights

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines import matanyone_engine  # noqa: E402
from engines.matanyone import matching  # noqa: E402
from engines.matanyone import sweep as sweep_module  # noqa: E402
from engines.matanyone.authors import Network, authors_package  # noqa: E402
from engines.matanyone.frames import Frame, Frames, working_size  # noqa: E402
from engines.matanyone.run import fit_mask, prepare_mask  # noqa: E402
from engines.matanyone.spill import Spill  # noqa: E402
from engines.matanyone.upsample import upsample  # noqa: E402
from engines.matanyone_engine import MatAnyoneMatter  # noqa: E402
from engines.neural.compute import choose  # noqa: E402
from engines.neural.loading import release  # noqa: E402

SDKS = get_settings().sdks_path
upstream = pytest.mark.upstream
Masks = dict[int, dict[int, Mask]]


def needs(*names: str) -> pytest.MarkDecorator:
    absent = [name for name in names if not (SDKS / name).is_dir()]
    return pytest.mark.skipif(bool(absent), reason=f"the authors' sources of {absent} are not in sdks/: just setup")


needs_authors = needs("matanyone")


def far(left: list[Alpha], right: list[Alpha]) -> float:
    assert len(left) == len(right)
    return max((float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True)), default=0.0)


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", [(0, 15), (4, 11), (5, 6), (0, 3), (12, 15)])
@pytest.mark.parametrize("absent", [set(), {5}, {2}, {9}, {5, 9}])
def test_every_frame_is_pulled_at_by_its_nearest_keyframes(span: tuple[int, int], absent: set[int]) -> None:
    keys = [2, 5, 9]
    legs = plan_legs(1, keys, *span, lambda key: key not in absent)
    assert all(leg.frames.start >= span[0] and leg.frames.stop <= span[1] and leg.frames for leg in legs)
    for index in range(*span):
        before, after = (
            max((k for k in keys if k <= index), default=None),
            min((k for k in keys if k > index), default=None),
        )
        near = {before} if index == before else {before, after}
        wanted = {key for key in near if key is not None and key not in absent}
        pulling = [leg for leg in legs if index in leg.frames and leg.weight(index) > 0]
        assert {leg.key for leg in pulling} == wanted
        assert sum(leg.weight(index) for leg in pulling) == pytest.approx(1 if wanted else 0)


def test_weights_are_linear_between_keyframes() -> None:
    forward, back = plan_legs(1, [10, 14], 10, 14, lambda key: True)
    assert [forward.weight(i) for i in range(10, 14)] == [1, 0.75, 0.5, 0.25]
    assert (back.is_reverse, back.frames, [back.weight(i) for i in back.frames]) == (
        True,
        range(11, 14),
        [0.25, 0.5, 0.75],
    )


def test_only_the_nearest_keyframes_are_looked_at() -> None:
    asked: set[int] = set()

    def is_there(key: int) -> bool:
        asked.add(key)
        return True

    plan_legs(1, list(range(0, 1000, 10)), 505, 507, is_there)
    assert asked == {500, 510}


# --- masks and sizes --------------------------------------------------------------------------------------------------


def test_traces_of_grey_are_not_the_object() -> None:
    mask = np.full((40, 40), 12, np.uint8)  # a network that is rather sure that nothing is there
    mask[15:25, 15:25] = 200
    assert np.array_equal(prepare_mask(mask, 0, 0) > 0, mask == 200)
    assert prepare_mask(mask, 3, 0).sum() == (12 * 12 - 4) * 255
    assert prepare_mask(mask, 0, 30).any(), "nothing was left of it"


def test_a_small_object_is_still_there_in_a_smaller_picture() -> None:
    mask = np.zeros((90, 160), np.uint8)
    mask[41, 77] = 255
    assert fit_mask(mask, (40, 22)).any() and fit_mask(mask, (40, 22)).shape == (22, 40)
    assert fit_mask(mask, (160, 90)) is mask


@pytest.mark.parametrize(
    ("size", "short", "wanted"),
    [((1920, 1080), 540, (960, 540)), ((1080, 1921), 540, (540, 960)), ((854, 480), 480, (854, 480)),
     ((640, 360), 0, (640, 360)), ((640, 360), 720, (640, 360)), ((3, 900), 2, (2, 600))],
)  # fmt: skip
def test_the_short_side_decides_the_working_size(size: tuple[int, int], short: int, wanted: tuple[int, int]) -> None:
    assert working_size(size, short) == wanted


def test_a_run_back_reads_blocks_forwards_and_each_frame_once() -> None:
    clip = Clip(40, 32, 24)
    frames = Frames(clip, clip.size, choose("cpu", "fp32"))
    seen = [frames.read(index, 3) for index in range(30, 2, -1)]
    frames.close()
    assert sorted(clip.reads) == list(range(3, 31)) and clip.reads[:3] == [15, 16, 17]
    assert all(np.array_equal(frame.rgb, clip.read(frame.index)) for frame in seen)


# --- full size --------------------------------------------------------------------------------------------------------


def test_alpha_takes_the_pictures_edges_at_full_size() -> None:
    """A slanted edge and a hair, both visible in the picture, from an alpha of a third of the size."""
    y, x = np.mgrid[:240, :360].astype(np.float32)
    truth = np.clip((x - 100 - y / 3) / 2, 0, 1) * (1 - np.exp(-((x - 250 + y / 5) ** 2) / 2))
    rgb = (truth[..., None] * [200, 90, 40] + (1 - truth[..., None]) * [30, 60, 120]).astype(np.uint8)
    small = cv2.resize(truth, (120, 80), interpolation=cv2.INTER_AREA)
    ours, plain = (np.abs(a - truth).mean() for a in (upsample(small, rgb), cv2.resize(small, (360, 240))))
    assert ours < plain / 5


def test_what_is_solid_stays_so_and_no_edge_of_the_picture_shows_through() -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (101, 77, 3)).astype(np.uint8)
    for value in (0.0, 1.0):
        assert (upsample(np.full((50, 38), value, np.float32), rgb) == value).all()
    half = np.zeros((50, 38), np.float32)
    half[:, 20:] = 1
    result = upsample(half, rgb)
    assert result.dtype == np.float32 and result.shape == (101, 77)
    assert (result[:, :34] == 0).all() and (result[:, 48:] == 1).all()


@pytest.mark.parametrize(("small", "full"), [((1, 1), (1, 2)), ((1, 7), (3, 20)), ((2, 2), (3, 3))])
def test_tiny_alphas_can_be_made_larger(small: tuple[int, int], full: tuple[int, int]) -> None:
    result = upsample(np.full(small, 0.5, np.float32), np.zeros((*full, 3), np.uint8))
    assert result.shape == full and np.allclose(result, 0.5, atol=1e-5)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_alphas_come_back_from_the_file_in_any_order(workspace: Path) -> None:
    workspace.mkdir()
    spill = Spill()
    alphas = {i: np.random.default_rng(i).random((7, 9), np.float32) for i in range(5)}
    for index in reversed(alphas):
        spill.write(index, alphas[index])
    for index in (0, 3, 1):
        found = spill.read(index)
        assert found.dtype == np.float32 and np.abs(found - alphas[index]).max() <= 0.5001 / 65535
    spill.write(9, np.ones((2, 2), np.float32))
    assert (spill.read(9) == 1).all() and np.array_equal(spill.read(4), np.rint(alphas[4] * 65535) / np.float32(65535))
    spill.close()
    assert list(workspace.iterdir()) == []


def test_a_full_disk_is_said(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, place: int) -> None:
            pass

        def write(self, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    spill = Spill()
    spill.close()
    monkeypatch.setattr(spill, "_file", Full())
    with pytest.raises(StorageError, match="full"):
        spill.write(0, np.zeros((2, 2), np.float32))


# --- the network's memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [1, 700, 1 << 20])
def test_the_best_matches_are_found_in_parts(monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(matching, "PART_BYTES", part)
    make = torch.Generator().manual_seed(0)
    keys, asked, values = (torch.randn(n, generator=make) for n in ((8, 50), (8, 21), (1, 2, 6, 50)))
    shrinkage, selection = torch.rand(1, 50, generator=make) + 1, torch.rand(8, 21, generator=make)
    distance = (selection[:, None] * (keys[:, :, None] - asked[:, None]) ** 2).sum(0) * shrinkage.T / 8**0.5
    nearest = distance.argsort(0)[:5]
    weights = torch.zeros(50, 21).scatter(0, nearest, torch.softmax(-distance.gather(0, nearest), 0))
    found = matching.Comparison(keys, shrinkage, asked, selection).matches(5)
    assert torch.equal(found.best.T, nearest)
    assert torch.allclose(found.read(values), values @ weights, atol=1e-5)


# --- runs, with a stand-in for the network ----------------------------------------------------------------------------


class FakeRun:
    """Follows the object by the mask alone; fades by a hundredth a step, so that its alpha tells how it got there."""

    limit = 1 << 30
    """Pixels from which on memory does not suffice."""
    begun: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, network: Any, features: object, mask: Mask, warmup: int) -> None:
        self._network, self._mask, self._steps = network, mask, 0

    def step(self, frame: Frame) -> Alpha:
        height, width = frame.image.shape[-2:]
        with self._network.compute.inference():
            if height * width > self.limit:
                raise torch.OutOfMemoryError("CUDA out of memory")
        if not self._steps:
            self.begun.append((frame.index, int((self._mask > 0).sum())))
        small = cv2.resize(self._mask, (width, height), interpolation=cv2.INTER_NEAREST)
        alpha: Alpha = (small > 0) * np.float32(1 - self._steps / 100)
        self._steps += 1
        return alpha


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> type[FakeRun]:
    monkeypatch.setattr(sweep_module, "Run", FakeRun)
    monkeypatch.setattr(Network, "load", lambda self: None)
    monkeypatch.setattr(matanyone_engine, "find", lambda name: Path("/nowhere"))
    monkeypatch.setattr(FakeRun, "begun", [])
    monkeypatch.setattr(FakeRun, "limit", 1 << 30)
    return FakeRun


def full(clip: Clip, value: int = 255) -> Mask:
    return np.full(clip.size[::-1], value, np.uint8)


def made(clip: Any, masks: Masks, start: int = 0, stop: int | None = None, **params: Any) -> list[Alpha]:
    matter = MatAnyoneMatter(device="cpu", precision="fp32", **params)
    found = list(matter.matte(clip, Keyframes(masks), start, len(clip) if stop is None else stop))
    assert [index for index, _ in found] == list(range(start, len(clip) if stop is None else stop))
    for _, alpha in found:
        assert alpha.dtype == np.float32 and alpha.shape == clip.size[::-1] and 0 <= alpha.min() <= alpha.max() <= 1
    return [alpha for _, alpha in found]


def values(alphas: list[Alpha]) -> list[float]:
    return [round(float(alpha[0, 0]), 3) for alpha in alphas]


def test_runs_go_both_ways_and_are_blended(fake: type[FakeRun]) -> None:
    clip = Clip(9, 8, 6)
    alphas = made(clip, {1: {2: full(clip), 6: full(clip)}})
    # Two steps back, four between (the mean of both runs' steps, weighted by the distance), two forward.
    middle = [1 - ((4 - i) * i + i * (4 - i)) / 4 / 100 for i in (1, 2, 3)]
    assert values(alphas) == [0.98, 0.99, 1, *(round(each, 3) for each in middle), 1, 0.99, 0.98]


def test_an_absent_object_leaves_the_other_side_alone(fake: type[FakeRun]) -> None:
    clip = Clip(8, 8, 6)
    gone = made(clip, {1: {0: full(clip), 3: full(clip, 100), 6: full(clip)}})
    assert values(gone) == [1, 0.99, 0.98, 0, 0.98, 0.99, 1, 0.99]
    assert values(made(clip, {1: {3: full(clip, 0)}})) == [0] * 8
    assert values(made(clip, {})) == [0] * 8


def test_objects_are_joined_as_they_cover_each_other(fake: type[FakeRun]) -> None:
    clip = Clip(4, 8, 6)
    both = made(clip, {1: {0: full(clip)}, 7: {0: full(clip), 3: full(clip, 0)}})
    assert np.allclose(both[2], 1 - (1 - 0.98) ** 2) and np.allclose(both[3], 0.97)


def test_pictures_are_read_once_for_all_objects(fake: type[FakeRun]) -> None:
    clip = Clip(12, 8, 6)
    made(clip, {item: {0: full(clip), 11: full(clip)} for item in (1, 2, 3)})
    assert len(clip.reads) <= 12 + 11 + 1, "once forward, once back, one ahead in vain"


def test_a_run_begins_only_where_frames_need_it(fake: type[FakeRun]) -> None:
    clip = Clip(60, 8, 6)
    made(clip, {1: {key: full(clip) for key in range(0, 60, 10)}}, 25, 27)
    assert sorted(index for index, _ in fake.begun) == [20, 30] and min(clip.reads) == 20


@pytest.mark.parametrize("keys", [[0], [8], [3, 6], [0, 4, 5, 8]])
def test_any_part_is_the_same_as_that_of_the_whole(fake: type[FakeRun], keys: list[int]) -> None:
    clip = Clip(9, 8, 6)
    masks = {1: {key: full(clip) for key in keys}, 2: {4: clip.disc(4, 2), 7: full(clip, 0)}}
    whole = made(clip, masks)
    for start in range(9):
        for stop in range(start + 1, 10):
            for alpha, wanted in zip(made(clip, masks, start, stop), whole[start:stop], strict=True):
                assert np.array_equal(alpha, wanted)


def test_nothing_is_left_on_the_disk_when_the_caller_stops(fake: type[FakeRun], workspace: Path) -> None:
    workspace.mkdir()
    clip = Clip(20, 8, 6)
    keys = Keyframes({1: {19: full(clip)}})
    steps = MatAnyoneMatter(device="cpu").matte(clip, keys, 0, 20)
    next(steps)
    assert isinstance(steps, Generator)
    steps.close()
    assert list(workspace.iterdir()) == []


def test_out_of_memory_halves_the_working_size(
    fake: type[FakeRun], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clip = Clip(3, 640, 500)
    monkeypatch.setattr(fake, "limit", 310 * 240)
    with caplog.at_level(logging.WARNING, "splazmatte.notice"):
        alphas = made(clip, {1: {1: full(clip)}})
    assert values(alphas) == [0.99, 1, 0.99]
    assert [record.getMessage() for record in caplog.records] == [
        f"matanyone: out of memory; from frame 0 on the network works at {size} pixels (short side)"
        for size in (250, 240)
    ]


def test_out_of_memory_with_a_small_picture_is_an_error(fake: type[FakeRun], monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip(1, 400, 320)
    monkeypatch.setattr(fake, "limit", 1)
    with pytest.raises(ResourceError, match="memory of the GPU does not suffice"):
        made(clip, {1: {0: full(clip)}}, max_size=250)


def test_missing_sources_and_weights_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(tmp_path, tmp_path / "sdks", choose("cpu", "fp32"))
    with pytest.raises(EngineUnavailableError, match=r"\./start\.sh setup"):
        network.load()
    place = tmp_path / "sdks" / "matanyone" / "matanyone"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("import no_such_package_of_ours\n")
    before = list(sys.path)
    with pytest.raises(EngineUnavailableError, match="no_such_package_of_ours"), authors_package(tmp_path / "sdks"):
        import matanyone  # noqa: F401
    assert sys.path == before
    with pytest.raises(EngineUnavailableError, match="download-models matanyone2"):
        MatAnyoneMatter()


def test_costs_follow_the_working_size() -> None:
    (row,) = ROWS
    small, large = Load(1280, 720, 9), Load(3840, 2160, 9, params={"max_size": 0})
    assert row.memory(small) < row.memory(large) and row.seconds(small) < row.seconds(large)
    capped = Load(3840, 2160, 9, params={"max_size": 360})
    assert row.memory(capped) < row.memory(large) / 4 and row.seconds(capped) < row.seconds(small)


@pytest.mark.parametrize(
    ("load", "megabytes"),
    [(Load(480, 270, 9), 1179), (Load(480, 270, 9, objects=3), 1188), (Load(960, 540, 9), 1864),
     (Load(1920, 1080, 9), 4539), (Load(1920, 1080, 9, params={"max_size": 540}), 2011)],
)  # fmt: skip
def test_memory_is_what_was_measured(load: Load, megabytes: int) -> None:
    (row,) = ROWS
    assert row.memory(load) / 1e6 == pytest.approx(megabytes, rel=0.1)


# --- the authors' code ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder of models with random weights for both."""
    place = tmp_path_factory.mktemp("models")
    save_random_weights(place / "matanyone2", SDKS, seed=2)
    save_random_weights(place / "matanyone", SDKS, seed=1)
    yield place
    release()


@pytest.fixture
def models(weights: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(weights))
    get_settings.cache_clear()
    return weights


@pytest.fixture(scope="module")
def authors(weights: Path) -> AuthorsDriver:
    return AuthorsDriver(SDKS, "matanyone", weights / "matanyone2")


def pictures(clip: Any, start: int = 0) -> list[NDArray[np.uint8]]:
    return [clip.read(index) for index in range(start, len(clip))]


@upstream
@needs("matanyone", "matanyone2")
@pytest.mark.parametrize("model", ["matanyone", "matanyone2"])
def test_each_model_is_the_same_as_its_own_authors_code(models: Path, model: str) -> None:
    """So the sources of the first serve both."""
    clip = Clip(9, 112, 96)
    theirs = AuthorsDriver(SDKS, model, models / model).alphas(pictures(clip), clip.disc(0))
    ours = made(clip, {1: {0: clip.disc(0)}}, model=model)
    assert far(ours, theirs) == 0 and float(np.std(theirs[-1])) > 0.01


@upstream
@needs_authors
@pytest.mark.parametrize("size", [(101, 83), (96, 130), (176, 99)])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_odd_sizes_and_short_clips_are_the_authors_own(
    models: Path, authors: AuthorsDriver, size: tuple[int, int], frames: int
) -> None:
    clip = Clip(frames, *size)
    assert far(made(clip, {1: {0: clip.disc(0)}}), authors.alphas(pictures(clip), clip.disc(0))) == 0


@upstream
@needs_authors
def test_a_clip_longer_than_the_networks_memory_is_the_authors_own(models: Path, authors: AuthorsDriver) -> None:
    clip = Clip(40, 96, 81)
    assert far(made(clip, {1: {0: clip.disc(0)}}), authors.alphas(pictures(clip), clip.disc(0))) == 0


@upstream
@needs_authors
@pytest.mark.parametrize("choice", [(0, 0, 0), (1, 7, 0), (3, 0, 15), (2, 4, 9)])
def test_parameters_are_the_authors_own(models: Path, authors: AuthorsDriver, choice: tuple[int, int, int]) -> None:
    warmup, erode, dilate = choice
    clip = Clip(3, 112, 96)
    theirs = authors.alphas(pictures(clip), clip.disc(0), warmup=warmup, erode=erode, dilate=dilate)
    assert far(made(clip, {1: {0: clip.disc(0)}}, warmup=warmup, erode=erode, dilate=dilate), theirs) == 0


@upstream
@needs_authors
def test_half_precision_is_the_authors_own(models: Path) -> None:
    clip = Clip(4, 112, 96)
    # A network keeps positional encodings in the precision that it was first run with.
    authors = AuthorsDriver(SDKS, "matanyone", models / "matanyone2")
    matter = MatAnyoneMatter(device="cpu", precision="bf16")
    ours = [alpha for _, alpha in matter.matte(clip, Keyframes({1: {0: clip.disc(0)}}), 0, 4)]
    assert far(ours, authors.alphas(pictures(clip), clip.disc(0), bf16=True)) == 0


@upstream
@needs_authors
def test_a_smaller_working_size_is_the_authors_own(
    models: Path, authors: AuthorsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip(3, 260, 175)
    theirs = authors.alphas(pictures(clip), clip.disc(0), size=working_size(clip.size, 96))
    larger = made(clip, {1: {0: clip.disc(0)}}, max_size=96)
    assert far(larger, [upsample(alpha, clip.read(i)) for i, alpha in enumerate(theirs)]) == 0


def test_a_gpu_compares_in_parts_of_a_sixteenth_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for gigabytes, expected in ((8, 1 << 29), (0, matching.PART_BYTES)):
        found = SimpleNamespace(total_memory=gigabytes << 30)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _, found=found: found)
        assert matching.part_bytes(torch.device("cuda:0")) == expected
    assert matching.part_bytes(torch.device("cpu")) == matching.PART_BYTES


@upstream
@needs_authors
@pytest.mark.parametrize("part", [1, 6000])
def test_a_memory_read_in_parts_is_the_authors_own_but_for_rounding(
    models: Path, authors: AuthorsDriver, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(matching, "PART_BYTES", part)
    clip = Clip(13, 112, 96)
    theirs = authors.alphas(pictures(clip), clip.disc(0), warmup=1)
    ours = made(clip, {1: {0: clip.disc(0)}}, warmup=1)
    assert 0 < far(ours, theirs) < 1e-4


@upstream
@needs_authors
def test_a_run_back_is_the_authors_run_of_the_reversed_clip(models: Path, authors: AuthorsDriver) -> None:
    clip, key = Clip(14, 112, 96), 8
    alphas = made(clip, {1: {key: clip.disc(key)}})
    theirs = authors.alphas(pictures(Reversed(clip), len(clip) - 1 - key), clip.disc(key))[::-1]
    assert far(alphas[:key], theirs[:key]) <= 0.501 / 65535, "more than what 16 bits lose"
    assert far(alphas[key:], authors.alphas(pictures(clip, key), clip.disc(key))) == 0


@upstream
@needs_authors
def test_between_keyframes_and_objects_the_authors_runs_are_blended(models: Path, authors: AuthorsDriver) -> None:
    clip = Clip(6, 112, 96)
    masks = {1: {0: clip.disc(0), 5: clip.disc(5)}, 2: {2: clip.disc(2, 2)}}
    forward = authors.alphas(pictures(clip), clip.disc(0), warmup=2)
    back = authors.alphas(pictures(Reversed(clip)), clip.disc(5), warmup=2)[::-1]
    mine = [f * (1 - i / 5) + b * (i / 5) for i, (f, b) in enumerate(zip(forward, back, strict=True))]
    other = [
        *authors.alphas(pictures(Reversed(clip), 3), clip.disc(2, 2), warmup=2)[:0:-1],
        *authors.alphas(pictures(clip, 2), clip.disc(2, 2), warmup=2),
    ]
    wanted = [1 - (1 - a) * (1 - b) for a, b in zip(mine, other, strict=True)]
    assert far(made(clip, masks, warmup=2), wanted) < 2 / 65535


@upstream
@needs_authors
def test_a_run_that_is_cut_and_gone_on_with_gives_the_same_bytes(models: Path) -> None:
    clip = Clip(12, 96, 80)
    masks = {1: {2: clip.disc(2), 9: clip.disc(9)}, 2: {5: clip.disc(5, 2)}}
    whole = made(clip, masks, warmup=1)
    for cut in (1, 6, 9):
        first = made(clip, masks, 0, cut, warmup=1)
        assert far([*first, *made(clip, masks, cut, warmup=1)], whole) == 0


@upstream
@needs_authors
@pytest.mark.parametrize("size", [(1, 1), (17, 9), (64, 16), (300, 3)])
def test_tiny_pictures_that_break_the_authors_driver_work(models: Path, size: tuple[int, int]) -> None:
    clip = Clip(8, *size)
    mask = full(clip)
    assert len(made(clip, {1: {3: mask}}, warmup=1)) == 8


@upstream
@needs_authors
def test_nothing_else_changes_when_it_is_loaded(models: Path) -> None:
    release()
    random.seed(4)
    np.random.seed(4)
    torch.manual_seed(4)
    path = list(sys.path)
    clip = Clip(1, 96, 96)
    made(clip, {1: {0: clip.disc(0)}}, warmup=0)
    drawn = (random.random(), float(np.random.random()), float(torch.rand(1)))
    random.seed(4)
    np.random.seed(4)
    torch.manual_seed(4)
    assert drawn == (random.random(), float(np.random.random()), float(torch.rand(1))) and sys.path == path


@upstream
@needs_authors
def test_the_users_device_wins_over_the_one_that_the_sources_choose(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release()
    clip = Clip(2, 96, 96)
    wanted = made(clip, {1: {0: clip.disc(0)}}, warmup=0)
    release()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    assert far(made(clip, {1: {0: clip.disc(0)}}, warmup=0), wanted) == 0


@upstream
@needs_authors
def test_damaged_and_wrong_weights_say_how_to_mend_them(weights: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "matanyone2"
    shutil.copytree(weights / "matanyone2", folder)
    network = Network(folder, SDKS, choose("cpu", "fp32"))
    given = load_file(folder / "model.safetensors")
    some = "mask_decoder.pred_mat.weight"
    for text, keys in (
        ("1 missing, as mask_decoder", {k: v for k, v in given.items() if k != some}),
        ("1 unknown, as extra", {**given, "extra": given[some].clone()}),
        ("1 of another shape", {**given, some: given[some][:, :1].clone()}),
    ):
        save_file(keys, folder / "model.safetensors")
        with pytest.raises(EngineFailedError, match=f"{text}.*models download matanyone2"):
            network.load()
    # What is used in training only, or follows from the configuration, may be missing.
    rest = {k: v for k, v in given.items() if not k.startswith("aux_computer.") and not k.endswith("inv_freq")}
    save_file(rest, folder / "model.safetensors")
    assert network.load() is not None
    release()
    (folder / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(EngineFailedError, match=r"damaged.*models download matanyone2"):
        network.load()


@upstream
@needs_authors
def test_the_table_of_engines_makes_it(models: Path) -> None:
    clip = Clip(2, 96, 96)
    matter = create(Job.MATTER, "matanyone", {"warmup": 0, "device": "cpu"})
    assert len(list(matter.matte(clip, Keyframes({1: {0: clip.disc(0)}}), 0, 2))) == 2
