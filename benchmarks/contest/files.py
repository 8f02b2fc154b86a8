"""How a user of the authors' scripts gets frames out of a video, and what both sides' results are read from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.contest.task import Results


def extract_jpegs(clip: Path, folder: Path) -> None:
    """Write every frame as NNNNN.jpg: by the ffmpeg program as the authors of SAM2 advise, else by OpenCV."""
    program = shutil.which("ffmpeg")
    if program is None:
        _each_frame(clip, folder, "jpg")
        return
    target = str(folder / "%05d.jpg")
    subprocess.run([program, "-v", "error", "-i", str(clip), "-q:v", "2", "-start_number", "0", target], check=True)


def extract_pngs(clip: Path, folder: Path) -> None:
    """Write every frame as NNNNN.png with the very pixels that our decoder gives."""
    from pipeline.decode import VideoReader
    from pipeline.probe import scan

    info = scan(clip)
    with VideoReader(clip, info) as reader:
        for index in range(info.frames):
            cv2.imwrite(str(folder / f"{index:05d}.png"), cv2.cvtColor(reader.read(index), cv2.COLOR_RGB2BGR))


def _each_frame(clip: Path, folder: Path, ending: str) -> None:
    video = cv2.VideoCapture(str(clip))
    index = 0
    while True:
        found, picture = video.read()
        if not found:
            break
        cv2.imwrite(str(folder / f"{index:05d}.{ending}"), picture)
        index += 1
    video.release()


def read_pngs(folder: Path) -> Results:
    """Return grey pictures named by their frame, as 0..1."""
    found = {}
    for path in sorted(folder.glob("*.png")):
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        found[int(path.stem)] = np.divide(picture, 255, dtype=np.float32)
    return found


def write_masks(alpha: Path, folder: Path, size: tuple[int, int], frames: int) -> None:
    """Write the first masks of a video of alpha as NNNNN.png, 0 or 255, at another size."""
    folder.mkdir()
    with av.open(str(alpha)) as container:
        for index, frame in zip(range(frames), container.decode(video=0), strict=False):
            picture = cv2.resize(frame.to_ndarray(format="gray"), size, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / f"{index:05d}.png"), np.where(picture > 127, np.uint8(255), np.uint8(0)))


def lively(network: Any) -> None:
    """Make random weights say something: parameters that begin at zero or one get a value of their own."""
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.numel() == 1 or parameter.std() == 0:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
