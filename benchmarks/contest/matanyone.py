"""MatAnyone, the real network: our job against the authors' `process_video`, from the sources in sdks/.

Today's torchvision cannot read videos any more, so that their side is given a folder of frames, which it takes as well;
ours delivers the same two videos. On the CPU their code computes in bf16, on a GPU in fp16; so does ours here.
"""

from __future__ import annotations

from typing import Any

from benchmarks.contest import ours
from benchmarks.contest.files import extract_pngs, lively, read_pngs
from benchmarks.contest.task import Contestant, Results, Task, Watch
from config import get_settings
from matting_runner import Stage
from session_store import EngineChoice

WEIGHTS = "matanyone"


def _network() -> Any:
    """Return the authors' network with the weights that it begins with."""
    from matanyone.model.matanyone import MatAnyone
    from omegaconf import OmegaConf

    folder = get_settings().sdks_path / "matanyone" / "matanyone" / "config"
    config: Any = OmegaConf.load(folder / "eval_matanyone_config.yaml")
    config["model"] = OmegaConf.load(folder / "model" / "base.yaml")
    config["model"]["pretrained_resnet"] = False  # it would be downloaded
    return MatAnyone(config, single_object=True)


def prepare(task: Task, _device: str) -> None:
    """Save a random MatAnyone."""
    import torch

    torch.manual_seed(0)
    network = _network()
    lively(network)
    network.save_pretrained(task.models / WEIGHTS)


def ours_side(task: Task, watch: Watch) -> None:
    """Run our job up to alpha and foreground."""
    import torch
    import torchvision  # noqa: F401

    watch.lap("start")
    precision = "fp16" if torch.cuda.is_available() else "bf16"
    choice = EngineChoice(name="matanyone", params={"model": "matanyone", "precision": precision})
    ours.matte(task, watch, choice, until=Stage.DELIVER, every_mask=False)


def theirs_side(task: Task, watch: Watch) -> None:
    """Extract frames and run their API on them; it writes alpha and foreground as videos."""
    _theirs(task, watch, "theirs", save_image=False)


def _theirs(task: Task, watch: Watch, side: str, *, save_image: bool) -> None:
    from matanyone.inference.inference_core import InferenceCore

    watch.lap("start")
    processor = InferenceCore(str(task.models / WEIGHTS))
    watch.lap("weights")
    frames = task.made_by(side) / "clip"
    frames.mkdir()
    extract_pngs(task.clip, frames)
    watch.lap("frames")
    processor.process_video(str(frames), str(task.mask), str(task.folder / side / "out"), save_image=save_image)
    watch.lap("process_video")


def check(task: Task, watch: Watch) -> None:
    """Run the same once more with their option to save pictures: videos are not exact."""
    _theirs(task, watch, "check", save_image=True)


def results(task: Task, side: str) -> Results:
    """Return the alphas that a side has made; of 'theirs' those of 'check', which are the same."""
    return ours.alphas(task) if side == "ours" else read_pngs(task.folder / "check" / "out" / "clip" / "pha")


CONTESTANT = Contestant(
    name="matanyone",
    title="MatAnyone",
    sizes={"cpu": (480, 272, 24), "cuda": (1920, 1080, 96), "quick": (240, 144, 6)},
    prepare=prepare,
    ours=ours_side,
    theirs=theirs_side,
    results=results,
    tolerance=1.1 / 255,  # their pictures are cut off, not rounded
    check=check,
    packages=("imageio", "imageio_ffmpeg", "omegaconf"),
    sources=("matanyone",),
)
