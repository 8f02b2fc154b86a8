"""Point tracking against exact truth and real animals' joints, beside what anybody would try first.

AJ, delta and OA are TAP-Vid's (Doersch et al., NeurIPS 2022), from the first frame on which each point is seen, in
percent of the clips of `tracking_material`. PCK is the share of the joints of BADJA (Biggs et al., ACCV 2018) that lie
within 0.2 of the animal's size; its clips are in ../shared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.propagation import Clip
from benchmarks.tracking_material import make_clips
from benchmarks.tracking_metrics import correct_keypoints, follow, tapvid
from benchmarks.tracking_peers import Chained, dense_flow, lucas_kanade
from engines.base import PointTracker
from engines.klt_engine import KltTracker
from engines.registry import create, engines, obstacle
from engines.spec import Job

SHARED = Path(__file__).resolve().parents[2] / "shared"
ENGINE = "klt"
FLOORS = {"aj": 0.76, "delta": 0.84, "oa": 0.91}
"""Least means of the built-in tracker; beyond them it has to have a higher AJ than the peers on every clip."""
SPEED = (1280, 720)
"""Size of the clip that frames a second are counted on, with 256 points."""


def trackers() -> dict[str, PointTracker]:
    """Return the trackers: the peers, the built-in one, and neural ones that can run here."""
    found: dict[str, PointTracker] = {
        "Lucas-Kanade": Chained(lucas_kanade), "DIS flow": Chained(dense_flow), ENGINE: KltTracker()
    }  # fmt: skip
    others = [spec.name for spec in engines(Job.TRACKER) if spec.name != ENGINE and not obstacle(spec)]
    return found | {name: create(Job.TRACKER, name) for name in others}


def run(shared: Path = SHARED) -> dict[str, Any]:
    """Return the scores by method and clip, their means, frames a second and PCK where its clips are."""
    clips, methods = make_clips(), trackers()
    rows: dict[str, Any] = {}
    large = make_clips(frames=24, size=SPEED, names=("turn",))[0]
    for name, tracker in methods.items():
        scores = {clip.name: tapvid(clip, *follow(tracker, clip, clip.queries)[:2]) for clip in clips}
        mean = {key: float(np.mean([score[key] for score in scores.values()])) for key in FLOORS}
        seconds = follow(tracker, large, large.queries)[2]
        rows[name] = {"clips": scores, "mean": mean, "fps": len(large) / seconds, "pck": joints(tracker, shared)}
    ours = rows[ENGINE]
    ahead = {
        clip: all(ours["clips"][clip]["aj"] > rows[peer]["clips"][clip]["aj"] for peer in ("Lucas-Kanade", "DIS flow"))
        for clip in ours["clips"]
    }
    passed = all(ahead.values()) and all(ours["mean"][key] >= floor for key, floor in FLOORS.items())
    return {"rows": rows, "floors": FLOORS, "ahead": ahead, "passed": passed}


def joints(tracker: PointTracker, shared: Path = SHARED) -> dict[str, float]:
    """Return PCK of the animals whose joints are known; none where the material is absent."""
    return {
        path.stem: _animal(tracker, path, shared) for path in sorted(shared.glob("ground_truth/tracks/badja/*.json"))
    }


def _animal(tracker: PointTracker, path: Path, shared: Path) -> float:
    told = json.loads(path.read_text())
    clip = Clip.read_from(shared / "ground_truth" / "segmentation" / f"davis-{path.stem}")
    truth = np.full((len(clip), len(told["points"]), 2), np.nan)
    for column, point in enumerate(told["points"]):
        for frame, xy in zip(told["frames"], point["xy"], strict=True):
            if xy is not None:
                truth[frame, column] = xy
    truth = truth[:, np.isfinite(truth).all(axis=2).any(axis=0)]
    known = np.isfinite(truth).all(axis=2)
    first = known.argmax(axis=0)
    queries = np.concatenate([first[:, None], truth[first, np.arange(len(first))]], axis=1).astype(np.float32)
    counted = known & (np.arange(len(clip))[:, None] > first)
    size = np.sqrt([float(np.count_nonzero(mask > 127)) for mask in clip.truth])
    return correct_keypoints(follow(tracker, clip, queries)[0], truth, counted, size)


def lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the results as a table for people."""
    rows = results["rows"]
    clips = [*rows[ENGINE]["clips"], "mean"]
    animals = list(rows[ENGINE]["pck"])
    yield (
        f"{'AJ/delta/OA':14}"
        + "".join(f"{clip:>13}" for clip in clips)
        + "   fps"
        + "".join(f"{'PCK ' + animal:>10}" for animal in animals)
    )
    for name, row in rows.items():
        cells = [row["mean"] if clip == "mean" else row["clips"][clip] for clip in clips]
        text = "".join(f"{'/'.join(f'{100 * cell[key]:.0f}' for key in FLOORS):>13}" for cell in cells)
        pck = "".join(f"{100 * row['pck'][animal]:10.0f}" for animal in animals)
        yield f"  {name:12}{text} {row['fps']:5.1f}{pck}"
    floors = ", ".join(f"{key} {100 * value:.0f}" for key, value in results["floors"].items())
    yield f"  {ENGINE} {'reached' if results['passed'] else 'MISSED'} its floors: {floors}, and ahead on every clip"


if __name__ == "__main__":
    cv2.setNumThreads(2)
    answer = run()
    sys.stdout.write("\n".join([json.dumps(answer, indent=2)] if "--json" in sys.argv else list(lines(answer))) + "\n")
