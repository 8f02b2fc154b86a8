"""Commands whose recipes are there already and whose work is not: they say so."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import Debug, Json
from errors import SplazMatteError


def serve(
    port: Annotated[int, typer.Option(help="Port of the web app.")] = 7870,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Start the web app (not in this version)."""
    raise SplazMatteError("the web app is not in this version; today: ./start.sh demo, or run.py matte VIDEO")


def run_queue(json_output: Json = False, debug: Debug = False) -> None:
    """Run the jobs of the queue (not in this version)."""
    raise SplazMatteError("the queue is not in this version; today: run.py run ID for each session of run.py list")
