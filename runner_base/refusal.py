"""Why a run is refused, and what would fit: one line for the user."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.filesize import decimal

from queue_logic.job import Needs
from runner_base.plan import Estimate
from runner_base.room import Room, Verdict

SHOWN = 2
"""Proposals in a refusal."""


@dataclass(frozen=True)
class Proposal:
    """An alternative that fits."""

    text: str
    """What to do, as on the command line."""
    needs: Needs


def first_fitting(options: Iterable[tuple[str, Needs]], room: Room) -> Proposal | None:
    """Return the first of the alternatives (what to do, what it needs) that fits; None if none does."""
    return next((Proposal(text, needs) for text, needs in options if room.verdict(needs) is Verdict.FITS), None)


def refusal(session_id: str, estimate: Estimate, room: Room, proposals: list[Proposal]) -> str:
    """Return the refusal in one line."""
    needs, lacks, helps = estimate.needs, [], []
    if room.memory_verdict(needs) is Verdict.TOO_LARGE:
        stage = f"for stage '{estimate.hungriest}'"
        lacks.append(f"about {decimal(needs.memory_bytes)} of memory {stage}, {decimal(room.memory)} is free")
        if Room(room.memory_total, room.memory_total, room.disk).memory_verdict(needs) is not Verdict.TOO_LARGE:
            helps.append(f"close other programs ({decimal(room.memory_total)} in all)")
    if room.disk_verdict(needs) is Verdict.TOO_LARGE:
        lacks.append(f"about {decimal(needs.disk_bytes)} of disk, {decimal(room.disk)} is free")
        helps.append("free space with: run.py session clean, or set SPLAZMATTE_WORKSPACE to a larger disk")
    fitting = [f"{proposal.text} [{_amounts(proposal.needs)}]" for proposal in proposals[:SHOWN]]
    if fitting:
        helps.insert(0, f"this fits: {'; or '.join(fitting)}")
    what = "; or ".join(helps) or "no setting makes it fit: it takes a larger machine"
    return f"session {session_id} needs {' and '.join(lacks)}; {what}; --force tries it as it is"


def _amounts(needs: Needs) -> str:
    return f"{decimal(needs.memory_bytes)} memory, {decimal(needs.disk_bytes)} disk"
