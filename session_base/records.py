"""What sessions of all kinds keep: which engines were chosen, what was delivered, how the last run ended."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel


class EngineChoice(BaseModel):
    """An engine by name, with the parameters that differ from its defaults."""

    name: str
    params: dict[str, int | float | bool | str] = {}


class Delivered(BaseModel):
    """One deliverable: its path inside the session and what it was made from."""

    path: str
    mark: str


class RunRecord(BaseModel):
    """How the last run ended."""

    status: Literal["running", "done", "failed", "cancelled"]
    error: str = ""
    seconds: dict[str, float] = {}
    frames: dict[str, float] = {}
    notices: list[str] = []
    """What engines did other than they were asked to."""


SIDECAR = ".sidecar.json"
"""Ending of the file beside a deliverable that says how it was made; see runner_base.sidecar."""


def sidecar_path(deliverable: Path) -> Path:
    """Return where the sidecar of a file or folder lies."""
    return deliverable.with_name(deliverable.name + SIDECAR)


def digest(data: bytes) -> str:
    """Return the shortened SHA-256 by which marks name a file's content."""
    return hashlib.sha256(data).hexdigest()[:16]
