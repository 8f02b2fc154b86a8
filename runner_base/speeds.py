"""How fast this machine is: learned from every run and kept in the workspace's speeds.json.

A speed is a factor: the seconds that this machine takes for what the reference machine does in one. It is kept by kind
of machine, as machines may share a workspace, and by stage and engine. What was not measured yet is guessed from what
was, and before any run from a short calibration. Whatever goes wrong with the file, no run fails by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field

from errors import SplazMatteError
from json_store import JsonStore
from machine import fingerprint
from runner_base.calibration import calibrate

FILE_NAME = "speeds.json"
FEWEST, SHORTEST = 12, 0.1
"""Frames and seconds below which a measurement says more about starting up than about speed."""
REMEMBERED = 600
"""Frames that the past counts for at most, so that a machine's speed can change."""
MACHINES = 32
"""Kinds of machines that are kept; the oldest goes."""


@dataclass(frozen=True)
class Measured:
    """What a stage of a run took."""

    frames: float
    seconds: float
    reference: float
    """Seconds that the reference machine would have taken."""

    @property
    def tells(self) -> bool:
        """Tell whether it says something about speed."""
        return self.frames >= FEWEST and min(self.seconds, self.reference) > SHORTEST


class Speed(BaseModel):
    """One learned factor."""

    factor: float = Field(gt=0, allow_inf_nan=False)
    frames: float = Field(gt=0, allow_inf_nan=False)
    """That it was learned from; old ones count less and less."""

    def updated(self, measured: Measured) -> Speed:
        """Return the weighted geometric mean of this and what was measured now."""
        past, now = min(self.frames, REMEMBERED), min(measured.frames, REMEMBERED)
        ratio = math.log(measured.seconds / measured.reference)
        return Speed(factor=math.exp((past * math.log(self.factor) + now * ratio) / (past + now)), frames=past + now)


class MachineSpeeds(BaseModel):
    """The speeds of one kind of machine."""

    calibration: float | None = Field(None, gt=0, allow_inf_nan=False)
    stages: dict[str, Speed] = {}


class SpeedTable(BaseModel):
    """What speeds.json holds."""

    machines: dict[str, MachineSpeeds] = {}


class Speeds:
    """The speeds of this machine in one workspace."""

    def __init__(
        self, workspace: Path, machine: str | None = None, calibration: Callable[[], float] = calibrate
    ) -> None:
        """Read the file.

        Args:
            workspace: the folder of speeds.json.
            machine: the kind of machine, by default this one's.
            calibration: what measures a machine that has run nothing.
        """
        self._path = workspace / FILE_NAME
        self._machine = machine or fingerprint()
        self._calibration = calibration
        self._mine = self._load().machines.get(self._machine, MachineSpeeds())

    def factor(self, key: str) -> float:
        """Return the factor of `key`, a stage and what does it, as in 'matte guided'."""
        known = self._mine.stages
        if key in known:
            return known[key].factor
        stage = key.partition(" ")[0]
        same = [speed for name, speed in known.items() if name.partition(" ")[0] == stage]
        return _mean(same or known.values()) or self._calibrated()

    def learn(self, measured: Mapping[str, Measured]) -> None:
        """Take what a run took, by key; what is too little to tell is left out."""
        useful = {key: entry for key, entry in measured.items() if entry.tells}
        if useful:
            self._update(lambda mine: _learn(mine, useful))

    def _calibrated(self) -> float:
        if self._mine.calibration is None:
            value = self._calibration()
            self._update(lambda mine: mine.model_copy(update={"calibration": value}))
            self._mine.calibration = value  # also where it could not be written
        return self._mine.calibration

    def _update(self, change: Callable[[MachineSpeeds], MachineSpeeds]) -> None:
        """Change this machine's speeds in the file; where it is busy or cannot be written, only here."""
        self._mine = change(self._mine)
        lock = FileLock(self._path.with_name(".speeds.lock"), blocking=False)
        with suppress(OSError, SplazMatteError, Timeout), lock:
            machines = self._load().machines
            mine = change(machines.pop(self._machine, MachineSpeeds()))
            kept = dict(list(machines.items())[1 - MACHINES :])
            JsonStore(self._path, SpeedTable).save(SpeedTable(machines={**kept, self._machine: mine}))

    def _load(self) -> SpeedTable:
        try:
            return JsonStore(self._path, SpeedTable).load()
        except (OSError, SplazMatteError):  # none yet, damaged (then it is set aside), newer, or not readable
            return SpeedTable()


def _learn(mine: MachineSpeeds, measured: Mapping[str, Measured]) -> MachineSpeeds:
    stages = dict(mine.stages)
    for key, entry in measured.items():
        first = Speed(factor=entry.seconds / entry.reference, frames=min(entry.frames, REMEMBERED))
        stages[key] = stages[key].updated(entry) if key in stages else first
    return mine.model_copy(update={"stages": stages})


def _mean(speeds: Iterable[Speed]) -> float | None:
    """Return the weighted geometric mean, None of nothing."""
    weighted = [(speed.frames, math.log(speed.factor)) for speed in speeds]
    total = sum(weight for weight, _ in weighted)
    return math.exp(sum(weight * value for weight, value in weighted) / total) if total else None
