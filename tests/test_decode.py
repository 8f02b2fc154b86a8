"""`VideoReader`: the same pixels in any order, upright, in the right colours."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from errors import MediaError
from pipeline.colour import LUMA_COEFFICIENTS, MATRICES, code, resolve
from pipeline.convert import FrameConverter
from pipeline.decode import VideoReader
from pipeline.info import Colour
from pipeline.probe import probe, scan
from tests.media_in import LOSSLESS, SIZE, damage, facts, picture, planes, write_video

GOP = {"g": "8", "bf": "2", "preset": "veryfast"}
VFR = [40 * i + 13 * (i % 3) for i in range(60)]
RECIPES: dict[str, Callable[[Path], Path]] = {
    "h264 mp4": lambda d: write_video(d / "a.mp4", 60, options=GOP),
    "h264 open gop": lambda d: write_video(d / "a.mp4", 60, options=GOP | {"x264-params": "open-gop=1"}),
    "h264 intra refresh": lambda d: write_video(d / "a.mp4", 60, options=GOP | {"x264-params": "intra-refresh=1"}),
    "h264 fragments": lambda d: write_video(
        d / "a.mp4", 60, options=GOP, container={"options": {"movflags": "frag_keyframe+empty_moov"}}
    ),
    "h264 ts": lambda d: write_video(d / "a.ts", 60, options=GOP),
    "h264 ts open gop": lambda d: write_video(d / "a.ts", 60, options=GOP | {"x264-params": "open-gop=1"}),
    "h264 stream": lambda d: write_video(d / "a.h264", 60, options=GOP),
    "h264 vfr mkv": lambda d: write_video(d / "a.mkv", 60, options=GOP, times=VFR, time_base=Fraction(1, 1000)),
    "hevc open gop": lambda d: write_video(
        d / "a.mp4", 60, codec="libx265", options={"x265-params": "keyint=8:open-gop=1:log-level=none"}
    ),
    "vp9 webm": lambda d: write_video(d / "a.webm", 60, codec="libvpx-vp9", options={"g": "8", "cpu-used": "8"}),
    "mpeg2 mkv": lambda d: write_video(d / "a.mkv", 60, codec="mpeg2video", options={"g": "8", "bf": "2"}),
    "mpeg4 avi": lambda d: write_video(d / "a.avi", 60, codec="mpeg4", options={"g": "8"}),
    "ffv1": lambda d: write_video(d / "a.mkv", 60, codec="ffv1", options={"g": "8"}),
    "gif": lambda d: write_video(d / "a.gif", 60, codec="gif", pixel_format="rgb8"),
    "damaged ts": lambda d: damage(d / "b.ts", write_video(d / "a.ts", 60, options=GOP)),
    "damaged mp4": lambda d: damage(d / "b.mp4", write_video(d / "a.mp4", 60, options=GOP), every=11),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_any_order_gives_the_pixels_of_a_sequential_pass(tmp_path: Path, recipe: Callable[[Path], Path]) -> None:
    path = recipe(tmp_path)
    info = scan(path)
    with VideoReader(path, info) as reader:
        assert reader.size == SIZE
        sums = [zlib.crc32(image.tobytes()) for image in reader.frames()]
    assert len(sums) == len(reader) == info.frames
    order = random.Random(3).sample(range(len(sums)), 25)
    order += [len(sums) - 1, 0, len(sums) - 1]
    for index in order:  # a new reader each, so that every frame is reached by seeking or from the start
        with VideoReader(path, info) as reader:
            assert zlib.crc32(reader.read(index).tobytes()) == sums[index], index
    with VideoReader(path, info) as reader:
        assert [zlib.crc32(reader.read(index).tobytes()) for index in order] == [sums[index] for index in order]


def test_seeking_is_used_where_it_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", 400, options=GOP)
    info = scan(path)
    decoded = 0
    with VideoReader(path, info) as reader:
        video = reader._cursor._video
        inner = video.decode

        def counted(packet: Any) -> list[av.VideoFrame]:
            nonlocal decoded
            frames = inner(packet)
            decoded += len(frames)
            return frames

        monkeypatch.setattr(video, "decode", counted)
        for index in (390, 10, 200):
            reader.read(index)
    assert decoded < 150


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_stand_upright(tmp_path: Path, degrees: int, flipped: bool) -> None:
    path = write_video(
        tmp_path / "a.mp4", 2, codec="libx264rgb", pixel_format="rgb24", options=LOSSLESS, rotation=(degrees, flipped)
    )
    expected = np.rot90(picture(1), degrees // 90)
    expected = expected[:, ::-1] if flipped else expected
    with VideoReader(path, scan(path)) as reader:
        assert reader.size == (expected.shape[1], expected.shape[0])
        np.testing.assert_array_equal(reader.read(1), expected)
        np.testing.assert_allclose(reader.read_float(1), expected / 255, atol=5e-4)


def reference(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, colour: Colour, depth: int) -> np.ndarray:
    """R'G'B' 0..1 after ITU-T H.273."""
    kr, kb = LUMA_COEFFICIENTS[colour.matrix]
    unit, top = 1 << (depth - 8), (1 << depth) - 1
    if colour.range == "full":
        y, cb, cr = y / top, (cb - 128 * unit) / top, (cr - 128 * unit) / top
    else:
        y, cb, cr = (y - 16 * unit) / (219 * unit), (cb - 128 * unit) / (224 * unit), (cr - 128 * unit) / (224 * unit)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return np.clip(np.stack([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue], -1), 0, 1)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc", "smpte240m"])
@pytest.mark.parametrize("range_", ["limited", "full"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le"])
def test_colours_are_right(pixel_format: str, range_: str, matrix: str) -> None:
    """Flat patches, so that how colour is interpolated between pixels does not matter."""
    frame = av.VideoFrame(128, 128, pixel_format)
    depth = frame.format.components[0].bits
    rng, unit = np.random.default_rng(1), 1 << (depth - 8)
    low, high = (0, (1 << depth) - 1) if range_ == "full" else (16 * unit, 235 * unit)
    dtype = np.uint8 if depth == 8 else np.uint16
    patches = [rng.integers(a, b, (8, 8)) for a, b in ((low, high + 1), *[(100 * unit, 156 * unit)] * 2)]
    stored = [
        np.kron(patch, np.ones((plane.height // 8, plane.width // 8))).astype(dtype)
        for patch, plane in zip(patches, frame.planes, strict=True)
    ]
    colour = Colour(range=range_, matrix=matrix)
    converter = FrameConverter(facts((128, 128), pixel_format=pixel_format, colour=colour))
    expected = reference(patches[0], patches[1], patches[2], colour, depth)
    middle = slice(8, None, 16)
    rgb = converter.to_rgb(planes(frame, stored))
    assert (rgb.dtype.name, rgb.shape, rgb.flags.c_contiguous) == ("uint8", (128, 128, 3), True)
    assert np.abs(rgb[middle, middle] - expected * 255).max() < 0.6
    np.testing.assert_array_equal(converter.to_rgb(frame, order="bgr"), rgb[..., ::-1])
    deep = converter.to_float(frame)
    assert (deep.dtype.name, deep.shape) == ("float32", (128, 128, 3))
    assert np.abs(deep[middle, middle] - expected).max() < 0.0005


def test_silent_files_are_read_by_the_convention() -> None:
    silent = Colour()
    assert resolve(silent, 1280, 720, "yuv420p").matrix == "bt709"
    assert resolve(silent, 720, 1280, "yuv420p").matrix == "bt709"
    assert resolve(silent, 854, 480, "yuv420p").matrix == "smpte170m"
    assert resolve(silent, 720, 576, "yuv420p").matrix == "smpte170m"
    assert resolve(Colour(primaries="bt2020"), 640, 360, "yuv420p10le").matrix == "bt2020nc"
    assert resolve(Colour(matrix="ycgco"), 640, 360, "yuv444p").matrix == "bt709"
    assert [resolve(silent, 64, 64, f).range for f in ("yuv420p", "yuvj420p", "gray", "gbrp")] == [
        *("limited", "full", "full", "full")
    ]
    assert code(MATRICES, "no such matrix") == 2


def test_ten_bits_survive(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(64, 64 + 256, dtype=np.uint16), (32, 1))
    grey = np.full((32, 256), 512, np.uint16)
    frame = planes(av.VideoFrame(256, 32, "yuv444p10le"), [ramp, grey, grey])
    path = write_video(tmp_path / "a.mkv", [frame], codec="ffv1", pixel_format="yuv444p10le", size=(256, 32))
    with VideoReader(path, scan(path)) as reader:
        values = reader.read_float(0)[16, :, 1]
        assert len(np.unique(reader.read(0)[16, :, 1])) < 80
    np.testing.assert_allclose(values, (ramp[0] - 64) / 876, atol=2e-4)
    assert len(np.unique(values)) == 256


def test_later_sizes_are_scaled_to_the_first(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.ts", 4, options=LOSSLESS)
    second = write_video(tmp_path / "b.ts", 4, size=(128, 96), options=LOSSLESS)
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    with VideoReader(path, scan(path)) as reader:
        last = reader.read(len(reader) - 1)
    assert last.shape == (48, 64, 3)
    assert np.abs(last[4:-4, 4:-4].astype(int) - picture(3)[4:-4, 4:-4]).mean() < 6


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (175, 143)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_video(tmp_path / "a.mkv", 3, codec="ffv1", pixel_format="bgr0", size=size)
    with VideoReader(path, scan(path)) as reader:
        np.testing.assert_array_equal(reader.read(2), picture(2, size))


def test_reads_are_kept_and_cannot_be_written(small_clip: Path) -> None:
    with VideoReader(small_clip, scan(small_clip)) as reader:
        image = reader.read(3)
        assert reader.read(3) is image
        with pytest.raises(ValueError, match="read-only"):
            image[0, 0] = 0
        reader.read_float(3)[0, 0] = 0


def test_cache_is_bounded(small_clip: Path) -> None:
    with VideoReader(small_clip, scan(small_clip)) as reader:
        reader._cache_size = 3
        for _ in reader.frames():
            assert len(reader._cache) <= 3


def test_ranges_and_wrong_indices(small_clip: Path) -> None:
    with VideoReader(small_clip, scan(small_clip)) as reader:
        assert len(list(reader.frames(5, 9))) == 4
        assert len(list(reader.frames_float(len(reader) - 2))) == 2
        for index in (-1, len(reader)):
            with pytest.raises(IndexError, match="which has"):
                reader.read(index)


def test_file_that_got_shorter(tmp_path: Path) -> None:
    info = scan(write_video(tmp_path / "a.mp4", 20))
    write_video(tmp_path / "a.mp4", 10)
    with VideoReader(tmp_path / "a.mp4", info) as reader, pytest.raises(MediaError, match="ends before frame 15 of 20"):
        reader.read(15)


def test_reader_works_from_the_facts_of_a_probe(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 30, options=GOP)
    with VideoReader(path, probe(path)) as quick, VideoReader(path, scan(path)) as exact:
        for index in (20, 3, 29):
            np.testing.assert_array_equal(quick.read(index), exact.read(index))
