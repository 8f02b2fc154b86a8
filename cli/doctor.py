"""Command `doctor`: what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import Debug, Json, show
from machine import RECIPES, cpu_count, disk_free, memory_available, memory_total

BASE = ("av", "filelock", "numpy", "opencv-contrib-python-headless", "OpenEXR", "psutil", "pydantic", "rich",
        "typer")  # fmt: skip
NEURAL = ("torch", "torchvision", "transformers", "diffusers")
CODECS = {"libx264": "w", "aac": "w", "prores_ks": "w", "libvpx-vp9": "w", "libopus": "w", "ffv1": "w", "png": "w",
          "h264": "r", "hevc": "r", "prores": "r", "vp9": "r", "av1": "r"}  # fmt: skip


def doctor(
    network: Annotated[
        bool,
        typer.Option(
            "--network", help="Try the services that are set: the cloud store with a tiny file, Feishu with a message."
        ),
    ] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Show what is installed, the device, memory, weights and codecs; what is missing and how to mend it."""
    from config import VERSION, get_settings
    from engines.devices import device_name

    settings = get_settings()
    data: dict[str, Any] = {
        "version": VERSION,
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": cpu_count(),
        **_memory(),
        "device": device_name(),
        "packages": {name: _version(name) for name in (*BASE, *NEURAL)},
        "codecs": _codecs(),
        "engines": _engines(),
        "sdks": _sdks(settings.sdks_path),
        "workspace": _folder(settings.workspace_dir),
        "weights": _weights(),
        "models_dir": _folder(settings.models_path),
        "sdks_dir": str(settings.sdks_path),
        "services": _services(network=network),
        "problems": [],
    }
    data["problems"] = _problems(data)
    show(data, lambda: _text(data))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory() -> dict[str, int | None]:
    """Return the memory in bytes; None where what would tell is not installed."""
    if importlib.util.find_spec("psutil") is None:
        return {"memory_bytes": None, "memory_available_bytes": None}
    return {"memory_bytes": memory_total(), "memory_available_bytes": memory_available()}


def _codecs() -> dict[str, bool]:
    if importlib.util.find_spec("av") is None:
        return dict.fromkeys(CODECS, False)
    import av

    found = {}
    for name, mode in CODECS.items():
        try:
            av.Codec(name, "w" if mode == "w" else "r")
            found[name] = True
        except ValueError:  # PyAV's UnknownCodecError
            found[name] = False
    return found


def _engines() -> dict[str, str]:
    """Return by name whether engines can run here, and if not, what mends it."""
    from engines.registry import ENGINES, obstacle, usable

    return {spec.name: "ready" if usable(spec) is not None else obstacle(spec) for spec in ENGINES}


def _weights() -> dict[str, str]:
    """Return the state of each set of weights by name."""
    from engines.weights import state
    from engines.weights_table import WEIGHTS

    return {entry.name: state(entry.name) for entry in WEIGHTS}


def _sdks(folder: Path) -> dict[str, bool]:
    """Return which of the authors' sources are there, of those that engines import."""
    from engines.registry import ENGINES

    return {name: (folder / name).is_dir() for name in sorted({name for spec in ENGINES for name in spec.sources})}


def _folder(path: Path) -> dict[str, Any]:
    places = (path, *path.absolute().parents)
    nearest = next(place for place in places if os.path.exists(place))  # noqa: PTH110 - it takes any name
    return {"path": str(path), "writable": os.access(nearest, os.W_OK), "free_bytes": disk_free(path)}


def _problems(data: dict[str, Any]) -> list[str]:
    from app_logic.checks import wrong
    from config import usable_workspace
    from errors import StorageError

    problems = [f"{name} is not installed; run: {RECIPES} install-deps" for name in BASE if not data["packages"][name]]
    neural = [name for name in NEURAL if not data["packages"][name]]
    if neural:
        problems.append(f"neural engines cannot run without {', '.join(neural)}; run: {RECIPES} setup")
    if absent := [name for name, there in data["sdks"].items() if not there]:
        problems.append(
            f"the authors' sources of {', '.join(absent)} are not in {data['sdks_dir']}; run: {RECIPES} setup"
        )
    problems += [
        f"codec {name} is missing from PyAV; run: {RECIPES} install-deps"
        for name, ok in data["codecs"].items()
        if not ok
    ]
    problems += [
        f"the weights '{name}' are not complete; run: {RECIPES} download-models {name}"
        for name, state in data["weights"].items()
        if state == "partial"
    ]
    try:
        usable_workspace()
    except StorageError as error:
        problems.append(str(error))
    if not data["workspace"]["writable"]:
        problems.append(f"{data['workspace']['path']} is not writable; set SPLAZMATTE_WORKSPACE to a folder that is")
    problems += dict.fromkeys([*(row["problem"] for row in data["services"].values() if row["problem"]), *wrong()])
    if data["workspace"]["free_bytes"] < 2e9:
        problems.append(f"less than 2 GB free in {data['workspace']['path']}; free some or set SPLAZMATTE_WORKSPACE")
    return problems


def _services(*, network: bool) -> dict[str, dict[str, str]]:
    """Return of each service that settings name whether it is set, and what is wrong with it."""
    from app_logic.checks import CHECKS, try_all

    tried = try_all() if network else {}
    return {title: _service(check.is_set(), tried.get(title), check.obstacle) for title, check in CHECKS.items()}


def _service(is_set: bool, tried: str | None, obstacle: str) -> dict[str, str]:
    problem = tried or obstacle
    state = "not set" if not is_set else "problem" if problem else "set" if tried is None else "works"
    return {"state": state, "problem": problem}


def _text(data: dict[str, Any]) -> str:
    memory, free = (data[key] and f"{data[key] / 2**30:.1f}" for key in ("memory_bytes", "memory_available_bytes"))
    missing = [name for name, ok in data["codecs"].items() if not ok]
    lines = [
        f"SplazMatte {data['version']}, Python {data['python']}, {data['system']}",
        f"device     {data['device']}, {data['cpus']} CPUs, {free or '?'} of {memory or '?'} GiB memory free",
        "packages   " + ", ".join(f"{name} {version or '-'}" for name, version in data["packages"].items()),
        f"codecs     {len(data['codecs']) - len(missing)} of {len(data['codecs'])} there",
        "engines    " + (", ".join(name for name, state in data["engines"].items() if state == "ready") or "-"),
        *(f"           {name}: {state}" for name, state in data["engines"].items() if state != "ready"),
        f"weights    {_weights_text(data['weights'])}",
        f"           in {data['models_dir']['path']}, {data['models_dir']['free_bytes'] / 1e9:.1f} GB free",
        "sdks       " + ", ".join(f"{name}: {'ready' if there else 'missing'}" for name, there in data["sdks"].items()),
        "services   " + ", ".join(f"{title}: {row['state']}" for title, row in data["services"].items()),
        f"workspace  {data['workspace']['path']}, {data['workspace']['free_bytes'] / 1e9:.1f} GB free",
    ]
    return "\n".join([*lines, *(f"missing    {text}" for text in data["problems"] or ["nothing"])])


def _weights_text(states: dict[str, str]) -> str:
    """Return which weights are there, and how many there could be."""
    parts = [f"{len([1 for state in states.values() if state == 'ready'])} of {len(states)} there"]
    for wanted in ("ready", "partial"):
        if names := [name for name, state in states.items() if state == wanted]:
            parts.append(f"{wanted}: {', '.join(names)}")
    return "; ".join(parts)
