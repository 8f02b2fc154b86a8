"""Real files that a decoder trips over: each decodes right, or is refused for the right reason, and none hangs."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from errors import MediaError
from pipeline.decode import VideoReader
from pipeline.info import VideoInfo
from pipeline.probe import probe, scan
from tests.conftest import SHARED
from tests.media_out import ffmpeg_program

FOLDER = SHARED / "odd_videos"
LIMIT_SECONDS = 60
MANIFEST: list[dict[str, Any]] = (
    json.loads((FOLDER / "manifest.json").read_text()) if (FOLDER / "manifest.json").exists() else []
)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not MANIFEST, reason="../shared/odd_videos is not beside this checkout"),
]

REFUSED = {
    "broken/encrypted.mov": r"encrypted\.mov is encrypted \(DRM\)",
    "broken/invalid_bitstream.webm": r"no frame of it decodes \(vp9\): Invalid data",
    "streams/audio_only.mp4": r"audio_only\.mp4 has no video, only audio$",
}
"""No picture can be got out of these; the ffmpeg program gives none either."""

VARIABLE = {
    "vfr/vfr_518x488_audio.mp4",
    "vfr/vfr_cursed.mp4",
    "phone/phone_portrait_4k60_rot_vfr.mp4",
    "alpha/vp9_alpha_no_duration.webm",  # 62 to 67 ms, although the header states 15000/1001
    "broken/broken_sps.flv",
    "container/newtonscradle.gif",
    "container/sample.avi",  # two of its 98 chunks are empty: 'show the last picture on'
}
RATES = {
    "container/h264_rotation_track_name.mkv": Fraction(30000, 1001),  # the header's 60 and 1000 are both wrong
}
STARTS = {
    # The first picture has no time of its own, only a decoding time; ffprobe states the second one's.
    "interlaced/mpeg2_ts_named_mp4.mp4": Fraction(5400, 90000),
    "alpha/vp8_alpha_odd.webm": Fraction(1, 1000),
}
NO_AUDIO = {"broken/missing_stsd.mp4"}  # what is missing is the sound's description: it cannot be decoded
MIRRORED = {"rotate/rot_and_reflect.mp4"}


def examine(name: str) -> tuple[VideoInfo, VideoInfo, list[bool]]:
    """Scan a file and read three of its frames in sequence and out of it; runs in the process with the time limit."""
    quick, info = probe(FOLDER / name), scan(FOLDER / name)
    chosen = sorted({info.frames // 3, info.frames // 2, info.frames - 1})
    with VideoReader(FOLDER / name, info) as reader:
        sums = {i: zlib.crc32(reader.read(i).tobytes()) for i in range(info.frames) if i in chosen or i % 5 == 0}
    with VideoReader(FOLDER / name, info) as reader:
        same = [zlib.crc32(reader.read(i).tobytes()) == sums[i] for i in reversed(chosen)]
    return quick, info, same


Job = Callable[[str], tuple[VideoInfo, VideoInfo, list[bool]]]


@pytest.fixture(scope="module")
def run_limited() -> Iterator[Job]:
    """Run `examine` in a process of its own that is killed when a file makes it hang."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def run(name: str) -> tuple[VideoInfo, VideoInfo, list[bool]]:
        try:
            return pool.submit(examine, name).result(timeout=LIMIT_SECONDS)
        except TimeoutError:
            for process in list(pool._processes.values()):
                process.kill()
            pytest.fail(f"{name} took more than {LIMIT_SECONDS} s")

    yield run
    pool.shutdown(wait=False, cancel_futures=True)


def entries(refused: bool) -> list[Any]:
    return [pytest.param(entry, id=entry["file"]) for entry in MANIFEST if (entry["file"] in REFUSED) == refused]


@pytest.mark.parametrize("entry", entries(refused=True))
def test_refused_with_one_line_that_says_why(entry: dict[str, Any], run_limited: Job) -> None:
    with pytest.raises(MediaError, match=REFUSED[entry["file"]]) as caught:
        run_limited(entry["file"])
    assert "\n" not in str(caught.value)
    assert entry["ffmpeg_frames"] == 0


@pytest.mark.parametrize("entry", entries(refused=False))
def test_decodes_right(entry: dict[str, Any], run_limited: Job) -> None:
    name = entry["file"]
    quick, info, same = run_limited(name)
    assert all(same), "random access gave other pixels than the sequential pass"
    assert info.frames == entry["ffmpeg_frames"]
    assert info.rotation == (-entry["rotation"] % 360 if name not in MIRRORED else 270)
    assert info.mirrored == (name in MIRRORED)
    stored = (entry["w"], entry["h"])
    assert (info.width, info.height) == (stored if info.rotation % 180 == 0 else stored[::-1])
    assert (info.width, info.height) == (quick.width, quick.height)
    assert info.codec == entry["codec"]
    if entry["transfer"]:
        assert info.colour.transfer == entry["transfer"]
    assert info.interlaced == (entry["field_order"] in ("tt", "bb", "tb", "bt"))
    assert (info.audio is not None) == (entry["audio_tracks"] > 0 and name not in NO_AUDIO)
    check_times(name, info, entry)


def check_times(name: str, info: VideoInfo, entry: dict[str, Any]) -> None:
    start = STARTS.get(name, info.start)
    assert info.start == start
    if name not in STARTS:
        assert abs(float(info.start) - float(entry["start_time"])) < 2e-6
    if name in VARIABLE:
        assert info.times is not None
        assert len(info.times) == info.frames
        assert info.times[0] == 0
        assert (np.diff(info.times) > 0).all()
    else:
        assert info.times is None
        assert info.rate == RATES.get(name, Fraction(entry["r_frame_rate"]))


@pytest.mark.parametrize(
    "name",
    ["rotate/rot270.mov", "rotate/rot_and_reflect.mp4", "phone/iphone_dolbyvision_hlg_rot.MOV", "color/bt601.mov"],
)
def test_pictures_are_those_of_the_ffmpeg_program(name: str) -> None:
    path = FOLDER / name
    info = scan(path)
    command = [
        ffmpeg_program(),
        "-v",
        "error",
        "-i",
        path,
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    raw = subprocess.run([str(part) for part in command], capture_output=True, check=True).stdout
    with VideoReader(path, info) as reader:
        ours = reader.read(0)
    theirs = np.frombuffer(raw, np.uint8).reshape(ours.shape)
    assert np.abs(ours.astype(int) - theirs).mean() < 2.5
