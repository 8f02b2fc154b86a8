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


def _matanyone(folder: Path) -> object:
    from tests.matanyone_material import save_random_weights

    return save_random_weights(folder, get_settings().sdks_path)


def _videomama(folder: Path) -> object:
    from tests.videomama_material import save_tiny

    return save_tiny(folder.parent)  # both sets at once


SAVERS: dict[str, Callable[[Path], object]] = {
    "sam2.1-hiera-tiny": partial(save_tiny_sam2, side=64),
    "matanyone": _matanyone,
    "videomama-unet": _videomama,
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
    sources: tuple[str, ...] = ()
    """Folders of `sdks/` that saving its random weights needs."""
    slow: bool = False

    def choose(self, state: MattingState) -> None:
        """Make them the session's."""
        state.segmenter, state.propagator, state.matter = self.segmenter, self.propagator, self.matter

    def lacks_sources(self) -> str:
        """Return which of the authors' sources are not there; empty if all are."""
        absent = [name for name in self.sources if not (get_settings().sdks_path / name).is_dir()]
        return f"the authors' sources of {absent} are not in sdks/: just setup" if absent else ""

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


SETUPS = (
    Engines("sam2", ("sam2.1-hiera-tiny",)),
    Engines(
        "matanyone",
        ("sam2.1-hiera-tiny", "matanyone"),
        matter=EngineChoice(name="matanyone", params={"model": "matanyone", "warmup": 1, "erode": 3, "dilate": 3}),
        sources=("matanyone",),
        slow=True,
    ),
    Engines(
        "videomama",
        ("sam2.1-hiera-tiny", "videomama-unet"),
        matter=EngineChoice(name="videomama", params={"batch_size": 6, "overlap": 2, "size": 256}),
        slow=True,
    ),
)
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
