"""Random weights in a folder of models, where the runner, the command line and worker processes look for real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from config import get_settings
from engines.registry import obstacle
from engines.spec import Job
from errors import SplazMatteError
from matting_runner.marks import spec_of
from session_store import EngineChoice, MattingState
from tests.sam_material import save_tiny_sam2

SAVERS: dict[str, Callable[[Path], object]] = {
    "sam2.1-hiera-tiny": partial(save_tiny_sam2, side=64),
}
"""By the name of a set of weights, what saves random ones into its folder."""

TINY = EngineChoice(name="sam2", params={"model": "tiny"})
GUIDED = EngineChoice(name="guided")


class Engines(NamedTuple):
    """The engines of a session, and the weights that they need."""

    name: str
    weights: tuple[str, ...]
    segmenter: EngineChoice = TINY
    propagator: EngineChoice = TINY
    matter: EngineChoice = GUIDED

    def choose(self, state: MattingState) -> None:
        """Make them the session's."""
        state.segmenter, state.propagator, state.matter = self.segmenter, self.propagator, self.matter

    def obstacle(self) -> str:
        """Return why one of them cannot run here, now that the weights are there; empty if all can."""
        jobs = {Job.SEGMENTER: self.segmenter, Job.PROPAGATOR: self.propagator, Job.MATTER: self.matter}
        for job, choice in jobs.items():
            try:
                reason = obstacle(spec_of(job, choice), choice.params)
            except SplazMatteError as error:
                reason = str(error)
            if reason:
                return reason
        return ""


SETUPS = (Engines("sam2", ("sam2.1-hiera-tiny",)),)
"""What the runner's tests run with; one that needs the authors' sources is skipped where they are not there."""


@contextmanager
def random_weights(folder: Path, *names: str) -> Iterator[Path]:
    """Save random weights of those sets and let the settings, of child processes too, point to them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            SAVERS[name](folder / name)
        patch.setenv("SPLAZMATTE_MODELS_DIR", str(folder))
        get_settings.cache_clear()
        yield folder
    get_settings.cache_clear()
