"""One side of one contest in this process: `python -m benchmarks.contest.one NAME SIDE FOLDER`.

Prints one line of JSON, the last of its output: seconds by part, peak memory, and with PROFILE what the time went into.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.contest.task import Contestant, Task, Watch
from benchmarks.estimate import peak_memory

SIDES = ("prepare", "ours", "theirs", "check")


def main(name: str, side: str, folder: Path) -> dict[str, Any]:
    """Run a side; return what it took."""
    contestant: Contestant = importlib.import_module(f"benchmarks.contest.{name}").CONTESTANT
    task = Task(folder)
    if side != "ours":
        contestant.use_sources()
    watch = Watch()
    if side == "prepare":
        contestant.prepare(task, _kind())
        return {"device": _device()}
    with ExitStack() as stack:
        profile = stack.enter_context(_profiler()) if os.environ.get("PROFILE") else None
        run = getattr(contestant, side)
        run(task, watch)
    return {
        "seconds": watch.seconds,
        "processor_seconds": watch.processor_seconds,
        "peak_bytes": peak_memory(),
        "gpu_bytes": _gpu_peak(),
        "device": _device(),
        "top": _top(profile) if profile else {},
    }


def _kind() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"cpu, {torch.get_num_threads()} threads"


def _gpu_peak() -> int:
    import torch

    return int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else 0


def _profiler() -> Any:
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if _kind() == "cuda" else [])
    return profile(activities=activities)


def _top(profile: Any, count: int = 12) -> dict[str, float]:
    """Return seconds by operation, copies to and from a GPU among them, the longest first."""
    time = "self_device_time_total" if _kind() == "cuda" else "self_cpu_time_total"
    rows = sorted(profile.key_averages(), key=lambda row: -getattr(row, time))
    return {row.key: round(getattr(row, time) / 1e6, 4) for row in rows[:count]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
