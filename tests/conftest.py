"""Fixtures that several test files share: a small clip with exact truth, and a workspace of its own for each test."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import hypothesis
import numpy as np
import pytest

from config import get_settings

REAL_MODELS = get_settings().models_dir
"""The user's own weights, for the tests marked `weights`; no other test may depend on what is there."""
os.environ["SPLAZMATTE_MODELS_DIR"] = str(Path(tempfile.gettempdir()) / "splazmatte tests have no weights")
get_settings.cache_clear()
os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Tests run side by side; torch's threads would wait for each other in busy loops, which takes ten times as long."""

hypothesis.settings.register_profile("tests", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tests")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
SIZE = (96, 64)
FRAMES = 110


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed with --json."""
        return json.loads(self.out)


def disc(index: int) -> np.ndarray:
    """Return the true mask of frame `index` of the small clip: uint8 [64, 96], a disc that drifts to the right."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.circle(mask, (30 + index // 4, 32 + round(4 * np.sin(index / 9))), 14, 255, -1, cv2.LINE_AA)
    return mask


def write_clip(path: Path, frames: int = FRAMES, *, audio: bool = True) -> Path:
    """Write the small clip: a reddish textured disc over a bluish textured ground, H.264, 24000/1001, with a tone."""
    rng = np.random.default_rng(5)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8), (0, 0), 1.5)
    ground = (ground * [0.3, 0.5, 0.8]).astype(np.float32)
    paint = cv2.GaussianBlur(rng.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8), (0, 0), 1.5)
    paint = (paint * [0.9, 0.4, 0.3] + [40, 0, 0]).astype(np.float32)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=Fraction(24000, 1001))
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.options = {"crf": "12", "preset": "veryfast"}
        sound = container.add_stream("aac", rate=48000, layout="mono") if audio else None
        for index in range(frames):
            alpha = disc(index)[..., None].astype(np.float32) / 255
            shifted = np.roll(paint, index // 4, axis=1)
            picture = np.clip(ground * (1 - alpha) + shifted * alpha, 0, 255).astype(np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(video.encode(None))
        if sound is not None:
            count = round(frames * 1001 / 24000 * 48000)
            tone = (np.sin(np.arange(count) * 2 * np.pi * 440 / 48000) * 8000).astype(np.int16)
            block = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 48000, 0, Fraction(1, 48000)
            resampler = av.AudioResampler("fltp", "mono", 48000, frame_size=1024)
            for part in [*resampler.resample(block), *resampler.resample(None)]:
                container.mux(sound.encode(part))
            container.mux(sound.encode(None))
    return path


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the small clip; `disc(i)` is its truth."""
    return write_clip(tmp_path_factory.mktemp("clip") / "small clip.mp4")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty workspace that the settings point to."""
    from config import get_settings

    monkeypatch.setenv("SPLAZMATTE_WORKSPACE", str(tmp_path / "workspace"))
    get_settings.cache_clear()
    yield tmp_path / "workspace"
    get_settings.cache_clear()


@pytest.fixture
def mask_file(tmp_path: Path) -> Callable[[int], Path]:
    """Return a function that writes the true mask of a frame and returns its path."""

    def write(index: int) -> Path:
        path = tmp_path / f"mask_{index}.png"
        cv2.imwrite(str(path), disc(index))
        return path

    return write


@pytest.fixture
def cli(workspace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Return a function that runs the command line in an empty workspace."""
    import run
    from cli import output

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, arguments)])
        monkeypatch.setattr(output, "flags", output.Flags())
        capfd.readouterr()
        code = run.main()
        return Answer(code, *capfd.readouterr())

    return call


@pytest.fixture(scope="session")
def chunky_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of little more than one chunk of the runner's."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 64)


@pytest.fixture(scope="session")
def unharmed(tmp_path_factory: pytest.TempPathFactory, chunky_clip: Path) -> dict[str, bytes]:
    """Return the masks and alpha of a job that nothing happens to."""
    from tests.clip_sessions import pixels
    from tests.fault_bench import Bench

    bench = Bench.make(tmp_path_factory.mktemp("unharmed"), chunky_clip, ("alpha",))
    bench.run()
    return pixels(bench.opened())


@pytest.fixture
def bench(tmp_path: Path, chunky_clip: Path) -> Any:
    """Return a tests.fault_bench.Bench: a workspace with a job for faults to meet."""
    from tests.fault_bench import Bench

    return Bench.make(tmp_path / "workspace", chunky_clip)


@pytest.fixture(params=["r2", "oss"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a tests.cloud_bench.Cloud of either kind: files go in small parts, and no retry waits."""
    from tests.cloud_bench import cloud_of, small_parts

    small_parts(monkeypatch)
    monkeypatch.setattr("integrations.sending.Retry.pause", lambda *_: 0.0)
    with cloud_of(request.param, tmp_path / "session", monkeypatch) as made:
        yield made


def assert_error(answer: Answer, code: int, *words: str) -> None:
    """Check that a command failed with `code` and one line on stderr that has all of `words`."""
    assert answer.code == code, answer
    assert answer.out == "" and answer.err.startswith("error: ") and answer.err.count("\n") == 1, answer
    for word in words:
        assert word in answer.err
