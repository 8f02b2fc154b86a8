"""VideoMaMa: the authors' answers, the same bytes for any range, cut and seed, and alpha where the mask was."""

from __future__ import annotations

import copy
import shutil
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import get_settings
from engines.base import Alpha
from engines.registry import get_spec
from engines.spec import Job, Load
from engines.videomama.letterbox import letterbox
from engines.videomama.precision import of_codec, settled
from engines.videomama.setting import SIZES, Setting, working_size
from engines.videomama.upsample import restore
from engines.videomama.windows import plan, touching
from errors import EngineFailedError, EngineUnavailableError, ResourceError
from tests.conftest import SHARED
from tests.matting_material import hairy_disc
from tests.sam_material import Film
from tests.videomama_material import Guides, save_tiny

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")
pytest.importorskip("diffusers", reason="neural engines are not installed: just setup")

from engines.neural.compute import Compute  # noqa: E402
from engines.neural.loading import release  # noqa: E402
from engines.videomama.frames import Frames  # noqa: E402
from engines.videomama.matter import VideoMaMaMatter  # noqa: E402
from engines.videomama.network import Network  # noqa: E402
from engines.videomama.noise import PURPOSES, draw  # noqa: E402

CPU = Compute("cpu", "fp32")
AUTHORS = get_settings().sdks_path / "videomama"


class Stand(Network):
    """A network of one line: each frame's answer mixes its mask, its noise and the mean of its whole window."""

    limit = 10**9

    def encode(self, picture: Any, mask: Any, noise: Any) -> Any:
        small = cv2.resize(mask, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
        codes = torch.tensor(small / 255).float().expand(4, -1, -1)
        return torch.cat([codes + 0.05 * noise[0], codes + 0.05 * noise[1]])

    def answer(self, codes: Any, noise: Any) -> Any:
        if codes.shape[0] * codes.shape[2] * codes.shape[3] > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        own = codes[:, :4] + codes[:, 4:] + 0.05 * noise
        return 0.3 * own + 0.1 * own.mean(dim=(0, 2, 3), keepdim=True)

    def decode(self, answers: Any) -> Alpha:
        big = torch.nn.functional.interpolate(answers, scale_factor=8, mode="nearest").mean(dim=1)
        return big.clamp(0, 1).numpy()


NOWHERE = Path("/nowhere")


def stand(length: int = 4, overlap: int = 2, seed: int = 0, size: int = 64) -> VideoMaMaMatter:
    return VideoMaMaMatter(Stand(NOWHERE, NOWHERE, CPU, True), length, overlap, seed, size)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: for tensors this small others only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Return the real classes with random weights."""
    yield Network(*save_tiny(tmp_path_factory.mktemp("weights")), CPU, turns=False)
    release()


def run(matter: VideoMaMaMatter, film: Film, start: int = 0, stop: int | None = None, **guides: Any) -> list[Alpha]:
    stop = len(film) if stop is None else stop
    found = list(matter.matte(film, Guides(film, **guides), start, stop))
    assert [index for index, _ in found] == list(range(start, stop))
    for _, alpha in found:
        assert alpha.dtype == np.float32 and alpha.shape == film.size[::-1]
        assert alpha.min() >= 0 and alpha.max() <= 1
    return [alpha for _, alpha in found]


def same(one: list[Alpha], other: list[Alpha]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# --- windows ----------------------------------------------------------------------------------------------------------

CLIPS = st.tuples(st.integers(1, 90), st.integers(1, 20), st.integers(0, 20))


@given(CLIPS)
def test_every_frame_is_in_one_window_or_fades_between_two(clip: tuple[int, int, int]) -> None:
    frames, length, overlap = clip
    windows = plan(frames, length, overlap)
    assert windows[0].start == 0 and windows[-1].stop == frames
    assert all(window.stop - window.start == min(frames, length) for window in windows)
    for index in range(frames):
        seen = touching(windows, index, index + 1)
        assert 1 <= len(seen) <= 2 and all(w.start <= index < w.stop for w in seen)
        # A window counts as much as the one after it leaves.
        assert seen[-1].weight(index) > 0 and seen[0].weight(index) == 1
        assert (len(seen) == 2) == (seen[-1].weight(index) < 1)
        # What the row of the table says that a frame depends on.
        assert min(w.start for w in seen) >= index - (length - 1) and max(w.stop for w in seen) <= index + length


@given(CLIPS)
def test_a_window_takes_over_step_by_step(clip: tuple[int, int, int]) -> None:
    windows = plan(*clip)
    for before, after in pairwise(windows):
        assert (after.first, after.full) == (before.fades, before.stop) and before.full <= before.fades
        fade = [after.weight(index) for index in range(after.first - 1, after.full + 1)]
        assert fade[0] == 0 and fade[-1] == 1
        assert np.allclose(np.diff(fade), 1 / (after.full - after.first + 1))


def test_the_row_says_how_far_alpha_looks() -> None:
    spec = get_spec(Job.MATTER, "videomama")
    assert spec.needs_every_mask and not spec.licence.commercial and spec.rank == 0
    film, context = Film(20, 64, 64), spec.context({"batch_size": 4})
    whole = run(stand(), film)
    for index in (0, 7, 19):
        far = frozenset(i for i in range(20) if abs(i - index) > context)
        assert np.array_equal(run(stand(), film, empty=far)[index], whole[index])
    near = frozenset({7 - context, 7 + context, 6, 8})
    assert not np.array_equal(run(stand(), film, empty=near)[7], whole[7])


# --- ranges, cuts, seeds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "overlap"), [(4, 2), (5, 1), (3, 0), (6, 9), (1, 0), (64, 4)])
def test_any_range_has_the_bytes_of_the_whole_clip(length: int, overlap: int) -> None:
    film = Film(15, 64, 48)
    whole = run(stand(length, overlap), film)
    for cut in range(1, 15):
        assert same(whole[:cut], run(stand(length, overlap), film, 0, cut))
        assert same(whole[cut:], run(stand(length, overlap), film, cut))


@pytest.mark.slow
def test_the_network_itself_gives_any_range_the_same_bytes(tiny: Network) -> None:
    """Two windows of the real classes, both networks in memory and by turns."""
    film = Film(5, 40, 64)
    whole = run(VideoMaMaMatter(tiny, 4, 2, 0, 64), film)
    assert same(whole[3:], run(VideoMaMaMatter(tiny, 4, 2, 0, 64), film, 3))
    by_turns = Network(tiny.unet, tiny.vae, CPU, turns=True)
    assert same(whole[4:], run(VideoMaMaMatter(by_turns, 4, 2, 0, 64), film, 4))
    assert np.std(whole[0]) > 0.005 and not np.array_equal(whole[0], whole[1])


def test_a_seed_is_reproducible_and_another_differs() -> None:
    film = Film(6, 64, 48)
    state = torch.get_rng_state()
    one = run(stand(seed=1), film)
    torch.manual_seed(99)
    assert same(one, run(stand(seed=1), film))
    torch.set_rng_state(state)
    assert not any(np.array_equal(a, b) for a, b in zip(one, run(stand(seed=2), film), strict=True))


def test_noise_depends_on_seed_frame_and_purpose() -> None:
    drawn = [draw(s, i, p, (4, 8, 8)) for s in (0, 1) for i in (0, 1) for p in PURPOSES]
    assert all(not torch.equal(a, b) for k, a in enumerate(drawn) for b in drawn[:k])
    big = draw(0, 5, "answer", (4, 64, 64))
    assert torch.equal(big, draw(0, 5, "answer", (4, 64, 64))) and big.device.type == "cpu"
    assert abs(float(big.mean())) < 0.03 and abs(float(big.std()) - 1) < 0.03


def test_windows_share_the_noise_of_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    given_noise: list[Any] = []
    answer = Stand.answer

    def kept(self: Stand, codes: Any, noise: Any) -> Any:
        given_noise.append(noise)
        return answer(self, codes, noise)

    monkeypatch.setattr(Stand, "answer", kept)
    run(stand(4, 2), Film(8, 64, 48))
    assert len(given_noise) == 3
    for before, after in pairwise(given_noise):
        assert torch.equal(before[2:], after[:2]) and not torch.equal(before[:2], after[:2])


@pytest.mark.parametrize(
    ("frames", "size"),
    [(1, (64, 48)), (2, (64, 48)), (2, (7, 3)), (1, (1, 1)), (2, (131, 9))],
)
def test_small_and_odd_clips(tiny: Network, frames: int, size: tuple[int, int]) -> None:
    run(VideoMaMaMatter(tiny, 16, 4, 0, 64), Film(frames, *size))


def test_frames_are_read_once_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    film, kept = Film(40, 64, 48), []
    forget = Frames.forget

    def counted(self: Frames, before: int) -> None:
        kept.append(len(self._frames))
        forget(self, before)

    monkeypatch.setattr(Frames, "forget", counted)
    run(stand(), film)
    assert sorted(film.reads) == list(range(40)) and max(kept) <= 8


def test_only_windows_that_touch_the_range_are_read() -> None:
    film = Film(40, 64, 48)
    run(stand(), film, 20, 21)
    assert len(film.reads) <= 6


def test_the_reader_ends_when_the_caller_stops() -> None:
    import threading

    film = Film(30, 64, 48)
    steps = stand().matte(film, Guides(film), 0, 30)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert not any(thread.name.startswith("videomama") for thread in threading.enumerate())


def test_windows_without_any_mask_are_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    film, seen = Film(12, 64, 48), []
    answer = Stand.answer

    def counted(self: Stand, codes: Any, noise: Any) -> Any:
        seen.append(len(codes))
        return answer(self, codes, noise)

    monkeypatch.setattr(Stand, "answer", counted)
    assert not any(alpha.any() for alpha in run(stand(), film, empty=frozenset(range(12)))) and seen == []
    some = run(stand(), film, empty=frozenset(range(2, 12)))
    assert len(seen) == 1 and some[2].any() and not some[4].any()
    assert run(stand(), film, empty=frozenset({5}))[5].any(), "one empty mask among others is the network's to judge"


def test_a_clip_that_stands_still_has_no_step_where_windows_meet() -> None:
    """Windows disagree by an offset of their own; it is spread over the overlap."""

    class Offset(Stand):
        def answer(self, codes: Any, noise: Any) -> Any:
            calls.append(1)
            return torch.full_like(codes[:, :4], 0.2 + 0.4 * (len(calls) % 2))

    film = Film(40, 64, 64)
    calls: list[int] = []
    alphas = run(VideoMaMaMatter(Offset(NOWHERE, NOWHERE, CPU, True), 8, 4, 0, 64), film)
    steps = np.abs(np.diff([alpha.mean() for alpha in alphas]))
    assert steps.max() == pytest.approx(0.4 / 5, abs=1e-6) and len(calls) == 9


@pytest.mark.slow
def test_windows_of_the_network_meet_without_a_step(tiny: Network) -> None:
    film = Film(26, 64, 64)
    film.disc = lambda index: Film.disc(film, 0)  # type: ignore[method-assign]
    windows = plan(26, 8, 4)
    alphas = run(VideoMaMaMatter(tiny, 8, 4, 0, 64), film)
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(alphas)]
    borders = {index - 1 for window in windows[1:] for index in range(window.first, window.full + 1)}
    inside = [step for place, step in enumerate(steps) if place not in borders]
    assert max(steps[place] for place in borders) <= max(inside)


def unit(image: Any) -> Alpha:
    """Return 0..255 as 0..1."""
    result: Alpha = image.astype(np.float32) / np.float32(255)
    return result


# --- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (101, 77), (64, 64), (1, 1), (7, 3), (1920, 8), (97, 1000)])
@pytest.mark.parametrize("long_side", [64, 200, 256])
def test_what_goes_in_comes_back_where_it_was(size: tuple[int, int], long_side: int) -> None:
    box = letterbox(size, long_side)
    assert max(box.inner) == long_side and all(side % 64 == 0 and side > 0 for side in box.outer)
    scale = long_side / max(size)
    assert all(abs(side - max(1, own * scale)) <= 0.5 for side, own in zip(box.inner, size, strict=True)), "squashed"
    width, height = size
    y, x = np.mgrid[:height, :width]
    ramp = np.dstack([x * 200 // width, y * 200 // height, 0 * x]).astype(np.uint8)
    picture = box.picture(ramp)
    assert picture.shape == (box.outer[1], box.outer[0], 3)
    left, top = box.corner
    assert np.array_equal(picture[:, :1].repeat(left + 1, 1), picture[:, : left + 1]), "its border goes on outside"
    assert np.array_equal(picture[:1].repeat(top + 1, 0), picture[: top + 1])
    back = restore(box.cut(unit(picture[..., 0])), ramp)
    assert back.shape == (height, width) and np.abs(back * 255 - ramp[..., 0]).mean() < 3
    mask = np.where((x - width / 2) ** 2 + (y - height / 2) ** 2 <= (min(size) / 3) ** 2, 255, 0).astype(np.uint8)
    given_mask = box.mask(mask)
    assert set(np.unique(given_mask)) <= {0, 255} and given_mask.shape == picture.shape[:2]
    found = restore(box.cut(unit(given_mask)), np.zeros((height, width, 3), np.uint8)) >= 0.5
    if min(box.inner) > 16 and mask.any():
        assert (found & (mask > 0)).sum() / (found | (mask > 0)).sum() > 0.9
        assert np.allclose(np.argwhere(found).mean(axis=0), np.argwhere(mask).mean(axis=0), atol=0.01 * max(size))


def test_masks_are_in_or_out_as_the_authors_cut_them() -> None:
    from PIL import Image as Pictures

    mask = np.tile(np.arange(256, dtype=np.uint8), (64, 1))[:, :256]
    theirs = Pictures.fromarray(mask).point(lambda p: 255 if p > 127 else 0)
    assert np.array_equal(letterbox((256, 64), 256).mask(mask), np.asarray(theirs))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_hair_comes_back_far_better_than_by_scaling(factor: int) -> None:
    scene = hairy_disc()
    low = cv2.resize(scene.alpha, (480 // factor, 360 // factor), interpolation=cv2.INTER_AREA)
    edge = (scene.alpha > 0) & (scene.alpha < 1)
    plain = cv2.resize(low, (480, 360), interpolation=cv2.INTER_LINEAR)
    errors = [float(((x - scene.alpha)[edge] ** 2).mean()) for x in (plain, restore(low, scene.rgb))]
    assert errors[1] < errors[0] / 3


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="no test material in ../shared")
@pytest.mark.parametrize("factor", [2, 4])
def test_real_hair_comes_back_far_better_than_by_scaling(factor: int) -> None:
    folder, errors = SHARED / "ground_truth" / "matting" / "alphamatting27", []
    for path in sorted((folder / "alpha").glob("*.png"))[:4]:
        alpha = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) / np.float32(255)
        rgb = np.asarray(cv2.imread(str(folder / "image" / path.name)))[..., ::-1]
        height, width = (side - side % factor for side in alpha.shape)
        alpha, rgb = alpha[:height, :width], np.ascontiguousarray(rgb[:height, :width])
        low = cv2.resize(alpha, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
        edge = (alpha > 0) & (alpha < 1)
        plain = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR)
        errors.append([((x - alpha)[edge] ** 2).mean() for x in (plain, restore(low, rgb))])
    plain, ours = np.mean(errors, axis=0)
    assert ours < plain / 4


def test_solid_areas_stay_solid_and_sizes_may_be_odd() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (77, 131, 3)).astype(np.uint8)
    for value in (0.0, 1.0):
        assert np.abs(restore(np.full((40, 67), value, np.float32), rgb) - value).max() < 1e-6
    alpha = np.random.default_rng(1).random((77, 131)).astype(np.float32)
    assert restore(alpha, rgb) is alpha


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_memory_that_does_not_suffice_makes_windows_shorter_then_pictures_smaller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    film, net = Film(6, 64, 36), Stand(NOWHERE, NOWHERE, CPU, turns=False)
    monkeypatch.setattr(Stand, "limit", 4 * 96 * 56)  # codes of four pictures of 768 x 448
    alphas = run(VideoMaMaMatter(net, 16, 4, 0, 1024), film)
    told = [record.getMessage() for record in caplog.records]
    wanted = ("turns", "batch_size=8", "batch_size=4", "size=768")
    assert len(told) == 4 and all(word in line for word, line in zip(wanted, told, strict=True))
    assert same(alphas, run(stand(4, 4, 0, 768), film)), "as if that had been asked for"
    monkeypatch.setattr(Stand, "limit", 1)
    with pytest.raises(ResourceError, match="memory of the GPU does not suffice"):
        run(VideoMaMaMatter(net, 4, 4, 0, 512), film)
    assert all("\n" not in record.getMessage() and record.name == "splazmatte.notice" for record in caplog.records)


def test_the_steps_down_end() -> None:
    setting, count = Setting(16, 1024, False), 0
    while (lighter := setting.lighter()) is not None:
        setting, count = lighter[0], count + 1
    assert count == 1 + 2 + len(SIZES) and Setting(2, 400, True).lighter() is None


@pytest.mark.parametrize("params", [{}, {"batch_size": 4}, {"size": 512}, {"precision": "fp32"}, {"overlap": 0}])
def test_estimates_are_of_the_right_size(params: dict[str, Any]) -> None:
    spec = get_spec(Job.MATTER, "videomama")
    load = Load(1920, 1080, 200, params={"device": "cpu", **params})
    assert 4e9 < spec.memory(load) < 40e9 and 1 < spec.seconds(load) < 300
    for name, lighter in ((p.name, value) for p in spec.params for value in p.lighter):
        light = Load(1920, 1080, 200, params={**load.params, name: lighter})
        if lighter < load.params.get(name, 10**9):
            assert spec.memory(light) < spec.memory(load)
    assert working_size((1920, 1080), 1024) == ((1024, 576), (1024, 576))


# --- weights and numbers ----------------------------------------------------------------------------------------------


def test_damaged_and_wrong_weights_are_told_in_one_line(tiny: Network, tmp_path: Path) -> None:
    def fails(change: Any) -> str:
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        for place in (tiny.unet, tiny.vae):
            shutil.copytree(place, tmp_path / "bad" / place.name)
        change(tmp_path / "bad")
        bad = Network(tmp_path / "bad" / tiny.unet.name, tmp_path / "bad" / tiny.vae.name, CPU, turns=True)
        with pytest.raises(EngineFailedError) as caught:
            run(VideoMaMaMatter(bad, 4, 2, 0, 64), Film(1, 64, 64))
        assert "\n" not in str(caught.value) and "run.py models" in str(caught.value)
        release()
        return str(caught.value)

    unet, vae = "videomama-unet/unet", "videomama-vae/vae"
    name, half = "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors"

    def change(path: str, what: Any) -> Any:
        def apply(folder: Path) -> None:
            from safetensors.torch import load_file, save_file

            state = load_file(folder / path)
            what(state)
            save_file(state, folder / path, {"format": "pt"})

        return apply

    def truncate(folder: Path) -> None:
        data = (folder / unet / name).read_bytes()
        (folder / unet / name).write_bytes(data[: len(data) // 2])

    assert "videomama-unet" in fails(truncate)
    assert "missing keys" in fails(change(f"{unet}/{name}", lambda state: state.pop("conv_in.bias")))
    assert "unexpected keys" in fails(change(f"{vae}/{half}", lambda state: state.update(more=torch.zeros(1))))
    # Stable Video Diffusion's own U-Net has 8 channels of input.
    fails(change(f"{unet}/{name}", lambda state: state.update({"conv_in.weight": torch.zeros(32, 8, 3, 3)})))
    fails(lambda folder: (folder / vae / "config.json").write_text("{"))
    fails(lambda folder: (folder / vae / half).unlink())
    fails(lambda folder: (folder / unet / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\n"))


def test_the_folders_of_the_table_of_weights_are_loaded(
    tiny: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from engines.registry import create
    from engines.weights import get_set

    for place in (tiny.unet, tiny.vae):
        assert all((place / file.path).is_file() for file in get_set(place.name).files)
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tiny.unet.parent))
    get_settings.cache_clear()
    try:
        matter = create(Job.MATTER, "videomama", {"size": 256, "device": "cpu", "precision": "fp32", "batch_size": 1})
        assert matter._network.turns and matter._setting == Setting(1, 256, True)
        monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path))
        get_settings.cache_clear()
        with pytest.raises(EngineUnavailableError, match=r"\./start\.sh download-models"):
            create(Job.MATTER, "videomama")
    finally:
        get_settings.cache_clear()


def test_numbers_that_run_over_in_half_precision_are_computed_in_single() -> None:
    class Vae:
        dtype = torch.float16

        def to(self, kind: Any) -> Vae:
            self.dtype = kind
            return self

    vae = Vae()

    class Half(Network):
        def _vae(self) -> Any:
            return vae

    def work(given_vae: Any) -> Any:
        return torch.tensor([70_000.0]).to(given_vae.dtype)

    net = Half(NOWHERE, NOWHERE, CPU, True)
    assert net._codec(work).item() == 70_000 and vae.dtype is torch.float16
    assert net._codec(lambda v: torch.zeros(1, dtype=v.dtype)).dtype is torch.float16
    vae.dtype = torch.float32
    with pytest.raises(EngineFailedError, match="models verify"):
        net._codec(lambda v: torch.tensor([float("nan")]))


def test_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.videomama import precision

    for has, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(precision, "cpu_has_bf16", lambda has=has: has)
        assert settled("cpu", "auto") == expected
    assert settled("cuda", "auto") == "fp16" and settled("cuda", "bf16") == "bf16" and settled("mps", "auto") == "fp32"
    assert settled("cpu", "fp16") == "fp32"
    assert (
        of_codec("cuda", "bf16") == "fp16" and of_codec("cpu", "bf16") == "bf16" and of_codec("cuda", "fp32") == "fp32"
    )


@pytest.mark.slow
def test_bf16_stays_near_single_precision(tiny: Network) -> None:
    film = Film(3, 64, 64)
    single = run(VideoMaMaMatter(tiny, 4, 2, 0, 64), film)
    half = Network(tiny.unet, tiny.vae, Compute("cpu", "bf16"), turns=False)
    apart = [np.abs(a - b) for a, b in zip(single, run(VideoMaMaMatter(half, 4, 2, 0, 64), film), strict=True)]
    assert np.mean(apart) < 0.01 and np.max(apart) < 0.1


# --- beside the authors' code -----------------------------------------------------------------------------------------


def rearrange(tensor: Any, pattern: str, f: int = 0) -> Any:
    """Return what einops, which their code needs and ours does not, returns for the two patterns in it."""
    assert pattern in ("b f c h w -> (b f) c h w", "(b f) c h w -> b f c h w")
    return tensor.unflatten(0, (-1, f)) if f else tensor.flatten(0, 1)


def authors_alpha(net: Network, pictures: Any, masks: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what the authors' pipeline makes of PIL pictures and masks, float [T, H, W]; seeds: 1 global, 42 own."""
    monkeypatch.syspath_prepend(str(AUTHORS))
    monkeypatch.setitem(sys.modules, "einops", SimpleNamespace(rearrange=rearrange))
    import pipeline_svd_mask as authors
    from torchvision import transforms

    no_pictures = SimpleNamespace(ToTensor=transforms.ToTensor, ToPILImage=lambda: lambda frame: frame)
    monkeypatch.setattr(authors, "transforms", no_pictures)
    pipe = authors.VideoInferencePipeline.__new__(authors.VideoInferencePipeline)
    pipe.device, pipe.weight_dtype = torch.device("cpu"), net.dtype
    pipe.unet, pipe.vae = net._pair()
    # CLIP's answer is replaced by zeros of its shape.
    pipe.feature_extractor = lambda images, return_tensors: SimpleNamespace(pixel_values=torch.zeros(1, 3, 8, 8))
    embeds = torch.zeros(1, pipe.unet.config.cross_attention_dim, dtype=net.dtype)
    pipe.image_encoder = lambda pixels: SimpleNamespace(image_embeds=embeds)
    torch.manual_seed(1)
    return torch.stack(pipe.run(pictures, masks, seed=42))[:, 0]


@pytest.mark.upstream
@pytest.mark.skipif(not AUTHORS.is_dir(), reason="no authors' sources in sdks/videomama: just setup")
@pytest.mark.parametrize(("frames", "size"), [(1, (64, 64)), (2, (128, 64)), (9, (64, 192)), (17, (64, 64))])
def test_a_window_equals_the_authors_pipeline(
    tiny: Network, monkeypatch: pytest.MonkeyPatch, frames: int, size: tuple[int, int]
) -> None:
    from PIL import Image as Pictures

    class Double(Network):
        """In double precision: what is left are differences of method, not of rounding."""

        dtype = torch.float64

        def _pair(self) -> tuple[Any, Any]:
            return pair

    pair = tuple(copy.deepcopy(network).double() for network in tiny._pair())
    net = Double(tiny.unet, tiny.vae, CPU, turns=False)
    film = Film(frames, *size)
    pictures = [Pictures.fromarray(film.read(i)) for i in range(frames)]
    masks = [Pictures.fromarray(film.disc(i)) for i in range(frames)]
    theirs = authors_alpha(net, pictures, masks, monkeypatch).numpy()
    shape = (frames, 4, size[1] // 8, size[0] // 8)
    torch.manual_seed(1)
    picked, masked = torch.randn(shape, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)
    answer = torch.randn((1, *shape), generator=torch.Generator().manual_seed(42), dtype=torch.float64)[0]
    with net.inference():
        codes = [net.encode(film.read(i), film.disc(i), (picked[i], masked[i])) for i in range(frames)]
        ours = net.decode(net.answer(torch.stack(codes), answer))
    worst = float(np.abs(ours - theirs).max())
    print(f"{frames} frames {size}: largest difference {worst:.2e}, deviation of the alpha {ours.std():.3f}")
    assert ours.shape == theirs.shape and worst < 1e-6 and ours.std() > 0.01


def test_nothing_of_the_authors_is_imported() -> None:
    assert not any("videomama" in name and "engines" not in name and "tests" not in name for name in sys.modules)
