"""Propagation against true masks: the built-in engine beside plain baselines, from one keyframe and from three.

J is the overlap (intersection over union) and F the boundary measure (Perazzi et al., CVPR 2016: F1 of contour pixels
within 0.8 % of the diagonal), means over the frames that are no keyframes. `confidence` is the correlation of the
engine's confidence with J over all frames of all clips; `by frame` is J by distance from the first keyframe.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Direction, Image, Mask
from engines.flow.motion import MotionEstimator
from engines.flow.quality import PRESETS
from engines.flow.view import View
from engines.flow_engine import FlowPropagator

SHARED = Path(__file__).resolve().parents[2] / "shared"
FLOORS = {"one keyframe": 0.68, "three keyframes": 0.76}
"""Least mean J of the engine."""
HORIZONS = ((1, 10), (11, 25), (26, 50), (51, 1000))
"""Distances from the first keyframe, in frames, that J is given for apart."""
ENGINE = "flow"

Answer = dict[int, tuple[Mask, float]]
Method = Callable[["Clip", Mapping[int, Mask]], Answer]


@dataclass
class Clip:
    """A clip with a true mask for every frame; a FrameSource."""

    name: str
    frames: list[Image]
    truth: list[Mask]

    @classmethod
    def read_from(cls, folder: Path) -> Clip:
        """Read `frames/` and `masks/` of a folder."""
        frames = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in _images(folder / "frames")]
        # One of the files has a second channel, which only this flag drops.
        truth = [
            np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in _images(folder / "masks")
        ]
        return cls(folder.name, frames, truth)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height)."""
        return self.frames[0].shape[1], self.frames[0].shape[0]

    def read(self, index: int) -> Image:
        """Return a frame."""
        return self.frames[index]

    def keyframes(self, count: str) -> dict[int, Mask]:
        """Return the true masks of the first frame, or of the first, middle and last."""
        last = len(self) - 1
        chosen = [0] if count == "one keyframe" else [0, last // 2, last]
        return {index: self.truth[index] for index in chosen}


@dataclass
class Memory:
    """A MaskHistory in memory."""

    masks: dict[tuple[int, int, bool], Mask] = field(default_factory=dict)

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        """Return a mask or None."""
        return self.masks.get((index, object_id, draft))


def propagate(clip: Clip, keyframes: Mapping[int, Mask], quality: str = "best") -> Answer:
    """Return the engine's masks and confidences."""
    memory, answer = Memory(), Answer()
    prompts = {index: {1: mask} for index, mask in keyframes.items()}
    for step in FlowPropagator(quality).propagate(clip, prompts, 0, len(clip), Direction.BOTH, memory):
        memory.masks[step.index, 1, step.draft] = step.masks[1]
        if not step.draft:
            answer[step.index] = step.masks[1], step.confidence[1]
    return answer


def hold(clip: Clip, keyframes: Mapping[int, Mask]) -> Answer:
    """Return the nearest keyframe's mask for every frame."""
    return {index: (keyframes[_nearest(index, keyframes)], 0.0) for index in range(len(clip)) if index not in keyframes}


def warp(clip: Clip, keyframes: Mapping[int, Mask]) -> Answer:
    """Return the nearest keyframe's mask carried by nothing but the flow."""
    view = View(0, 0, *clip.size, *clip.size)
    answer = Answer()
    with MotionEstimator(PRESETS["best"].flow_side) as estimator:
        for key in keyframes:
            for heading in (1, -1):
                mask, there = keyframes[key], key
                while 0 <= (here := there + heading) < len(clip) and _nearest(here, keyframes) == key:
                    motion = estimator.between(there, clip.read(there), here, clip.read(here))
                    mask, there = view.paste(view.warp(mask, motion), clip.size), here
                    answer[here] = mask, 0.0
    return answer


METHODS: dict[str, Method] = {
    "last mask held": hold,
    "flow warp": warp,
    "flow, fast": lambda clip, keyframes: propagate(clip, keyframes, "fast"),
    ENGINE: propagate,
}


def run(shared: Path = SHARED) -> dict[str, Any]:
    """Return the scores by keyframes and method; {'skipped': reason} where the material is absent."""
    root = shared / "ground_truth" / "segmentation"
    folders = sorted(root.glob("davis-*"))
    if not folders:
        return {"skipped": f"no segmentation material in {root}"}
    scores: dict[str, dict[str, list[dict[str, Any]]]] = {count: {method: [] for method in METHODS} for count in FLOORS}
    for folder in folders:
        clip = Clip.read_from(folder)
        for count, methods in scores.items():
            for method, found in methods.items():
                found.append(_score(clip, METHODS[method], clip.keyframes(count)))
    rows = {count: {name: _summary(each) for name, each in methods.items()} for count, methods in scores.items()}
    passed = {count: rows[count][ENGINE]["J"] >= floor for count, floor in FLOORS.items()}
    return {"rows": rows, "floors": FLOORS, "passed": passed}


def overlap(mask: Mask, truth: Mask) -> float:
    """Return J, 1 where both are empty."""
    one, other = mask > 127, truth > 127
    union = float(np.count_nonzero(one | other))
    return float(np.count_nonzero(one & other)) / union if union else 1.0


def boundary(mask: Mask, truth: Mask) -> float:
    """Return F, 1 where both are empty."""
    contours = [_contour(mask > 127), _contour(truth > 127)]
    if not any(contour.any() for contour in contours):
        return 1.0
    radius = int(np.ceil(0.008 * np.hypot(*mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    shares = []
    for contour, other in (contours, contours[::-1]):
        near = cv2.dilate(other.astype(np.uint8), disc) > 0
        shares.append(float(near[contour].mean()) if contour.any() else 0.0)
    return 2 * shares[0] * shares[1] / max(sum(shares), 1e-9)


def _score(clip: Clip, method: Method, keyframes: Mapping[int, Mask]) -> dict[str, Any]:
    begin = time.perf_counter()
    answer = method(clip, keyframes)
    seconds = time.perf_counter() - begin
    order = sorted(answer)
    return {
        "clip": clip.name,
        "frames": order,
        "J": [overlap(answer[index][0], clip.truth[index]) for index in order],
        "F": [boundary(answer[index][0], clip.truth[index]) for index in order],
        "confidence": [answer[index][1] for index in order],
        "seconds": seconds / len(order),
    }


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the means over clips of their means over frames, and what the confidence is worth."""
    j, sure = (np.concatenate([row[key] for row in rows]) for key in ("J", "confidence"))
    frames = np.concatenate([row["frames"] for row in rows])
    return {
        "J": float(np.mean([np.mean(row["J"]) for row in rows])),
        "F": float(np.mean([np.mean(row["F"]) for row in rows])),
        "clips": {row["clip"].removeprefix("davis-"): float(np.mean(row["J"])) for row in rows},
        "by frame": {
            f"{low}-{high}": float(j[(frames >= low) & (frames <= high)].mean())
            for low, high in HORIZONS
            if ((frames >= low) & (frames <= high)).any()
        },
        "confidence": float(np.corrcoef(j, sure)[0, 1]) if np.ptp(sure) > 0 else None,
        "seconds": float(np.mean([row["seconds"] for row in rows])),
    }


def _contour(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return inside & (cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)


def _nearest(index: int, keyframes: Mapping[int, Mask]) -> int:
    return min(keyframes, key=lambda key: abs(key - index))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".png"})


def lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the results as a table for people."""
    if "skipped" in results:
        yield f"propagation: skipped, {results['skipped']}"
        return
    for count, methods in results["rows"].items():
        clips = next(iter(methods.values()))["clips"]
        yield f"{count:16}     J     F" + "".join(f"{clip[:9]:>10}" for clip in clips) + "   conf. ms/frame"
        for name, row in methods.items():
            sure = "    -" if row["confidence"] is None else f"{row['confidence']:5.2f}"
            means = "".join(f"{value:10.3f}" for value in row["clips"].values())
            yield f"  {name:14} {row['J']:.3f} {row['F']:.3f}{means}   {sure} {row['seconds'] * 1e3:8.0f}"
        verdict = "reached" if results["passed"][count] else "MISSED"
        horizons = ", ".join(f"{frames}: {value:.3f}" for frames, value in methods[ENGINE]["by frame"].items())
        yield f"  floor {results['floors'][count]:.2f} {verdict}; J of {ENGINE} by frame {horizons}"


if __name__ == "__main__":
    answer = run()
    sys.stdout.write("\n".join([json.dumps(answer, indent=2)] if "--json" in sys.argv else list(lines(answer))) + "\n")
