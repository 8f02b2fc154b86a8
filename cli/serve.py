"""Command `serve`: the web app, in this process's place."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from cli.output import Debug, Json


def serve(
    port: Annotated[int | None, typer.Option(help="Port of the web app; SPLAZMATTE_PORT if not given.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; SPLAZMATTE_HOST if not given.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    json_output: Json = False,
    debug: Debug = False,
) -> int:
    """Start the web app."""
    from config import ROOT

    command = [sys.executable, str(ROOT / "app.py")]
    command += ["--port", str(port)] if port is not None else []
    command += ["--host", host] if host is not None else []
    command += [] if browser else ["--no-browser"]
    if os.name == "nt":  # execv there ends this process, and with it what waits for it
        return subprocess.call(command)
    os.execv(command[0], command)
