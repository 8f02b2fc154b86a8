"""Simulated clicks and boxes against ground truth: how good is the built-in segmenter's mask, and how soon?

The next click lies in the middle (the distance transform's maximum) of the largest region that is wrong: positive
where the object was missed, negative where the mask leaked; the usual protocol (Xu et al., CVPR 2016; Sofiiuk et al.,
2022). A box is the truth's bounding box. 'davis' are three frames of each DAVIS clip; 'mixed' adds stills with a true
alpha (over one half is object) and frames of the composites. The plain baselines are OpenCV's grabCut on the whole
frame, started by a disc around the click or by the box.

    python -m benchmarks.clicks [--json FILE]
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Box, Image, ImageSegmenter, Point, Prompts
from engines.registry import create
from engines.spec import Job

TRUTH = Path(__file__).resolve().parents[2] / "shared" / "ground_truth"
CLIP_PARTS = (0.1, 0.5, 0.9)
COMPOSITE_PARTS = (0.25, 0.75)
CLICKS = 8
REPORTED = (1, 3, 5, 8)
BARS = {
    "mixed": {"1": 0.68, "3": 0.80, "5": 0.84, "8": 0.87, "box": 0.81},
    "davis": {"1": 0.58, "3": 0.72, "5": 0.78, "8": 0.82, "box": 0.65},
}
Region = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with the truth about its object."""

    name: str
    davis: bool
    image: Image
    truth: Region


def samples(root: Path = TRUTH) -> Iterator[Sample]:
    """Yield the benchmark's images, always the same ones."""
    for clip in sorted((root / "segmentation").glob("davis-*")):
        for frame in _spread(clip / "frames", CLIP_PARTS):
            yield _sample(f"{clip.name}/{frame.stem}", frame, clip / "masks", davis=True)
    stills = root / "matting" / "alphamatting27"
    for image in sorted((stills / "image").glob("*.png")):
        yield _sample(image.stem, image, stills / "alpha", davis=False)
    for clip in sorted((root / "matting").glob("*_composite")):
        for frame in _spread(clip / "frames", COMPOSITE_PARTS):
            yield _sample(f"{clip.name}/{frame.stem}", frame, clip / "alpha", davis=False)


def _spread(folder: Path, parts: tuple[float, ...]) -> list[Path]:
    frames = sorted(folder.iterdir())
    return [frames[int(part * len(frames))] for part in parts]


def _sample(name: str, image: Path, truths: Path, *, davis: bool) -> Sample:
    rgb = _read(image, cv2.IMREAD_COLOR)[..., ::-1]
    alpha = _read(next(truths.glob(f"{image.stem}.*")), cv2.IMREAD_UNCHANGED)
    # One DAVIS file has two channels; alphas of stills have three equal ones.
    truth = (alpha if alpha.ndim == 2 else alpha[..., 0]) > 127
    return Sample(name, davis, np.ascontiguousarray(rgb), truth)


def _read(path: Path, flags: int) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), flags)
    if pixels is None:
        raise FileNotFoundError(path)
    return np.asarray(pixels, np.uint8)


def iou(a: Region, b: Region) -> float:
    """Return intersection over union."""
    return int(np.count_nonzero(a & b)) / max(1, int(np.count_nonzero(a | b)))


def next_click(truth: Region, mask: Region) -> Point | None:
    """Return the middle of the largest region that is wrong, or None if nothing is."""
    best: tuple[int, Region, bool] | None = None
    for wrong, positive in ((truth & ~mask, True), (mask & ~truth, False)):
        # The image's edge counts as an edge of the region.
        _, labels, stats, _ = cv2.connectedComponentsWithStats(np.pad(wrong, 1).astype(np.uint8), connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        if len(areas) and (best is None or areas.max() > best[0]):
            best = int(areas.max()), np.asarray(labels == 1 + areas.argmax()), positive
    if best is None:
        return None
    depth = cv2.distanceTransform(best[1].astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return Point(float(x - 1), float(y - 1), best[2])


def truth_box(truth: Region) -> Box:
    """Return the truth's bounding box, corners inclusive."""
    x, y, w, h = cv2.boundingRect(truth.astype(np.uint8))
    return Box(float(x), float(y), float(x + w - 1), float(y + h - 1))


class PlainGrabCut:
    """The baseline: cv2.grabCut on the whole frame, from discs around the clicks or from the box."""

    def set_image(self, rgb: Image) -> None:
        """Take the image at a long side of 320 pixels."""
        scale = min(1.0, 320 / max(rgb.shape[:2]))
        self._size = rgb.shape[1], rgb.shape[0]
        self._scale = scale
        self._image = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    def predict(self, prompts: Prompts) -> Region:
        """Return the mask of all prompts at once; later discs are painted over earlier ones."""
        labels = np.full(self._image.shape[:2], cv2.GC_PR_BGD, np.uint8)
        if prompts.box is not None:
            box = prompts.box
            x0, y0, x1, y1 = (round(v * self._scale) for v in (box.x0, box.y0, box.x1, box.y1))
            labels[:] = cv2.GC_BGD
            labels[y0 : y1 + 1, x0 : x1 + 1] = cv2.GC_PR_FGD
        for radius, sure in ((0.1 * max(labels.shape), False), (3.0, True)):
            for point in prompts.points:
                value = (0 if sure else 2) + int(point.positive)
                at = round(point.x * self._scale), round(point.y * self._scale)
                cv2.circle(labels, at, round(radius), value, -1)
        cv2.setRNGSeed(0)
        if len(np.unique(labels & 1)) == 2:
            cv2.grabCut(self._image, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
        return np.asarray(cv2.resize((labels & 1) * np.float32(1), self._size) > 0.5)


Predict = Callable[[Prompts], Region]


def simulate(sample: Sample, predict: Predict, clicks: int = CLICKS) -> tuple[list[float], list[float]]:
    """Return the IoU and the seconds (wall clock) after each of `clicks` simulated clicks."""
    mask = np.zeros_like(sample.truth)
    points: tuple[Point, ...] = ()
    ious: list[float] = []
    seconds: list[float] = []
    for _ in range(clicks):
        click = next_click(sample.truth, mask)
        if click is not None:
            points += (click,)
            start = time.perf_counter()
            mask = predict(Prompts(points=points))
            seconds.append(time.perf_counter() - start)
        ious.append(iou(mask, sample.truth))
    return ious, seconds


def measure(name: str, segmenter: Any, predict: Predict, images: list[Sample]) -> dict[str, Any]:
    """Return a segmenter's row: mean IoU by number of clicks and for a box, on both sets, and its times."""
    ious: list[dict[str, float]] = []
    first: list[float] = []
    later: list[float] = []
    for sample in images:
        start = time.perf_counter()
        segmenter.set_image(sample.image)
        taken = time.perf_counter() - start
        after, seconds = simulate(sample, predict)
        first.append(taken + seconds[0])
        later += seconds[1:]
        row = {str(n): after[n - 1] for n in REPORTED}
        row["box"] = iou(predict(Prompts(box=truth_box(sample.truth))), sample.truth)
        ious.append(row)
    sets = {"mixed": ious, "davis": [row for row, sample in zip(ious, images, strict=True) if sample.davis]}
    return {
        "name": name,
        **{key: {n: float(np.mean([r[n] for r in rows])) for n in BARS[key]} for key, rows in sets.items()},
        "first_ms": 1e3 * float(np.mean(first)),
        "later_ms": 1e3 * float(np.mean(later)),
        "images": {sample.name: row for sample, row in zip(images, ious, strict=True)},
    }


def run(root: Path = TRUTH) -> dict[str, Any]:
    """Return {"rows": a row per method, the bars last}; the times of a row are comparable within one run only."""
    images = list(samples(root))
    plain = PlainGrabCut()
    ours: ImageSegmenter = create(Job.SEGMENTER, "grabcut")
    rows = [
        measure("plain cv2", plain, plain.predict, images),
        measure("grabcut", ours, lambda prompts: ours.predict(prompts)[0].mask, images),
        {"name": "bar", **BARS, "first_ms": 400.0, "later_ms": 150.0},
    ]
    return {"rows": rows}


def lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of a `run`: mean IoU, 'mixed / davis' per column."""
    columns = [str(n) for n in REPORTED]
    yield "Clicks to mask: mean IoU, mixed / davis"
    yield (
        f"{'method':<12}"
        + "".join(f"{f'{n} clicks':>15}" for n in columns)
        + f"{'box':>15}{'first ms':>10}{'later ms':>10}"
    )
    for row in results["rows"]:
        cells = [f"{row['mixed'][n]:.3f} / {row['davis'][n]:.3f}" for n in (*columns, "box")]
        times = f"{row['first_ms']:>10.0f}{row['later_ms']:>10.0f}"
        yield f"{row['name']:<12}" + "".join(f"{cell:>15}" for cell in cells) + times
