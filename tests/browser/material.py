"""Clips for the browser tests."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

DEMO = Path(__file__).resolve().parent.parent.parent / "assets" / "demo"


def cut_demo(target: Path, frames: int, size: tuple[int, int] = (640, 360)) -> Path:
    """Write the first frames of the bundled clip at another size."""
    with av.open(str(DEMO / "clip.mp4")) as source, av.open(str(target), "w") as made:
        stream = made.add_stream("libx264", rate=source.streams.video[0].average_rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        for index, frame in enumerate(source.decode(video=0)):
            if index == frames:
                break
            picture = frame.reformat(*size, format="rgb24").to_ndarray()
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        made.mux(stream.encode(None))
    return target


def demo_mask(index: int, size: tuple[int, int]) -> np.ndarray:
    """Return the true mask of a frame that the bundle has one for: bool [H, W]."""
    mask = cv2.imread(str(DEMO / f"mask_{index:06d}.png"), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA)) > 127


def centre(mask: np.ndarray) -> tuple[int, int]:
    """Return the pixel (x, y) deepest inside `mask`."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)


def decode(path: Path) -> list[np.ndarray]:
    """Return all pictures of a video, RGB uint8."""
    with av.open(str(path)) as source:
        return [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
