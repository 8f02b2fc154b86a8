"""Encoding of alpha and foreground against the ffmpeg program: the same frames, codec settings and machine.

The program gets raw 8-bit frames from a file, ours the float frames that the pipeline has (four times the bytes); both
end with a complete MP4. A ratio above 1 says that ours is faster; both run in turn, so that it is of the same moment.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.deliver import DeliverFrame
from pipeline.formats import FORMATS, open_writer
from pipeline.formats.alpha import OPTIONS as ALPHA_OPTIONS
from pipeline.formats.foreground import H264_OPTIONS
from pipeline.formats.mp4 import keyframe_interval
from pipeline.info import Colour, VideoInfo
from pipeline.overlap import WriteBehind

SIZE = (1280, 720)
FRAMES = 96
DRAWN = 24  # different frames; then they repeat
ROUNDS = 5
FLOOR = 0.95
"""The least that ours may reach of the program's speed."""

_COLOUR = Colour(range="limited", primaries="bt709", transfer="bt709", matrix="bt709")
_TAGS = ["-color_range", "tv", "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]


def run(frames: int = FRAMES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both jobs and return their times in milliseconds a frame and the ratios, medians over `rounds`."""
    program = shutil.which("ffmpeg")
    if program is None:
        return {"skipped": "the ffmpeg program is not installed"}
    info = _info(frames)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = [_frame(index) for index in range(min(frames, DRAWN))]
        footage = [replace(drawn[index % len(drawn)], index=index) for index in range(frames)]
        results: dict[str, Any] = {"frames": frames, "size": list(SIZE), "floor": FLOOR}
        for job in ("alpha", "foreground"):
            raw = folder / f"{job}.raw"
            raw.write_bytes(b"".join(_raw(job, frame) for frame in footage))
            command = _command(program, job, raw, folder / f"{job}-program.mp4", info)
            results[job] = _race(
                partial(_ours, job, folder / FORMATS[job].file_name, info, footage),
                partial(subprocess.run, command, check=True),
                frames,
                rounds,
            )
            raw.unlink()
    return results


def _race(ours: Callable[[], object], program: Callable[[], object], frames: int, rounds: int) -> dict[str, float]:
    """Run both in turn; the ratio of each pair is of the same moment of the machine."""
    pairs = [(_clocked(ours), _clocked(program)) for _ in range(rounds + 1)][1:]  # the first warms caches
    milliseconds = 1000 / frames
    return {
        "ours_ms": statistics.median(mine[0] for mine, _ in pairs) * milliseconds,
        "program_ms": statistics.median(theirs[0] for _, theirs in pairs) * milliseconds,
        "ours_cpu_ms": statistics.median(mine[1] for mine, _ in pairs) * milliseconds,
        "program_cpu_ms": statistics.median(theirs[1] for _, theirs in pairs) * milliseconds,
        "ratio": statistics.median(theirs[0] / mine[0] for mine, theirs in pairs),
        "cpu_ratio": statistics.median(theirs[1] / mine[1] for mine, theirs in pairs),
    }


def _clocked(job: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds and the processor seconds of a job, its child processes included."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    job()
    return time.perf_counter() - wall, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _ours(job: str, target: Path, info: VideoInfo, footage: list[DeliverFrame]) -> None:
    """Encode as the runner does: the writer in a thread of its own."""
    writer = open_writer(job, target, info)
    with WriteBehind(writer.write) as behind:
        for frame in footage:
            behind.put(frame)
    writer.close()


def _command(program: str, job: str, raw: Path, target: Path, info: VideoInfo) -> list[str]:
    options = {**(ALPHA_OPTIONS if job == "alpha" else H264_OPTIONS), "g": keyframe_interval(info)}
    return [
        *(program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray" if job == "alpha" else "rgb24"),
        *("-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(info.rate), "-i", str(raw)),
        *("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264"),
        *(text for name, value in options.items() for text in (f"-{name}", value)),
        *_TAGS,
        *("-movflags", "+faststart", str(target)),
    ]


def _raw(job: str, frame: DeliverFrame) -> bytes:
    assert frame.foreground is not None
    return cv2.convertScaleAbs(frame.alpha if job == "alpha" else frame.foreground, alpha=255).tobytes()


def _info(frames: int) -> VideoInfo:
    return VideoInfo(
        width=SIZE[0],
        height=SIZE[1],
        frames=frames,
        exact=True,
        rate=Fraction(24000, 1001),
        time_base=Fraction(1, 24000),
        codec="h264",
        pixel_format="yuv420p",
        colour=_COLOUR,
    )


def _frame(index: int) -> DeliverFrame:
    """A panning texture with grain, and a matte with hairs that turns."""
    width, height = SIZE
    rng = np.random.default_rng(7)
    texture = cv2.GaussianBlur(rng.random((height, width + 4 * DRAWN, 3), np.float32), (0, 0), 4)
    texture = np.clip((texture - 0.5) * 6 + 0.5, 0, 1)[:, 4 * index :][:, :width]
    grain = np.random.default_rng(index).normal(0, 1 / 255, (height, width, 1)).astype(np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = np.arctan2(y - height / 2, x - width / 2 - index)
    radius = height / 3 + 25 * np.sin(180 * angle + index / 5) + 12 * np.sin(47 * angle - index / 3)
    alpha = np.clip((radius - np.hypot(y - height / 2, x - width / 2 - index)) / 6 + 0.5, 0, 1)
    return DeliverFrame(index, alpha.astype(np.float32), np.clip(texture + grain, 0, 1).astype(np.float32))


def _lines(results: dict[str, Any]) -> Iterator[str]:
    for job in ("alpha", "foreground"):
        row = results[job]
        yield (
            f"{job:>10}: ours {row['ours_ms']:.1f} ms a frame, the program {row['program_ms']:.1f}; "
            f"speed {row['ratio']:.2f} of its, {row['cpu_ratio']:.2f} by processor time"
        )


if __name__ == "__main__":
    answer = run()
    print(answer["skipped"] if "skipped" in answer else "\n".join(_lines(answer)))
