"""Neural engines: our whole job against their authors' own scripts, from file to files, under the same random weights.

`speed` is their seconds over ours, `processor` the same of processor time, above 1 where ours is better: from the video
file to masks (SAM) or to alpha (matters), weights loaded on the way; what it takes to import libraries is given apart
as `start`. The difference is the largest between the results, 0..1, of the same pixels and the same noise. Each side is
run in a process of its own, in turns; the best round counts.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest.files import write_masks
from benchmarks.contest.task import Contestant, Task
from benchmarks.estimate import DEMO, demo_clip

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("sam2", "matanyone", "videomama")
ROUNDS = 2
GOAL = 1.3
"""The speed that the whole job is to reach on the CPU."""


def run(only: Sequence[str] = (), *, quick: bool = False, profile: bool = False) -> dict[str, Any]:
    """Run the contests.

    Args:
        only: names of contestants; all of them if there are none.
        quick: few small frames, one round.
        profile: one more run of each side, for what its time goes into; it is not part of the figures.

    Returns:
        by contestant the figures, or {'skipped': what to install}.
    """
    rows = {}
    for name in only or NAMES:
        contestant: Contestant = importlib.import_module(f"benchmarks.contest.{name}").CONTESTANT
        reason = contestant.missing()
        rows[name] = {"title": contestant.title, "skipped": reason} if reason else _contest(contestant, quick, profile)
    return rows


def _contest(contestant: Contestant, quick: bool, profile: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        task = Task(Path(name))
        device = _call(contestant, "prepare", task)["device"]
        *size, frames = contestant.sizes["quick" if quick else "cpu" if device.startswith("cpu") else "cuda"]
        demo_clip(task.clip, (size[0], size[1]), frames)
        write_masks(DEMO / "alpha.mp4", task.masks, (size[0], size[1]), frames)
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "theirs": []}
        for _ in range(1 if quick else ROUNDS):
            for side, made in runs.items():
                made.append(_call(contestant, side, task))
        if contestant.check is not None:
            _call(contestant, "check", task)
        row = _row(contestant, task, runs) | {"device": device, "size": size, "frames": frames}
        if profile:
            row["profile"] = {side: _call(contestant, side, task, profile=True)["top"] for side in runs}
    return row


def _call(contestant: Contestant, side: str, task: Task, *, profile: bool = False) -> dict[str, Any]:
    """Run a side in a process of its own, its earlier files cleared away."""
    shutil.rmtree(task.folder / side, ignore_errors=True)
    environment = {**os.environ, "SPLAZMATTE_MODELS_DIR": str(task.models), "PROFILE": "1" if profile else ""}
    command = [sys.executable, "-m", "benchmarks.contest.one", contestant.name, side, str(task.folder)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{contestant.name}, {side}: {result.stderr.strip()[-3000:]}")
    answer: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return answer


def _row(contestant: Contestant, task: Task, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    best = {side: min(made, key=_job_seconds) for side, made in runs.items()}
    ours = contestant.results(task, "ours")
    reference = contestant.results(task, "theirs" if contestant.check is None else "check")
    apart = max(float(np.abs(ours[index] - reference[index]).max()) for index in reference)
    theirs = contestant.results(task, "theirs")
    agree = np.mean([np.mean((ours[i] > 0.5) == (theirs[i] > 0.5)) for i in theirs])
    return {
        "title": contestant.title,
        **best,
        "job_seconds": {side: _job_seconds(made) for side, made in best.items()},
        "speed": _job_seconds(best["theirs"]) / _job_seconds(best["ours"]),
        "processor": best["theirs"]["processor_seconds"] / best["ours"]["processor_seconds"],
        "difference": apart,
        "equal": apart <= contestant.tolerance,
        "agreement": float(agree),
    }


def _job_seconds(made: dict[str, Any]) -> float:
    return float(sum(seconds for part, seconds in made["seconds"].items() if part != "start"))


def lines(rows: dict[str, Any]) -> list[str]:
    """Return the table, and under each row where the time goes."""
    heads = ("frames", "ours, s", "theirs, s", "speed", "processor", "memory, MB", "difference")
    out = [_line("", heads)]
    for row in rows.values():
        if "skipped" in row:
            out.append(f"  {row['title']:<14}skipped: {row['skipped']}")
            continue
        seconds = row["job_seconds"]
        cells = (
            f"{row['frames']} {row['size'][0]}x{row['size'][1]}",
            f"{seconds['ours']:.1f}",
            f"{seconds['theirs']:.1f}",
            f"{row['speed']:.2f}",
            f"{row['processor']:.2f}",
            " / ".join(f"{_memory(row[side]) / 1e6:.0f}" for side in ("ours", "theirs")),
            f"{row['difference']:.4f}" + ("" if row["equal"] else " NOT EQUAL"),
        )
        out.append(_line(row["title"], cells))
        out += [f"    {side:<8}{_parts(row[side]['seconds'])}" for side in ("ours", "theirs")]
        out += [f"    {side} spends on {_parts(top)}" for side, top in row.get("profile", {}).items()]
        out.append(f"    on {row['device']}; goal {GOAL}; in or out alike on {row['agreement']:.2%} of the pixels")
    return out


def _line(title: str, cells: Sequence[str]) -> str:
    widths = (16, 10, 11, 8, 11, 14, 12)
    return f"  {title:<14}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _memory(made: dict[str, Any]) -> float:
    """Return the GPU's peak where there is one, else the process's."""
    return float(made["gpu_bytes"] or made["peak_bytes"])


def _parts(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in seconds.items() if value >= 0.005)
