"""Starting the command line costs little: no heavy library loads for its help."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from queue_logic import JobState
from session_store import SessionStore
from tests.session_files import add_jobs, finished_session

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("numpy", "cv2", "av", "OpenEXR", "torch", "transformers", "diffusers", "nicegui", "matting_runner", "pipeline")
CODE = """
import sys
sys.argv = ["run.py", *{arguments!r}]
import run
code = run.main()
print("LOADED", sorted(name for name in {heavy!r} if name in sys.modules))
sys.exit(code)
"""


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = CODE.format(arguments=list(arguments), heavy=HEAVY)
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_loads_nothing_heavy() -> None:
    result = start("--help")
    assert result.returncode == 0, result.stderr
    assert "Usage:" in result.stdout and "LOADED []" in result.stdout


def test_help_of_every_command_loads_nothing_heavy() -> None:
    import run

    names = [command.name for command in run.app.registered_commands]
    for name in [*names, *(group.name for group in run.app.registered_groups)]:
        result = start(str(name), "--help")
        assert "LOADED []" in result.stdout, (name, result.stdout[-300:])


@pytest.mark.parametrize("arguments", [["list"], ["queue", "list"]])
def test_lists_load_nothing_heavy(arguments: list[str], workspace: Path, tmp_path: Path) -> None:
    session = finished_session(SessionStore(workspace / "sessions"), tmp_path / "a.mp4")
    add_jobs(workspace, session, JobState.DONE)
    result = start(*arguments)
    assert session.state.id in result.stdout and "LOADED []" in result.stdout, result.stdout


def test_help_is_quick() -> None:
    """Half a second on an idle machine; the best of several, as other tests run beside this one."""

    def seconds() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "run.py", "--help"], cwd=ROOT, capture_output=True, check=True)
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(5)) < 0.5
