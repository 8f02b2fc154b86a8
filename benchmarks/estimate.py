"""The estimate before a run against what the run takes: memory, disk and time, at several sizes.

Each run has a process of its own, so that its peak of memory is its own. The first is made in a workspace that knows
nothing of this machine but the calibration; the others know what the runs before them took.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import psutil

from matting_runner import RunResult, add_mask, create_session, load_info, run_matting
from queue_logic.job import Needs
from session_store import SessionStore
from tracking_runner import TrackingResult, run_tracking
from tracking_runner import create_session as create_tracking_session
from tracking_runner.queries import grid
from tracking_session_store import TrackingSessionStore

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "assets" / "demo"
SIZES = ((854, 480), (1280, 720), (1920, 1080), (3840, 2160))
FRAMES = 60
GRID = 20
"""Points along the longer side of what a tracking session follows."""
FORMATS = (("alpha", "foreground"), ("prores", "webm", "exr"))


def run(sizes: Sequence[tuple[int, int]] = SIZES, frames: int = FRAMES) -> dict[str, Any]:
    """Measure each size with each group of formats.

    Returns:
        {size and formats: {memory, disk, seconds: estimated, taken and the error, above 0 where too much was told}}.
    """
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for formats in FORMATS:
            for size in sizes:
                clip = demo_clip(folder / "clip.mp4", size, frames)
                key = f"{size[0]}x{size[1]} {','.join(formats)}"
                rows[key] = measure(folder / "workspace", clip, formats)
        for size in sizes:
            clip = demo_clip(folder / "clip.mp4", size, frames)
            rows[f"{size[0]}x{size[1]} tracking"] = measure_tracking(folder / "workspace", clip)
    return rows


def demo_clip(path: Path, size: tuple[int, int], frames: int) -> Path:
    """Write the demo clip's first frames at another size; its mask of frame 0 beside it, as a PNG."""
    with av.open(str(DEMO / "clip.mp4")) as source, av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=Fraction(24000, 1001), options={"preset": "veryfast", "crf": "18"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        for _, frame in zip(range(frames), source.decode(video=0), strict=False):
            picture = cv2.resize(frame.to_ndarray(format="rgb24"), size, interpolation=cv2.INTER_CUBIC)
            target.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(video.encode(None))
    mask = cv2.imread(str(DEMO / "mask_000000.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(path.with_suffix(".png")), cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR))
    return path


def measure(workspace: Path, clip: Path, formats: Sequence[str]) -> dict[str, dict[str, float]]:
    """Run a session of `clip`, whose mask of frame 0 lies beside it, in a process of its own."""
    session = create_session(SessionStore(workspace / "sessions"), clip)
    add_mask(session, session.add_object(), 0, clip.with_suffix(".png"), load_info(session))
    session.state.formats = list(formats)
    session.save()
    return _measured(session.folder)


def measure_tracking(workspace: Path, clip: Path) -> dict[str, dict[str, float]]:
    """Run a tracking session of `clip` with a grid of points in a process of its own."""
    session = create_tracking_session(TrackingSessionStore(workspace / "tracking_sessions"), clip)
    info = load_info(session)
    for x, y in grid((-0.5, -0.5, info.width - 0.5, info.height - 0.5), GRID):
        session.add_point(0, x, y)
    session.state.formats = ["video", "csv", "nuke"]
    session.save()
    return _measured(session.folder)


def _measured(folder: Path) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-m", "benchmarks.estimate", str(folder)]
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, dict[str, float]] = json.loads(result.stdout)
    return answer


def _run_one(folder: Path) -> dict[str, dict[str, float]]:
    """Run the session in `folder` here, and compare."""
    told: list[Needs] = []
    workspace = folder.parents[1]
    before = _disk_used(workspace)
    result: RunResult | TrackingResult
    if folder.parent.name == "tracking_sessions":
        tracking = TrackingSessionStore(folder.parent).open(folder.name)
        result = run_tracking(tracking, on_needs=told.append, check=False)
    else:
        result = run_matting(SessionStore(folder.parent).open(folder.name), on_needs=told.append, check=False)
    taken = {
        "memory": (told[0].memory_bytes, peak_memory()),
        "disk": (told[0].disk_bytes, _disk_used(workspace) - before),
        "seconds": (told[0].seconds, sum(result.seconds.values())),
    }
    return {
        name: {"estimated": estimated, "taken": actual, "error": estimated / actual - 1}
        for name, (estimated, actual) in taken.items()
    }


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held so far."""
    if platform.system() == "Linux":  # getrusage would count the process that this one was forked from
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    if platform.system() == "Windows":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def _disk_used(folder: Path) -> int:
    """Return what a folder's files take on the disk, in whole blocks where the system tells."""
    stats = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(getattr(stat, "st_blocks", -(-stat.st_size // 4096) * 8) * 512 for stat in stats)


def lines(rows: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return the table: estimated, taken, error."""
    out = [f"  {'':<34}{'memory, MB':>22}{'disk, MB':>22}{'time, s':>22}"]
    for key, row in rows.items():
        cells = [_cell(row["memory"], 1e6), _cell(row["disk"], 1e6), _cell(row["seconds"], 1)]
        out.append(f"  {key:<34}" + "".join(f"{cell:>22}" for cell in cells))
    return out


def _cell(entry: dict[str, float], unit: float) -> str:
    return f"{entry['estimated'] / unit:.0f} / {entry['taken'] / unit:.0f} {entry['error']:+5.0%}"


if __name__ == "__main__":
    print(json.dumps(_run_one(Path(sys.argv[1]))))
