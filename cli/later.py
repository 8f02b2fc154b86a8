"""Command `serve`, whose recipe is there already and whose work is not: it says so."""

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
