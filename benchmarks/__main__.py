"""`just bench`: quality against ground truth, media against the ffmpeg program, engines against their authors' code.

    just bench quality [clicks|propagation|matting …]    needs ../shared
    just bench media [extract|encode|runner|growth|estimate …]
    just bench tracking                                  point tracking; joints of animals too where ../shared is
    just bench ui                                        the web app in a real Chromium
    just bench engines [--quick] [--profile] [sam2 …]    neural engines against their authors' scripts, random weights
    just bench                                           everything but the engines, which take long

Prints tables and writes benchmarks/results/NAME.json.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"
DEMO = ROOT / "assets" / "demo" / "clip.mp4"

Measure = Callable[[], dict[str, Any]]


def _quality(name: str) -> Measure:
    return lambda: importlib.import_module(f"benchmarks.{name}").run()


def _media(module: str, function: str, *arguments: object) -> Measure:
    return lambda: getattr(importlib.import_module(f"benchmarks.{module}"), function)(*arguments)


GROUPS: dict[str, dict[str, Measure]] = {
    "quality": {name: _quality(name) for name in ("clicks", "propagation", "matting")},
    "media": {
        "extract": _media("media_in", "run", DEMO),
        "encode": _media("media_out", "run"),
        "runner": _media("runner", "overhead"),
        "growth": _media("runner", "growth"),
        "estimate": _media("estimate", "run"),
    },
    "tracking": {"tracking": _quality("tracking")},
    "ui": {"ui": _quality("ui")},
    "engines": {},
}
TABLES = {*GROUPS["quality"], "estimate", "engines", "tracking"}
"""Benchmarks whose module makes a table of its own."""


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("group", nargs="?", choices=[*GROUPS, "all"], default="all")
    parser.add_argument("names", nargs="*", help="which of the group; all of them if not given")
    parser.add_argument("--quick", action="store_true", help="engines: few small frames, one round")
    parser.add_argument("--profile", action="store_true", help="engines: what the time goes into, too")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    if arguments.group == "engines":
        from benchmarks import engines

        if unknown := sorted(set(arguments.names) - set(engines.NAMES)):
            parser.error(f"no engine '{unknown[0]}'; there is: {', '.join(engines.NAMES)}")
        _report("engines", lambda: engines.run(arguments.names, quick=arguments.quick, profile=arguments.profile))
        return 0
    groups = list(GROUPS) if arguments.group == "all" else [arguments.group]
    chosen = {name: measure for group in groups for name, measure in GROUPS[group].items()}
    unknown = sorted(set(arguments.names) - set(chosen))
    if unknown:
        parser.error(f"no benchmark '{unknown[0]}' in {arguments.group}; there is: {', '.join(chosen)}")
    RESULTS.mkdir(exist_ok=True)
    for name, measure in chosen.items():
        if name in arguments.names or not arguments.names:
            _report(name, measure)
    return 0


def _report(name: str, measure: Measure) -> None:
    if name in GROUPS["quality"] and not SHARED.is_dir():
        print(f"{name}: skipped, there is no ground truth in ../shared", flush=True)
        return
    result = measure()
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, default=float) + "\n")
    print(f"\n{name}")
    if name in TABLES:
        text = "\n".join(importlib.import_module(f"benchmarks.{name}").lines(result))
    else:
        text = "\n".join(_flat(result))
    print(text, flush=True)


def _flat(result: dict[str, Any], prefix: str = "") -> list[str]:
    """Return 'name  value' lines of a nested result."""
    lines: list[str] = []
    for key, value in result.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{prefix}{key}.")
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            lines.append(f"  {prefix + str(key):<36} {shown}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
