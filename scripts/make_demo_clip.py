"""Make assets/demo: the clip that `just demo` mattes, its true alpha and masks for three keyframes.

Run `python scripts/make_demo_clip.py` from the repo root; it needs the dev extra (scikit-image has the photographs)
and about four minutes of two cores. The same versions of the packages make the same files.
"""

from __future__ import annotations

import argparse
import time
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from demo_clip import encode, render, sound
from demo_clip.shot import FRAMES, SEED
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "demo"


def photograph(name: str) -> NDArray[np.uint8]:
    """Return a photograph that scikit-image carries, RGB uint8 [H, W, 3]."""
    data = files("skimage").joinpath("data", name).read_bytes()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"scikit-image's {name} cannot be read; run: ./start.sh setup")
    return np.asarray(picture[..., ::-1], np.uint8).copy()


def main() -> None:
    """Render and write the demo, and say how far it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (default: assets/demo)")
    parser.add_argument("--frames", type=int, default=FRAMES, help="number of frames, for a quick look")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # threads change the order of sums, and so the last bit
    shot = render.build(photograph("astronaut.png"), photograph("rocket.jpg"))
    start = time.monotonic()
    encode.write(arguments.out, arguments.frames, shot.frame, sound.make(arguments.frames, SEED + 2))
    print(f"{arguments.frames} frames in {time.monotonic() - start:.0f} s")
    for path in sorted(arguments.out.glob("*.*")):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
