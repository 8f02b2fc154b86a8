"""A fraction of a second of the pipeline's kinds of work: how fast this machine is before it has run anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np

REFERENCE = 0.0052
"""Seconds of a round on the reference machine."""
_ROUNDS = 8
_SIZE = (320, 180)


@cache
def calibrate() -> float:
    """Return how many seconds this machine takes for what the reference machine does in one; takes about 0.1 s."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (_SIZE[1], _SIZE[0], 3), np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 2)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    floats = picture.astype(np.float32)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # As in a run: decoding, computing and encoding go on side by side.
    jobs: list[Callable[[], object]] = [
        lambda: dis.calc(grey, np.roll(grey, 3, axis=1), None),
        lambda: [cv2.blur(floats, (15, 15)) for _ in range(8)],
        lambda: [cv2.imencode(".jpg", picture) for _ in range(4)],
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:
        seconds = [_clocked(pool, jobs) for _ in range(_ROUNDS)]
    return min(seconds) / REFERENCE  # the best: whatever else runs now is not the machine's fault


def _clocked(pool: ThreadPoolExecutor, jobs: list[Callable[[], object]]) -> float:
    begin = time.perf_counter()
    for future in [pool.submit(job) for job in jobs]:
        future.result()
    return time.perf_counter() - begin
