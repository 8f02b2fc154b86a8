"""Every neural engine whose real weights are on the disk, on the demo clip, scored against its truth.

`just test -m weights` runs it, with SPLAZMATTE_MODELS_DIR where the weights lie elsewhere. The bounds are what each
engine has to beat at the least: the built-in ones have a mean alpha error of 0.0132 on this clip. They were chosen
without real weights at hand, and no run has verified them yet; tighten them once one has.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cli.demo import measure_error
from engines.base import Box, Point, Prompts
from engines.registry import ENGINES, check_params, create, obstacle
from engines.spec import EngineSpec, Job
from matting_runner import add_mask, create_session, load_info, run_matting
from pipeline.masks import MaskFolder
from session_store import EngineChoice, MattingSession, SessionStore

DEMO = Path(__file__).resolve().parent.parent / "assets" / "demo"
BUILT_IN_ERROR = 0.0132
"""Mean absolute error of alpha that the built-in engines have on the whole clip."""
MATTER_ERROR = 0.012
PROPAGATED_OVERLAP = 0.95
"""Least mean intersection over union, from the first frame's mask alone."""
SEGMENTED_OVERLAP = 0.9
CPU_FRAMES = 16
"""Frames that are enough where there is no GPU: a network takes seconds, or tens of them, for one."""


@dataclass(frozen=True)
class Case:
    """An engine with the parameters that choose one of its networks."""

    spec: EngineSpec
    choice: EngineChoice

    @property
    def name(self) -> str:
        """Return what it is called in the report."""
        return "-".join([self.spec.name, *map(str, self.choice.params.values())])


def cases(job: Job) -> list[Any]:
    """Return each network of each engine of a job; one whose weights are not there is skipped with the reason."""
    found = []
    for spec in ENGINES:
        if spec.job is not job or not (spec.weights or spec.models):
            continue
        for params in [{"model": model} for model in spec.models] or [{}]:
            case = Case(spec, EngineChoice(name=spec.name, params=params))
            reason = obstacle(spec, check_params(spec, params))
            found.append(pytest.param(case, id=case.name, marks=[pytest.mark.skipif(bool(reason), reason=reason)]))
    return found


pytestmark = [pytest.mark.weights, pytest.mark.slow]


@cache
def truth(frames: int) -> np.ndarray:
    """Return the clip's true alpha, float32 [T, H, W] 0..1."""
    with av.open(str(DEMO / "alpha.mp4")) as container:
        planes = [f.to_ndarray(format="gray") for _, f in zip(range(frames), container.decode(video=0), strict=False)]
    return np.stack(planes).astype(np.float32) / 255


def frames() -> int:
    """Return how many frames of the clip to run here."""
    if importlib.util.find_spec("torch") is None:
        return CPU_FRAMES
    import torch

    return 96 if torch.cuda.is_available() else CPU_FRAMES


def session_of(folder: Path, count: int, keyframes: tuple[int, ...] = (0,)) -> MattingSession:
    """Return a session of the demo clip's first frames with some of its masks."""
    session = create_session(SessionStore(folder), DEMO / "clip.mp4")
    item = session.add_object("subject")
    for index in keyframes:
        add_mask(session, item, index, DEMO / f"mask_{index:06d}.png", load_info(session))
    session.state.range, session.state.formats = (0, count), ["alpha"]
    return session


def overlap(mask: np.ndarray, true: np.ndarray) -> float:
    """Return the intersection over union of bool [H, W]."""
    return float((mask & true).sum() / max(1, (mask | true).sum()))


@pytest.mark.parametrize("case", cases(Job.SEGMENTER))
def test_a_segmenter_finds_the_subject(case: Case) -> None:
    true = truth(1)[0] > 0.5
    rows, columns = np.nonzero(true)
    with av.open(str(DEMO / "clip.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    engine = create(Job.SEGMENTER, case.spec.name, case.choice.params)
    engine.set_image(picture)
    box = Box(float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max()))
    middle = len(rows) // 2
    click = Point(float(np.median(columns[rows == rows[middle]])), float(rows[middle]))
    found = overlap(engine.predict(Prompts(points=(click,), box=box))[0].mask, true)
    assert found > SEGMENTED_OVERLAP, f"IoU {found:.3f}"


@pytest.mark.parametrize("case", cases(Job.PROPAGATOR))
def test_a_propagator_keeps_the_subject(tmp_path: Path, case: Case) -> None:
    count = frames()
    session = session_of(tmp_path, count)
    session.state.propagator = case.choice
    session.save()
    result = run_matting(session)
    folder = MaskFolder(session.masks_dir(1, "propagated"))
    true = truth(count) > 0.5
    found = np.array([overlap(folder.read(index) > 127, true[index]) for index in range(1, count)])
    error = measure_error(result, DEMO / "alpha.mp4")
    assert found.mean() > PROPAGATED_OVERLAP, f"mean IoU {found.mean():.3f}, worst {found.min():.3f}"
    assert error["mean_absolute_error"] < BUILT_IN_ERROR, error


@pytest.mark.parametrize("case", cases(Job.MATTER))
def test_a_matter_is_better_than_the_built_in_one(tmp_path: Path, case: Case) -> None:
    count, errors = frames(), {}
    for name, choice in {"built-in": EngineChoice(name="guided"), "this": case.choice}.items():
        session = session_of(tmp_path / name, count, tuple(index for index in (0, 48, 95) if index < count))
        session.state.matter = choice
        session.save()
        errors[name] = measure_error(run_matting(session), DEMO / "alpha.mp4")
    assert errors["this"]["mean_absolute_error"] < MATTER_ERROR, errors
    assert errors["this"]["edge_error"] < errors["built-in"]["edge_error"], errors
