"""Make `.venv` and install the locked dependencies into it; a no-op when they are there.

Standard library only: this is the first thing that runs on a new machine.

    python scripts/setup.py base                     the light base: command line and built-in engines
    python scripts/setup.py all [--cuda|--mps|--cpu] neural engines, the authors' sources and developers' tools as well
    python scripts/setup.py lock                     write requirements.lock anew from pyproject.toml
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

import sdks

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
EXTRAS = {"base": [], "all": ["neural", "dev"]}


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description="Install what SplazMatte needs into .venv")
    parser.add_argument("what", choices=[*EXTRAS, "lock"], help="which set of dependencies")
    group = parser.add_mutually_exclusive_group()
    for name, text in (("cuda", "NVIDIA GPU"), ("mps", "Apple GPU"), ("cpu", "no GPU")):
        group.add_argument(f"--{name}", dest="backend", action="store_const", const=name, help=f"torch for {text}")
    parser.add_argument("--retry", action="store_true", help="try again to fetch sources that could not be fetched")
    args = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is run by whatever Python there is
        return fail(f"SplazMatte needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable})")
    try:
        make_venv()
        write_lock() if args.what == "lock" else install(args.what, args.backend)
        if args.what == "all":
            sdks.fetch_all(retry=args.retry)
    except subprocess.CalledProcessError as error:
        return fail(f"set-up stopped at: {' '.join(str(part) for part in error.cmd)} (exit code {error.returncode})")
    except OSError as error:
        return fail(f"set-up cannot write {error.filename or VENV}: {error.strerror}")
    return 0


def fail(message: str) -> int:
    """Print `message` and return the exit code for it."""
    print(f"error: {message}", file=sys.stderr)
    return 1


def make_venv() -> None:
    """Create `.venv` with pip and uv, unless it is there and works."""
    if VENV.exists() and not PYTHON.exists():
        raise OSError(0, "it is there but has no Python; remove it and run this again", str(VENV))
    if not VENV.exists():
        say("making .venv")
        try:
            venv.create(VENV, with_pip=True)
        except subprocess.CalledProcessError:
            venv.create(VENV, with_pip=False, clear=True)  # Debian's python3 without python3-venv has no ensurepip
    if not uv_path().exists():
        say("installing uv")
        has_pip = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
        pip = [PYTHON, "-m", "pip"] if has_pip else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
        run([*pip, "install", "--quiet", "--disable-pip-version-check", "uv", "-c", LOCK])


def uv_path() -> Path:
    """Return where uv lies in `.venv`."""
    return PYTHON.with_name("uv.exe" if os.name == "nt" else "uv")


def install(what: str, backend: str | None) -> None:
    """Install one set of the locked dependencies, unless its stamp says that it is installed."""
    stamp = VENV / f".installed-{what}"
    state = hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest() + f" {backend or 'auto'}\n"
    done = {path.read_text().split()[0] for path in VENV.glob(".installed-*")}
    current = stamp.exists() and (stamp.read_text() == state or (backend is None and stamp.read_text()[:64] in state))
    if current or (what == "base" and state.split()[0] in done):
        return
    command: list[str | Path] = [uv_path(), "pip", "install", "--quiet", "--python", PYTHON, "-r", PROJECT, "-c", LOCK]
    for extra in EXTRAS[what]:
        command += ["--extra", extra]
    say("installing the locked dependencies" + (" (with torch: this can take minutes)" if EXTRAS[what] else ""))
    if not EXTRAS[what]:
        run(command)
    else:
        install_with_torch(command, backend)
    stamp.write_text(state)


def install_with_torch(command: list[str | Path], backend: str | None) -> None:
    """Take torch and torchvision from PyTorch's own index for this machine, or both from the default one.

    Never one from each: a CPU-only torch beside the default index's torchvision fails with 'operator
    torchvision::nms does not exist'.
    """
    if backend == "mps":  # the default index has Apple's builds
        run(command)
        return
    choice = "cpu" if backend == "cpu" else "auto"
    if backend:
        command = [*command, "--reinstall-package", "torch", "--reinstall-package", "torchvision"]
    # One short try: where that index is out of reach, the default index's builds (larger on Linux) do as well.
    quick = {**os.environ, "UV_HTTP_RETRIES": "1"}
    if subprocess.run([*command, "--torch-backend", choice], env=quick, stderr=subprocess.PIPE, check=False).returncode:
        say("PyTorch's own package index cannot be used; taking torch from the default index")
        run(command)


def write_lock() -> None:
    """Resolve pyproject.toml for all systems into requirements.lock, without any URL."""
    run([uv_path(), "pip", "compile", "--quiet", "--universal", "--all-extras", "--no-emit-index-url", "--no-header",
         "--upgrade", PROJECT.relative_to(ROOT), "-o", LOCK.relative_to(ROOT)])  # fmt: skip


def run(command: list[str | Path]) -> None:
    """Run a command in the project's folder; raise CalledProcessError when it fails."""
    subprocess.run(command, cwd=ROOT, check=True)


def say(text: str) -> None:
    """Tell the user what takes the time."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
