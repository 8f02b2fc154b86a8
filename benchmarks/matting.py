"""Matting against true alpha: the built-in engine beside plain baselines, for exact, degraded and tracker-like masks.

Errors are taken in the scored region only (a still's narrow trimap, 20 px around a video's edges): SAD in thousands,
MSE times 1000, Grad (Rhemann et al., CVPR 2009; Gaussian derivatives of 1.4 px) in thousands, dtSSD times 100 (Erofeev
et al., BMVC 2015). Foreground errors are MSE times 1000 where alpha is between 0.05 and 0.98, at the true alpha.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.matting_material import VIDEOS, Shot, composite, degraded, exact, stills, trackerlike, video
from engines.foreground import estimate_foreground
from engines.guided_engine import GuidedMatter

Floats = NDArray[np.float32]
Matter = Callable[[NDArray[np.uint8], NDArray[np.uint8], float], Floats]

SHARED = Path(__file__).resolve().parents[2] / "shared"
MASKS: dict[str, Callable[..., NDArray[np.uint8]]] = {
    "exact": lambda alpha, *_: exact(alpha),
    "degraded": degraded,
    "tracker-like": trackerlike,
}
TRACKED = 0.6
"""The confidence that masks other than exact ones come with."""


def _unit(image: NDArray[np.uint8]) -> Floats:
    return np.divide(image, 255, dtype=np.float32)


def _guided_filter_alone(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], _confidence: float) -> Floats:
    alpha = cv2.ximgproc.guidedFilter(rgb, _unit(mask), 8, 1e-4 * 255**2)
    return np.clip(alpha, 0, 1)


METHODS: dict[str, Matter] = {
    "binary mask": lambda _rgb, mask, _confidence: _unit(mask),
    "blurred mask": lambda _rgb, mask, _confidence: cv2.GaussianBlur(_unit(mask), (0, 0), 3),
    "guided filter alone": _guided_filter_alone,
    "guided": GuidedMatter().alpha,
}


def run(shared: Path = SHARED) -> dict[str, Any]:
    """Return every error and time by method and mask; {'skipped': reason} where the material is absent."""
    root = shared / "ground_truth" / "matting"
    if not root.is_dir():
        return {"skipped": f"no matting material in {root}"}
    pictures = list(stills(root))
    return {
        "stills": {kind: _stills(pictures, kind) for kind in MASKS},
        "videos": {name: {kind: _video(root, name, kind) for kind in MASKS} for name in VIDEOS},
        "foreground": _foreground(pictures),
        "seconds": {f"{height}p": _seconds(pictures[0], height) for height in (720, 1080)},
    }


def errors(alpha: Floats, shot: Shot) -> dict[str, float]:
    """Return SAD, MSE and Grad of one picture."""
    difference = (alpha - shot.alpha)[shot.scored]
    slope = (_gradient(alpha) - _gradient(shot.alpha))[shot.scored]
    return {
        "SAD": float(np.abs(difference).sum() / 1e3),
        "MSE": float((difference**2).mean() * 1e3),
        "Grad": float((slope**2).sum() / 1e3),
    }


def _stills(pictures: list[Shot], kind: str) -> dict[str, dict[str, float]]:
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    for seed, shot in enumerate(pictures):
        mask = MASKS[kind](shot.alpha, seed)
        for name, matter in METHODS.items():
            rows[name].append(errors(matter(shot.rgb, mask, _confidence(kind)), shot))
    return {name: _mean(row) for name, row in rows.items()}


def _video(root: Path, name: str, kind: str) -> dict[str, dict[str, float]]:
    rows: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
    before: dict[str, Floats] = {}
    for index, shot in enumerate(video(root, name)):
        mask = MASKS[kind](shot.alpha, 7, index)
        for method, matter in METHODS.items():
            alpha = matter(shot.rgb, mask, _confidence(kind))
            row = errors(alpha, shot)
            wrong = alpha - shot.alpha
            if method in before:
                row["dtSSD"] = float(np.sqrt(((wrong - before[method])[shot.scored] ** 2).mean()) * 100)
            before[method] = wrong
            rows[method].append(row)
    return {method: _mean(row) for method, row in rows.items()}


def _foreground(pictures: list[Shot]) -> dict[str, float]:
    methods: dict[str, Callable[[Floats, Floats], Floats]] = {
        "source as it is": lambda rgb, _alpha: rgb,
        "blur-fusion": estimate_foreground,
    }
    if importlib.util.find_spec("pymatting"):
        from pymatting import estimate_foreground_ml

        methods["PyMatting multi-level"] = estimate_foreground_ml
    sums: dict[str, list[float]] = {name: [] for name in methods}
    for shot, other in zip(pictures, pictures[5:] + pictures[:5], strict=True):
        rgb, truth = composite(shot, other.rgb)
        soft = (shot.alpha > 0.05) & (shot.alpha < 0.98)
        for name, method in methods.items():
            sums[name].append(float(((method(rgb, shot.alpha) - truth)[soft] ** 2).mean() * 1e3))
    return {name: float(np.mean(values)) for name, values in sums.items()}


def _seconds(shot: Shot, height: int) -> dict[str, float]:
    """Return the best of five times, for a still scaled to a 16:9 frame; the floor is the plain guided filter."""
    rgb = cv2.resize(shot.rgb, (height * 16 // 9, height), interpolation=cv2.INTER_CUBIC)
    mask = exact(cv2.resize(shot.alpha, (height * 16 // 9, height), interpolation=cv2.INTER_LINEAR))
    alpha, picture = METHODS["guided"](rgb, mask, 1), _unit(rgb)
    return {
        "guided filter alone": _best(lambda: _guided_filter_alone(rgb, mask, 1)),
        "alpha": _best(lambda: METHODS["guided"](rgb, mask, 1)),
        "foreground": _best(lambda: estimate_foreground(picture, alpha)),
    }


def _best(job: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    return min(times)


def _gradient(alpha: Floats) -> NDArray[np.float64]:
    sigma = 1.4
    x = np.arange(-5, 6)
    bell = np.exp(-(x**2) / (2 * sigma**2))
    slope = -x * bell
    size = np.sqrt((slope**2).sum() * (bell**2).sum())
    across = cv2.sepFilter2D(alpha, cv2.CV_64F, slope / size, bell, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(alpha, cv2.CV_64F, bell, slope / size, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)


def _confidence(kind: str) -> float:
    return 1.0 if kind == "exact" else TRACKED


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows if key in row])) for key in rows[-1]}


def lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the results as a table for people."""
    if "skipped" in results:
        yield f"matting: skipped, {results['skipped']}"
        return
    groups = {f"stills, {kind} masks": rows for kind, rows in results["stills"].items()}
    for name, kinds in results["videos"].items():
        groups |= {f"{name}, {kind} masks": rows for kind, rows in kinds.items()}
    for title, rows in groups.items():
        yield title
        for method, row in rows.items():
            yield f"  {method:22}" + "".join(f"{key:>7} {value:6.2f}" for key, value in row.items())
    yield "foreground colours, MSE"
    yield from (f"  {method:22}{value:14.2f}" for method, value in results["foreground"].items())
    for size, row in results["seconds"].items():
        floor = row["guided filter alone"]
        yield f"time at {size}"
        yield from (f"  {job:22}{value * 1e3:9.1f} ms  x{value / floor:.2f}" for job, value in row.items())


if __name__ == "__main__":
    answer = run()
    sys.stdout.write("\n".join([json.dumps(answer, indent=2)] if "--json" in sys.argv else list(lines(answer))) + "\n")
