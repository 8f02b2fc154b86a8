"""SAM 2.1 tiny, the real architecture: our job against the video predictor of the sam2 package, used as documented."""

from __future__ import annotations

import os

import cv2
import numpy as np

from benchmarks.contest import ours
from benchmarks.contest.files import extract_jpegs, lively, read_pngs
from benchmarks.contest.task import Contestant, Results, Task, Watch
from session_store import EngineChoice

WEIGHTS = "sam2.1-hiera-tiny"


def prepare(task: Task, _device: str) -> None:
    """Save a random SAM 2.1 tiny."""
    import torch
    from transformers.models.sam2_video import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(0)
    model = Sam2VideoModel(Sam2VideoConfig())
    lively(model)
    model.save_pretrained(task.models / WEIGHTS)


def ours_side(task: Task, watch: Watch) -> None:
    """Run our job up to the masks."""
    import torchvision.transforms.v2  # noqa: F401
    import transformers.models.sam2_video.modeling_sam2_video  # noqa: F401

    watch.lap("start")
    ours.propagate(task, watch, EngineChoice(name="sam2", params={"model": "tiny"}))


def theirs_side(task: Task, watch: Watch) -> None:
    """Extract JPEGs, propagate the mask of frame 0, write masks: the notebook of the authors, in a script."""
    _theirs(task, watch, "theirs")


def _theirs(task: Task, watch: Watch, side: str) -> None:
    import sam2.sam2_video_predictor  # noqa: F401
    import torch

    from benchmarks.contest import sam2_authors

    watch.lap("start")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    predictor = sam2_authors.build(task.models / WEIGHTS, device=device)
    watch.lap("weights")
    folder = task.made_by(side)
    frames, masks = folder / "frames", folder / "masks"
    frames.mkdir()
    masks.mkdir()
    extract_jpegs(task.clip, frames)
    watch.lap("frames")
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    with torch.inference_mode(), torch.autocast(device, dtype=torch.bfloat16, enabled=kind is torch.bfloat16):
        state = predictor.init_state(video_path=str(frames))
        mask = cv2.imread(str(task.mask), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        predictor.add_new_mask(state, frame_idx=0, obj_id=1, mask=mask > 127)
        segments = {}
        for index, _, logits in predictor.propagate_in_video(state):
            segments[index] = (logits[0, 0] > 0.0).cpu().numpy()
    watch.lap("propagate")
    for index, inside in segments.items():
        cv2.imwrite(str(masks / f"{index:05d}.png"), inside.astype(np.uint8) * 255)
    watch.lap("write")


def check(task: Task, watch: Watch) -> None:
    """Run the authors' network on the pixels that ours saw; write its soft masks."""
    import sam2.sam2_video_predictor as authors
    import torch

    from benchmarks.contest import sam2_authors
    from engines.neural.compute import choose
    from engines.sam.family import Network
    from engines.sam2_engine import SAM2
    from matting_runner import load_info
    from pipeline.frames import FrameFolder

    session = ours.session_of(task)
    info = load_info(session)
    source = FrameFolder(session.frames_dir, info.frames, (info.width, info.height))
    compute = choose("auto", "auto")
    network = Network(SAM2, task.models / WEIGHTS, compute)
    with compute.inference():
        video = torch.cat([network.pixels(source.read(index), 1024) for index in range(info.frames)])
        authors.load_video_frames = lambda **_: (video, info.height, info.width)
        predictor = sam2_authors.build(task.models / WEIGHTS, device=compute.device)
        state = predictor.init_state("unused")
        mask = cv2.imread(str(task.mask), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        predictor.add_new_mask(state, 0, 1, mask > 127)
        folder = task.made_by("check") / "masks"
        folder.mkdir()
        for index, _, logits in predictor.propagate_in_video(state):
            soft = (torch.sigmoid(logits[0, 0].float()) * 255).round().to(torch.uint8)
            cv2.imwrite(str(folder / f"{index:05d}.png"), soft.cpu().numpy())
    watch.lap("check")


def results(task: Task, side: str) -> Results:
    """Return the masks that a side has made; the keyframe, which is given, is left out."""
    found = ours.masks(task) if side == "ours" else read_pngs(task.folder / side / "masks")
    return {index: mask for index, mask in found.items() if index}


CONTESTANT = Contestant(
    name="sam2",
    title="SAM 2.1 tiny",
    sizes={"cpu": (1280, 720, 8), "cuda": (1280, 720, 96), "quick": (640, 360, 4)},
    prepare=prepare,
    ours=ours_side,
    theirs=theirs_side,
    results=results,
    tolerance=1.5 / 255,
    check=check,
    packages=("sam2", "hydra", "iopath"),
)
os.environ.setdefault("TQDM_DISABLE", "1")
