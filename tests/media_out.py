"""What the tests of the media-out modules share: synthetic clips, delivering them, and reading them back."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from pipeline.deliver import DeliverFrame
from pipeline.formats import FORMATS, open_writer
from pipeline.info import AudioInfo, Colour, VideoInfo
from pipeline.planes import view, yuv_matrix

BT709 = Colour(range="limited", primaries="bt709", transfer="bt709", matrix="bt709")
HLG = Colour(range="limited", primaries="bt2020", transfer="arib-std-b67", matrix="bt2020nc")
FILES = ("alpha", "foreground", "prores", "webm")
LAYERS = ("prores", "webm", "png", "exr")
FRAMES = 13
SAMPLE_RATE = 48000
AUDIO = AudioInfo(codec="aac", sample_rate=SAMPLE_RATE, channels=2)


def clip(**changes: Any) -> VideoInfo:
    facts: dict[str, Any] = {
        "width": 64,
        "height": 48,
        "frames": FRAMES,
        "exact": True,
        "rate": Fraction(24000, 1001),
        "time_base": Fraction(1, 24000),
        "codec": "h264",
        "pixel_format": "yuv420p",
        "colour": BT709,
    }
    return VideoInfo(**(facts | changes))


def frame(info: VideoInfo, index: int) -> DeliverFrame:
    """Smooth colours behind a soft disc that moves."""
    y, x = np.mgrid[: info.height, : info.width].astype(np.float32)
    distance = np.hypot(x - info.width / 3 - index, y - info.height / 2)
    alpha = np.clip((info.height / 3 - distance) / 8 + 0.5, 0, 1)
    red, green = x / info.width, y / info.height
    blue = 0.5 + 0.4 * np.sin((x + y) / 12 + index / 4)
    return DeliverFrame(index, alpha.astype(np.float32), np.dstack([red, green, blue]).astype(np.float32))


def deliver(name: str, target: Path, info: VideoInfo, start: int = 0, stop: int | None = None, **options: Any) -> Path:
    writer = open_writer(name, target / FORMATS[name].file_name, info, start=start, stop=stop, **options)
    for index in range(start, info.frames if stop is None else stop):
        writer.write(frame(info, index))
    return writer.close()


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def times(path: Path) -> list[Fraction]:
    return [seconds(picture) for picture in decoded(path)]


def seconds(timed: av.VideoFrame | av.AudioFrame) -> Fraction:
    """Return when a frame is shown or heard."""
    assert timed.pts is not None
    assert timed.time_base is not None
    return timed.pts * timed.time_base


def decode_layers(name: str, path: Path, info: VideoInfo) -> list[NDArray[np.float64]]:
    """Return R'G'B'A (linear light for EXR) float [H, W, 4] of each frame of a format with alpha."""
    if name == "png":
        return [png_pixels(file) for file in sorted(path.glob("*.png"))]
    if name == "exr":
        return [exr_pixels(file)[0] for file in sorted(path.glob("*.exr"))]
    pictures = decoded(path) if name == "prores" else decode_vp9_alpha(path)
    return [to_rgba(picture, info) for picture in pictures]


def png_pixels(path: Path) -> NDArray[np.float64]:
    picture: NDArray[Any] = cast(Any, cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    return picture[..., [2, 1, 0, 3]] / np.iinfo(picture.dtype).max


def exr_pixels(path: Path) -> tuple[NDArray[np.float64], dict[str, Any]]:
    with OpenEXR.File(str(path)) as file:
        return file.channels()["RGBA"].pixels.astype(np.float64), dict(file.header())


def decode_vp9_alpha(path: Path) -> list[av.VideoFrame]:
    """Decode with libvpx, which knows the alpha plane; FFmpeg's own decoder leaves it out."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    return pictures + list(decoder.decode(None))


def to_rgba(picture: av.VideoFrame, info: VideoInfo) -> NDArray[np.float64]:
    """Convert planes by the inverse of H.273's matrix, in floats; chroma is only repeated."""
    depth = picture.format.components[0].bits
    planes = [view(picture, plane).astype(np.float64) for plane in range(4)]
    planes[1:3] = [
        plane
        if plane.shape == planes[0].shape
        else cv2.resize(plane, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)[: info.height, : info.width]
        for plane in planes[1:3]
    ]
    matrix = yuv_matrix(info.colour, depth).astype(np.float64)
    rgb = (np.dstack(planes[:3]) - matrix[:, 3]) @ np.linalg.inv(matrix[:, :3]).T
    return np.dstack([rgb, planes[3] / ((1 << depth) - 1)])


def probe(path: Path, stream: str) -> dict[str, Any]:
    program = ffmpeg_program("ffprobe")
    answer = subprocess.run(
        [program, "-v", "error", "-count_frames", "-select_streams", stream, "-show_streams", "-of", "json", path],
        capture_output=True,
        check=True,
    )
    return dict(json.loads(answer.stdout)["streams"][0])


def ffmpeg_program(name: str = "ffmpeg") -> str:
    """Return the path of the program, or skip the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"the {name} program is not installed")
    return path


@contextmanager
def small_disk(folder: Path, kilobytes: int = 256) -> Iterator[Path]:
    """Mount a file system of this size on `folder`, or skip the test where that is not allowed."""
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("no mount program: a full disk cannot be tried")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("mounting needs root: a full disk cannot be tried")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def make_source(
    path: Path,
    *,
    codec: str = "aac",
    beeps: tuple[float, ...] = (0.3,),
    seconds: float = 0.6,
    late: float = 0.0,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a file with sound only, silent but for 20 ms beeps; its clock begins `late` seconds in."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.zeros_like(time)
    for beep in beeps:
        wave[(time >= beep) & (time < beep + 0.02)] = 0.5
    wave *= np.sin(2 * np.pi * 3000 * time)
    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = cast(Any, container.add_stream(codec, rate=SAMPLE_RATE, layout="stereo"))
        for begin in range(0, len(wave), 1024):
            block = np.ascontiguousarray(np.tile(wave[begin : begin + 1024], (2, 1)).astype(np.float32))
            audio = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
            audio.sample_rate, audio.pts = SAMPLE_RATE, begin + round(late * SAMPLE_RATE)
            audio.time_base = Fraction(1, SAMPLE_RATE)
            container.mux(stream.encode(audio))
        container.mux(stream.encode(None))
    return path


def hear(path: Path) -> tuple[list[float], float, str]:
    """Return when beeps begin, when the sound ends, and its codec."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate, samples = stream.codec_context.sample_rate, []
        resampler = av.AudioResampler("fltp", "mono", rate)
        first = None
        for audio in container.decode(stream):
            first = seconds(audio) if first is None else first
            samples += [piece.to_ndarray()[0] for piece in resampler.resample(audio)]
        wave = np.abs(np.concatenate(samples))
        codec = stream.codec_context.name
    loud = np.flatnonzero(wave > 0.15) / rate + float(first or 0)
    begins = [float(at) for at, before in zip(loud, [-1, *loud], strict=False) if at - before > 0.1]
    return begins, len(wave) / rate + float(first or 0), codec
