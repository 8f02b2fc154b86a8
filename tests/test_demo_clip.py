"""The demo clip: what `just demo` and its README rely on, and the script that makes it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import av
import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "assets" / "demo"
RATE = Fraction(24000, 1001)
BLINKS = (12, 36, 60, 84)
BEACON_ROWS = slice(0, 60)
Planes = list[np.ndarray]


@cache
def alphas() -> Planes:
    with av.open(str(DEMO / "alpha.mp4")) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def part(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module(f"demo_clip.{name}")


def test_sizes_are_small() -> None:
    files = [path for path in DEMO.rglob("*") if path.is_file()]
    assert (DEMO / "clip.mp4").stat().st_size < 3_000_000
    assert (DEMO / "alpha.mp4").stat().st_size < 1_500_000
    assert sum(path.stat().st_size for path in files) < 5_000_000


@pytest.mark.parametrize("name", ["clip.mp4", "alpha.mp4"])
def test_video_facts(name: str) -> None:
    with av.open(str(DEMO / name)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.average_rate == RATE
        assert stream.time_base is not None
        times = sorted(packet.pts * stream.time_base for packet in container.demux(stream) if packet.pts is not None)
    assert times == [index / RATE for index in range(96)]
    assert times[-1] + 1 / RATE >= 3


def test_clip_is_tagged_as_it_was_converted() -> None:
    with av.open(str(DEMO / "clip.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (int(frame.color_range), int(frame.colorspace)) == (1, 1)
    assert frame.format.name == "yuv420p"


def test_alpha_has_everything_a_matte_has() -> None:
    first, last = alphas()[0], alphas()[-1]
    assert len(alphas()) == 96
    for alpha in (first, last):
        assert 0.2 < (alpha > 250).mean() < 0.6
        assert 0.3 < (alpha < 3).mean() < 0.8
        assert 0.005 < ((alpha > 12) & (alpha < 243)).mean() < 0.06, "soft edges"


def test_subject_moves() -> None:
    centres = [(alpha[:400] > 127).sum(axis=0) @ np.arange(1280) / (alpha[:400] > 127).sum() for alpha in alphas()]
    assert np.ptp(centres) > 40
    assert np.abs(np.diff(centres)).max() < 8, "no jumps"


@pytest.mark.parametrize("index", [0, 48, 95])
def test_masks_are_the_alpha_as_a_person_would_draw_it(index: int) -> None:
    mask = cv2.imread(str(DEMO / f"mask_{index:06d}.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert mask.dtype == np.uint8
    assert mask.shape == (720, 1280)
    assert set(np.unique(mask)) == {0, 255}
    inside, truth = mask > 127, alphas()[index] > 127
    assert (inside & truth).sum() / (inside | truth).sum() > 0.99
    assert cv2.connectedComponents(mask)[0] == 2, "one piece"


def test_beacons_and_ticks_agree() -> None:
    red = []
    with av.open(str(DEMO / "clip.mp4")) as container:
        for frame in container.decode(video=0):
            top = frame.to_ndarray(format="rgb24")[BEACON_ROWS].astype(int)
            red.append(int(((top[..., 0] - top[..., 2]) > 90).sum()))
    lit = [index for index in range(1, 96) if red[index] > 60 and red[index - 1] < 20]
    assert tuple(lit) == BLINKS

    with av.open(str(DEMO / "clip.mp4")) as container:
        rate = container.streams.audio[0].rate
        frames = list(container.decode(audio=0))
    assert frames[0].time is not None
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    first = round(frames[0].time * rate)
    loud = np.flatnonzero(np.abs(np.diff(sound)) > 0.06) + first
    starts = [int(loud[0]), *(int(b) for a, b in pairwise(loud) if b - a > rate // 10)]
    assert len(starts) == len(BLINKS)
    for start, blink in zip(starts, BLINKS, strict=True):
        assert abs(start / rate - blink / RATE) < 0.005, "within 5 ms"


def test_sound_starts_each_tick_on_its_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = part("sound", monkeypatch).make(30, seed=1)
    assert samples.shape == (2, 30 * 2002)
    assert np.abs(np.diff(samples[0]))[: 12 * 2002 - 1].max() < 0.06
    assert np.abs(np.diff(samples[0]))[12 * 2002 :][:40].max() > 0.1


def test_pose_goes_forth_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = part("subject", monkeypatch)
    pose = subject.Pose.at(7.5)
    photo = pose.backward_map()
    rows, columns = np.mgrid[40:700:60, 200:1000:80]
    frame = pose.forward(photo[rows, columns])
    assert np.abs(frame - np.stack([columns, rows], -1)).max() < 0.1


@pytest.mark.slow
def test_script_makes_the_committed_clip(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    command = [sys.executable, "scripts/make_demo_clip.py", "--out", str(tmp_path), "--frames", "1"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    with av.open(str(tmp_path / "alpha.mp4")) as container:
        made = next(container.decode(video=0)).to_ndarray(format="gray")
    difference = np.abs(made.astype(int) - alphas()[0])
    assert difference.mean() < 0.1
    assert difference.max() <= 16
    fresh, committed = (cv2.imread(str(folder / "mask_000000.png"), 0) for folder in (tmp_path, DEMO))
    assert fresh is not None
    assert committed is not None
    assert (fresh != committed).mean() < 1e-4
