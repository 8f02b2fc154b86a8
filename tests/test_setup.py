"""Set-up: the lock holds everything, a second run does nothing, torch and torchvision belong together."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_lock_holds_every_dependency_in_its_range() -> None:
    from packaging.requirements import Requirement

    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\n]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    for text in wanted:
        requirement = Requirement(text)
        version = locked[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(version), f"{text} is locked at {version}"


def test_a_second_set_up_does_nothing() -> None:
    if not (ROOT / ".venv" / ".installed-all").exists():
        pytest.skip("this environment was not made by scripts/setup.py")
    # Where sources cannot be fetched, the first says so.
    subprocess.run([sys.executable, "scripts/setup.py", "all"], cwd=ROOT, capture_output=True, check=True)
    begin = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "scripts/setup.py", "all"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert time.perf_counter() - begin < 2.0


@pytest.mark.slow
def test_torch_and_torchvision_belong_together() -> None:
    """Builds of two indexes fail with 'operator torchvision::nms does not exist'."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("the neural extra is not installed: just setup")
    code = "import torch, torchvision; torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-500:]
