"""The web app in a process of its own, started and ended by a test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
Value = TypeVar("Value")


@dataclass
class App:
    """The web app in a process of its own."""

    workspace: Path
    port: int
    process: subprocess.Popen[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def start_app(workspace: Path, *, port: int = 0, environment: Mapping[str, str] | None = None) -> App:
    """Start the app on a free port and wait until it answers."""
    workspace.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    extra = dict(environment or {})
    settings = {"SPLAZMATTE_WORKSPACE": str(workspace), **extra}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}  # NiceGUI looks
    log = workspace / "app.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port), "--no-browser"],
            cwd=ROOT, env={**inherited, **settings}, stdout=output, stderr=output, text=True,
        )  # fmt: skip
    app = App(workspace, port, process, log, extra)
    try:
        wait_for(lambda: answers(app), 30, what="the app to answer")
    except BaseException:
        app.kill()
        raise AssertionError(f"the app did not start: {log.read_text()[-2000:]}") from None
    return app


def answers(app: App) -> bool:
    """Tell whether the app serves."""
    if app.process.poll() is not None:
        raise AssertionError(f"the app ended: {app.log.read_text()[-2000:]}")
    try:
        with urllib.request.urlopen(app.url + "/static/page.css", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Value], seconds: float = 60, *, what: str = "") -> Value:
    """Return what `condition` returns once that is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what or condition}")
        time.sleep(0.02)  # between two looks at another process; nothing here can tell us
