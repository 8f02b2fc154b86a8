"""A stand-in for the CoTracker3 network, whose tracks are known; random weights of the real one; the authors' way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image
from tests.sam_material import lively

SMALL = (96, 128)
"""Height and width that small networks work at; the real one's are 384 and 512."""


class Shift:
    """Frames of one colour, as an engines.base.FrameSource, whose red and green say where everything has moved to.

    Blue is 255 where things are to be seen, 0 where they are hidden.
    """

    def __init__(self, frames: int, size: tuple[int, int] = (64, 48), hidden: Sequence[int] = ()) -> None:
        self.frames, self._size, self.hidden = frames, size, hidden
        self.reads: list[int] = []

    def __len__(self) -> int:
        return self.frames

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def at(self, index: int) -> tuple[int, int]:
        """Return how far things have moved, in pixels of the network."""
        return index % 200, (index * 7) % 90

    def read(self, index: int) -> Image:
        self.reads.append(index)
        picture = np.empty((self._size[1], self._size[0], 3), np.uint8)
        picture[:] = (*self.at(index), 0 if index in self.hidden else 255)
        return picture

    def truth(self, query: Sequence[float], index: int) -> NDArray[np.float64]:
        """Return where a query is at a frame."""
        moved = np.subtract(self.at(index), self.at(int(query[0])))
        scale = [(side - 1) / (to - 1) for side, to in zip(self._size, SMALL[::-1], strict=True)]
        return np.asarray(query[1:] + moved * scale)


class Texture:
    """A seeded soft pattern that drifts and turns a little, as an engines.base.FrameSource."""

    def __init__(self, frames: int, size: tuple[int, int]) -> None:
        self.frames, self._size = frames, size
        rng = np.random.default_rng(11)
        noise = rng.integers(0, 255, (size[1] * 2, size[0] * 2, 3)).astype(np.uint8)
        self._ground = cv2.GaussianBlur(noise, (0, 0), 2)

    def __len__(self) -> int:
        return self.frames

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def read(self, index: int) -> Image:
        width, height = self._size
        turn = cv2.getRotationMatrix2D((float(width), float(height)), index * 0.7, 1 + index * 0.003)
        turn[:, 2] += [-width / 2 + index * 0.9, -height / 2 - index * 0.4]
        return np.asarray(cv2.warpAffine(self._ground, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def new_stand_in() -> Any:
    """Return a network with the authors' programming interface, of both models, that reads `Shift` exactly.

    Its features are a frame's mean colour, its templates those at the query with its place; it moves a point by the
    difference. Where things are hidden the offline one leaves a point at the place that it was told to begin at.
    """
    import torch

    class StandIn:
        model_resolution = SMALL
        window_len = 16

        def __init__(self) -> None:
            self.fnet = lambda pixels: pixels.mean((2, 3), keepdim=True)
            self.get_track_feat = self._sample
            self.calls: list[int] = []
            self.broken_above = 10**9

        def _sample(self, maps: Any, frames: Any, xy: Any) -> Any:
            colours = maps[:, None, frames[0].clamp(0, maps.shape[1] - 1)]
            return None, torch.cat([colours, xy[:, None]], dim=3)

        def init_video_online_processing(self) -> None:
            self.online_ind = 0
            self.online_track_feat: list[Any] = [None]
            self.online_track_support: list[Any] = [None]
            self.online_coords_predicted: Any = None
            self.online_vis_predicted: Any = None
            self.online_conf_predicted: Any = None

        def __call__(self, video: Any, queries: Any, iters: int, is_online: bool = False) -> Any:
            assert iters == 6
            self.calls.append(queries.shape[1])
            count = video.shape[1]
            full = video.expand(1, count, 3, *SMALL)[0]
            if is_online:
                full = torch.cat([full, full[-1:].expand(16 - count, -1, -1, -1)])
            encode: Any = self.fnet
            maps = encode(full)[None, :, :, 0, 0]
            frames = queries[..., 0].long()
            local = frames - self.online_ind if is_online else frames
            template = self.get_track_feat(maps, local, queries[..., 1:])[1]
            if is_online:
                template = self._remembered(template, frames)
            if queries.shape[1] > self.broken_above:
                raise torch.OutOfMemoryError("too many points")
            colour = (maps[0, :count, None] + 1) * 127.5
            past = (template[0, ..., :2] + 1) * 127.5
            xy = (template[0, ..., 3:] + colour[..., :2] - past)[None]
            seen = colour[..., 2].expand(count, queries.shape[1])[None] / 255
            if not is_online:
                return (
                    torch.where(seen[..., None] > 0.5, xy, queries[..., None, :, 1:]),
                    seen * 0.98,
                    seen * 0.9 + 0.05,
                    None,
                )
            return self._streamed(xy, seen)

        def _remembered(self, template: Any, frames: Any) -> Any:
            if self.online_track_feat[0] is None:
                self.online_track_feat = [torch.zeros(())]
                self.online_track_support = [torch.zeros_like(template)]
            first = 0 if self.online_ind == 0 else self.online_ind + 8
            due = (frames >= first) & (frames < self.online_ind + 16)
            self.online_track_support[0] += template * due[..., None]
            return self.online_track_support[0]

        def _streamed(self, xy: Any, seen: Any) -> Any:
            at = self.online_ind
            parts = [xy, seen * 4 - 2, seen * 6 - 3]
            if at:
                past = (self.online_coords_predicted, self.online_vis_predicted, self.online_conf_predicted)
                parts = [torch.cat([old[:, :at], new], dim=1) for old, new in zip(past, parts, strict=True)]
                assert past[0].shape[1] >= at + 8
            self.online_coords_predicted, self.online_vis_predicted, self.online_conf_predicted = parts
            self.online_ind += 8
            return parts[0], torch.sigmoid(parts[1]), torch.sigmoid(parts[2]), None

    return StandIn()


def build_small(model: str) -> Any:
    """Return the real network, narrower and for small pictures, with random weights; call within `authors_package`."""
    from cotracker.models.core.cotracker.blocks import Mlp
    from cotracker.models.core.cotracker.cotracker import EfficientUpdateFormer
    from cotracker.models.core.cotracker.cotracker3_offline import CoTrackerThreeOffline
    from cotracker.models.core.cotracker.cotracker3_online import CoTrackerThreeOnline

    kind, window = (CoTrackerThreeOffline, 60) if model == "offline" else (CoTrackerThreeOnline, 16)
    network = kind(stride=4, corr_radius=3, window_len=window, model_resolution=SMALL)
    network.corr_mlp = Mlp(in_features=49 * 49, hidden_features=16, out_features=256)
    network.updateformer = EfficientUpdateFormer(
        space_depth=3,
        time_depth=3,
        input_dim=network.input_dim,
        hidden_size=96,
        num_heads=2,
        output_dim=4,
        num_virtual_tracks=8,
        linear_layer_for_vis_conf=True,
    )
    return network


def save_random_weights(network: Any, path: Path, seed: int = 0) -> None:
    """Give a network random weights with which points move by some pixels, seen and unseen, and save them."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    lively(network)
    with torch.no_grad():
        for head, size in ((network.updateformer.flow_head, 0.02), (network.updateformer.vis_conf_head, 0.03)):
            head.weight.copy_(torch.randn(head.weight.shape, generator=generator) * size)
        network.updateformer.vis_conf_head.bias.copy_(torch.tensor([0.35, 0.35]))
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)


class Authors:
    """The authors' predictors, driven as their demos do.

    Args:
        sdks: folder of the sources.
        path: of the weights.
        small: the network is `build_small`'s.
    """

    def __init__(self, sdks: Path, path: Path, *, small: bool) -> None:
        import torch

        sys.path.insert(0, str(sdks / "co-tracker"))
        from cotracker import predictor

        sys.path.remove(str(sdks / "co-tracker"))
        self.is_online = "online" in path.name
        kind = predictor.CoTrackerOnlinePredictor if self.is_online else predictor.CoTrackerPredictor
        self._predictor = kind(checkpoint=None if small else str(path))
        if small:
            self._predictor.model = build_small("online" if self.is_online else "offline").eval()
            self._predictor.model.load_state_dict(torch.load(path))
            self._predictor.interp_shape = SMALL
        self.probabilities: Any = None
        self._forward, self._predictor.model.forward = self._predictor.model.forward, self._listen
        self._torch = torch

    def _listen(self, *args: Any, **options: Any) -> Any:
        output = self._forward(*args, **options)
        self.probabilities = (output[1] * output[2])[0].numpy()
        return output

    def track(self, pictures: Sequence[Image], queries: NDArray[np.float32], *, grid: bool) -> Any:
        """Return tracks [T, N, 2], bool [T, N] and visibility times confidence [T, N].

        Args:
            pictures: of the clip.
            queries: [N, 3].
            grid: with their grid of 6 x 6 support points.
        """
        torch = self._torch
        with torch.no_grad():
            given = torch.tensor(queries)[None]
            if self.is_online:
                tracks, visible = self._stream(pictures, given, grid)
            else:
                video = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)[None].float()
                tracks, visible = self._predictor._compute_sparse_tracks(video, given, add_support_grid=grid)
        return tracks[0].numpy(), visible[0].numpy(), self.probabilities[:, : len(queries)]

    def _stream(self, pictures: Sequence[Image], queries: Any, grid: bool) -> Any:
        """Do what `online_demo.py` does, with queries, and with at least one step where it would do none."""
        torch, step = self._torch, self._predictor.step

        def process(window: Sequence[Image], first: bool) -> Any:
            chunk = torch.tensor(np.stack(window[-step * 2 :])).float().permute(0, 3, 1, 2)[None]
            return self._predictor(chunk, is_first_step=first, queries=queries, add_support_grid=grid)

        window: list[Image] = []
        first = True
        for index, frame in enumerate(pictures):
            if index % step == 0 and index != 0:
                process(window, first)
                first = False
            window.append(frame)
        if first:
            process(window, True)
        return process(window[-(index % step) - step - 1 :], False)
