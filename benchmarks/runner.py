"""The runner against a bare engine loop, and how its time and memory grow with the clip's length."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from engines.base import Direction, Mask, Propagated
from engines.registry import create
from engines.spec import Job
from matting_runner import add_mask, create_session, load_info, run_matting
from matting_runner.mask_stages import read_keyframes
from matting_runner.matte_stage import SessionGuides
from pipeline.decode import VideoReader
from pipeline.frames import FrameFolder
from session_store import SessionStore

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "assets" / "demo"


class _Memory:
    """An engines.base.MaskHistory in memory: what a bare loop needs."""

    def __init__(self) -> None:
        self.drafts: dict[tuple[int, int], Mask] = {}

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        """Return a draft yielded before; finals are never asked for again by a fresh run."""
        return self.drafts.get((index, object_id)) if draft else None

    def put(self, step: Propagated) -> None:
        """Keep a step's masks if they are drafts."""
        if step.draft:
            self.drafts.update({(step.index, key): mask for key, mask in step.masks.items()})


def overhead(frames: int = 96, rounds: int = 3) -> dict[str, Any]:
    """Measure propagation and matting through the runner and through a bare loop over the engines, in turn.

    Returns:
        seconds of both, the best of `rounds`, and their ratio (1.03 is 3 % more), for each stage.
    """
    best: dict[str, dict[str, float]] = {"propagate": {}, "matte": {}}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            session = create_session(SessionStore(Path(folder) / "sessions"), DEMO / "clip.mp4")
            add_mask(session, session.add_object(), 0, DEMO / "mask_000000.png", load_info(session))
            session.state.range = (0, frames)
            session.state.formats = ["alpha"]
            session.save()
            seconds = run_matting(session).seconds
            info = load_info(session)
            size = info.width, info.height
            bare = {
                "propagate": _propagate(
                    FrameFolder(session.frames_dir, info.frames, size), read_keyframes(session), frames
                ),
                "matte": _matte(VideoReader(session.source, info), SessionGuides(session, size), frames),
            }
            for stage, entry in best.items():
                entry["runner"] = min(entry.get("runner", math.inf), seconds[stage])
                entry["bare"] = min(entry.get("bare", math.inf), _seconds(bare[stage]))
    total = {kind: sum(entry[kind] for entry in best.values()) for kind in ("runner", "bare")}
    rows = {**best, "both": total}
    return {stage: {**entry, "ratio": entry["runner"] / entry["bare"]} for stage, entry in rows.items()}


def growth(lengths: tuple[int, int] = (300, 3000)) -> dict[str, Any]:
    """Matte clips of two lengths at 720p, each in a process of its own.

    Returns:
        seconds, peak resident bytes and frames for each, the memory's ratio and the exponent of time over length.
    """
    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        for length in lengths:
            clip = _long_clip(Path(folder) / f"{length}.mp4", length)
            runs[length] = _run(clip, Path(folder) / f"workspace-{length}")
    short, long = (runs[length] for length in lengths)
    return {
        "runs": runs,
        "memory_ratio": long["peak_bytes"] / short["peak_bytes"],
        "time_exponent": math.log(long["seconds"] / short["seconds"]) / math.log(lengths[1] / lengths[0]),
        "stage_exponents": {
            stage: math.log(long["stages"][stage] / short["stages"][stage]) / math.log(lengths[1] / lengths[0])
            for stage in short["stages"]
            if short["stages"][stage] > 0
        },
    }


def _seconds(steps: Iterator[object]) -> float:
    begin = time.perf_counter()
    for _ in steps:
        pass
    return time.perf_counter() - begin


def _propagate(source: FrameFolder, keyframes: dict[int, dict[int, Mask]], frames: int) -> Iterator[object]:
    history = _Memory()
    engine = create(Job.PROPAGATOR, "flow")
    for step in engine.propagate(source, keyframes, 0, frames, Direction.BOTH, history):
        history.put(step)
        yield step


def _matte(reader: VideoReader, guides: SessionGuides, frames: int) -> Iterator[object]:
    with reader:
        yield from create(Job.MATTER, "guided").matte(reader, guides, 0, frames)


def _long_clip(path: Path, length: int) -> Path:
    """Write the demo clip forwards and backwards until it has `length` frames, without a jump."""
    with av.open(str(DEMO / "clip.mp4")) as source:
        pictures = [frame.to_ndarray(format="yuv420p") for frame in source.decode(video=0)]
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    with av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=Fraction(24000, 1001))
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        video.options = {"preset": "ultrafast", "crf": "20"}
        for index in range(length):
            target.mux(video.encode(av.VideoFrame.from_ndarray(pictures[order[index % len(order)]], "yuv420p")))
        target.mux(video.encode(None))
    return path


def _run(clip: Path, workspace: Path) -> dict[str, Any]:
    """Run the command line on `clip` and return its result with the process's peak memory."""
    command = [sys.executable, "run.py", "matte", str(clip), "--mask", f"0={DEMO / 'mask_000000.png'}", "--json"]
    environment = {**os.environ, "SPLAZMATTE_WORKSPACE": str(workspace)}
    begin = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        result = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "seconds": time.perf_counter() - begin,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "stages": result["seconds"],
        "frames": result["frames"],
    }
