"""Reading the network's memory in parts, where the comparison of all places with all others would not fit.

The authors' code compares each place of a picture with each place of the five pictures in memory, as one matrix, of
which it has four at once: over 5 GB for a frame of 1080p, and sixteen times that for one of 2160p. It then uses the 30
best of each column. Here, large pictures are compared in parts of which only the best are kept; the formula is that of
Cheng and Schwing, "XMem" (2022), appendix A. What a device has room for is left to the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

PART_BYTES = 32 << 20
"""Size of a matrix up to which it is made whole, and of the parts of larger ones, on the CPU."""
GPU_PARTS = 16
"""The same on a GPU: this part of its memory. There, small parts took more than twice the time of a whole matrix."""


def part_bytes(device: Any) -> int:
    """Return the size of a matrix up to which it is made whole on a torch.device: the same whatever else runs there."""
    if device.type != "cuda":
        return PART_BYTES
    return max(PART_BYTES, int(torch.cuda.get_device_properties(device).total_memory) // GPU_PARTS)


@dataclass(frozen=True, eq=False)
class Matches:
    """The best places in memory for each place of the picture, int64 [places, K], and how much each counts."""

    best: Any
    weights: Any

    def read(self, values: Any) -> Any:
        """Return float [1, objects, C, places] from what is in memory, float [1, objects, C, N]."""
        _, objects, channels, _ = values.shape
        rows = values[0].flatten(0, 1).T.contiguous()
        step = max(1, part_bytes(values.device) // (self.best.shape[1] * rows.shape[1] * 4))
        parts = zip(self.best.split(step), self.weights.split(step), strict=True)
        read = torch.cat([torch.bmm(weights[:, None], rows[best])[:, 0] for best, weights in parts])
        return read.T.reshape(1, objects, channels, -1)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is to be compared: keys [C, N] and shrinkage [1, N] of the memory, keys and selection [C, places]."""

    keys: Any
    shrinkage: Any
    asked: Any
    selection: Any

    def matches(self, count: int) -> Matches:
        """Return the `count` most similar places in memory for each place of the picture."""
        memory = torch.cat([self.keys**2, self.keys]).T
        scale = self.shrinkage.T / math.sqrt(self.keys.shape[0])
        step = max(1, part_bytes(memory.device) // (memory.shape[0] * 4))
        found = []
        for asked, selection in zip(self.asked.split(step, 1), self.selection.split(step, 1), strict=True):
            similarity = memory @ torch.cat([-selection, 2 * asked * selection])
            similarity = (similarity - (selection * asked**2).sum(0)) * scale
            found.append(torch.topk(similarity, count, dim=0))
        best = torch.cat([each.indices for each in found], 1).T
        values = torch.cat([each.values for each in found], 1).T
        return Matches(best, torch.softmax(values.float(), 1))


@contextmanager
def reading_in_parts() -> Iterator[None]:
    """Have the authors' code read its memory in parts within the block, where the picture is large."""
    from matanyone.inference import memory_manager as theirs

    manager = theirs.MemoryManager
    compare, weigh, read = theirs.get_similarity, theirs.do_softmax, manager._readout

    def get_similarity(keys: Any, shrinkage: Any, asked: Any, selection: Any, **options: Any) -> Any:
        if keys.shape[-1] * asked.shape[-1] * 4 <= part_bytes(keys.device):
            return compare(keys, shrinkage, asked, selection, **options)
        return Comparison(keys[0], shrinkage[0], asked[0], selection[0])

    def do_softmax(similarity: Any, top_k: int, **options: Any) -> Any:
        whole = not isinstance(similarity, Comparison)
        return weigh(similarity, top_k, **options) if whole else similarity.matches(top_k)

    def readout(self: Any, affinity: Any, values: Any, *rest: Any) -> Any:
        return affinity.read(values) if isinstance(affinity, Matches) else read(self, affinity, values, *rest)

    theirs.get_similarity, theirs.do_softmax, manager._readout = get_similarity, do_softmax, readout
    try:
        yield
    finally:
        theirs.get_similarity, theirs.do_softmax, manager._readout = compare, weigh, read
