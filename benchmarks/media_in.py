"""Frame extraction against the ffmpeg program doing the same job: every frame of a clip to a JPEG file.

The program runs `ffmpeg -i CLIP -q:v 2 %06d.jpg`; ours writes JPEGs of higher quality (about twice the bytes), in the
colours that JFIF asks for, and finds the exact facts of the clip on the way. Both use all cores as they like.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.frames import extract_frames

ROUNDS = 5
FLOOR = 1.0
"""The least that ours may reach of the program's speed."""


def run(clip: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, in turns; return milliseconds a frame (wall clock and processor) and the ratios of the medians.

    `speed` is the program's wall-clock time over ours, `cpu` the same of processor time: above 1, ours is better.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        return {"skipped": "the ffmpeg program is not installed"}
    with tempfile.TemporaryDirectory() as name:
        theirs, ours = Path(name) / "program", Path(name) / "ours"
        command = [program, "-v", "error", "-y", "-i", str(clip), "-q:v", "2", str(theirs / "%06d.jpg")]
        info = extract_frames(clip, ours)  # warms the disk's cache for both
        times: dict[str, list[tuple[float, float]]] = {"program": [], "ours": []}
        for _ in range(rounds):
            times["program"].append(_time(theirs, lambda: subprocess.run(command, check=True)))
            times["ours"].append(_time(ours, lambda: extract_frames(clip, ours)))
        sizes = {folder.name: sum(path.stat().st_size for path in folder.iterdir()) for folder in (theirs, ours)}
    return _summary(info.frames, times, sizes)


def _summary(frames: int, times: dict[str, list[tuple[float, float]]], sizes: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {"frames": frames, "floor": FLOOR}
    wall = {who: statistics.median(t[0] for t in taken) for who, taken in times.items()}
    cpu = {who: statistics.median(t[1] for t in taken) for who, taken in times.items()}
    for who in times:
        result[f"{who}_ms"] = round(wall[who] / frames * 1e3, 3)
        result[f"{who}_cpu_ms"] = round(cpu[who] / frames * 1e3, 3)
        result[f"{who}_bytes"] = sizes[who] // frames
    result["speed"] = round(wall["program"] / wall["ours"], 3)
    result["cpu"] = round(cpu["program"] / cpu["ours"], 3)
    return result


def _time(folder: Path, job: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that `job` takes into an empty folder: wall clock, and processor with its children's."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    wall, cpu = time.perf_counter(), _processor()
    job()
    return time.perf_counter() - wall, _processor() - cpu


def _processor() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
