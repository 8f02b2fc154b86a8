"""Small videos for the tests of the media-in modules, made with PyAV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from pipeline.colour import write_colour
from pipeline.info import Colour, VideoInfo

SIZE = (64, 48)
LOSSLESS = {"qp": "0", "preset": "ultrafast"}


def picture(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """RGB uint8 [H, W, 3]: smooth, without any symmetry, and different in every frame."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    phase = index / 7
    channels = [0.2 + 0.7 * x, 0.2 + 0.7 * y, 0.5 + 0.4 * np.sin(4 * x + 2 * y + phase)]
    image = np.stack(channels, axis=-1)
    image[: size[1] // 3, : size[0] // 4] = (0.9, 0.15, 0.1 + 0.05 * (index % 10))
    return np.rint(image * 255).astype(np.uint8)


def write_video(
    path: Path,
    frames: int | Sequence[av.VideoFrame] = 12,
    *,
    codec: str = "libx264",
    rate: Fraction = Fraction(25),
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = SIZE,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: Mapping[str, str] | None = None,
    rotation: tuple[float, bool] | None = None,
    colour: Colour | None = None,
    aspect: Fraction | None = None,
    container: Mapping[str, Any] | None = None,
) -> Path:
    """Write a video of `picture`s, or of the frames given; `rotation` is (degrees counter-clockwise, flipped)."""
    given = (
        [av.VideoFrame.from_ndarray(picture(i, size), "rgb24") for i in range(frames)]
        if isinstance(frames, int)
        else frames
    )
    with av.open(str(path), "w", **(container or {})) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.options = dict(options or {})
        if time_base is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        if colour is not None:
            write_colour(stream.codec_context, colour)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation[0], hflip=rotation[1])
        for index, frame in enumerate(given):
            frame.pts = times[index] if times is not None else index
            frame.time_base = time_base or 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_audio(path: Path) -> Path:
    """Write a second of silence."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        for index in range(47):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, index * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_cover(path: Path) -> Path:
    """Write a second of silence with a cover picture."""
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", rate=48000, layout="mono")
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = *SIZE, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
        output.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0), "rgb24")))
        output.mux(cover.encode(None))
    return path


def damage(path: Path, source: Path, *, start: float = 0.3, stop: float = 0.6, every: int = 37) -> Path:
    """Write `source` with bytes changed between two parts of its length."""
    data = bytearray(source.read_bytes())
    for at in range(int(len(data) * start), int(len(data) * stop), every):
        data[at] ^= 0x5A
    path.write_bytes(data)
    return path


def planes(frame: av.VideoFrame, arrays: Sequence[np.ndarray]) -> av.VideoFrame:
    """Fill the planes of `frame` and return it."""
    for plane, array in zip(frame.planes, arrays, strict=True):
        step = plane.line_size // array.itemsize
        view = np.frombuffer(memoryview(plane), array.dtype)[: step * plane.height].reshape(plane.height, step)
        view[:, : plane.width] = array
    return frame


def facts(size: tuple[int, int] = SIZE, **changes: Any) -> VideoInfo:
    """Return the facts of a clip of one frame, with changes."""
    given: dict[str, Any] = {"width": size[0], "height": size[1], "frames": 1, "exact": True, "rate": Fraction(25)}
    given |= {"time_base": Fraction(1, 25), "codec": "test", "pixel_format": "yuv420p"}
    return VideoInfo(**(given | changes))
