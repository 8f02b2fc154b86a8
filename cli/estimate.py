"""Command `estimate`: what a run will take, by stage, and whether it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import Debug, Json, show
from cli.text import bytes_text, table, time_text
from cli.workspace import kind_of, open_session, open_tracking_session

if TYPE_CHECKING:
    from runner_base.plan import Estimate
    from runner_base.refusal import Proposal
    from runner_base.room import Room


def estimate(
    session_id: Annotated[str, typer.Argument(help="The session; `list` shows the ids.", show_default=False)],
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Estimate memory, disk and time of what a run of a session still has to do, and whether it fits; runs nothing."""
    found, room, proposals = _tracking(session_id) if kind_of(session_id) == "tracking" else _matting(session_id)
    data = _data(session_id, found, room) | {
        "proposals": [{"text": proposal.text, **proposal.needs.model_dump()} for proposal in proposals]
    }
    show(data, lambda: _text(data))


Found = tuple["Estimate", "Room", "list[Proposal]"]


def _matting(session_id: str) -> Found:
    """Return what a run will take, what there is, and what would fit where it does not."""
    from matting_runner import load_info
    from matting_runner.estimate import estimate_run, speeds_of
    from matting_runner.estimate.proposals import propose
    from runner_base.room import Room, Verdict

    session = open_session(session_id)
    info, speeds, room = load_info(session), speeds_of(session), Room.here(session.folder)
    found = estimate_run(session, info, speeds)
    if room.verdict(found.needs) is Verdict.FITS:
        return found, room, []
    return found, room, propose(session, info, room, lambda other, facts: estimate_run(other, facts, speeds))


def _tracking(session_id: str) -> Found:
    from runner_base.facts import load_info
    from runner_base.plan import speeds_of
    from runner_base.room import Room, Verdict
    from tracking_runner.estimate import estimate_run
    from tracking_runner.plan import propose

    session = open_tracking_session(session_id)
    info, speeds, room = load_info(session), speeds_of(session), Room.here(session.folder)
    found = estimate_run(session, info, speeds)
    if room.verdict(found.needs) is Verdict.FITS:
        return found, room, []
    return found, room, propose(session, room, lambda other: estimate_run(other, info, speeds).needs)


def _data(session_id: str, found: Estimate, room: Room) -> dict[str, Any]:
    stages = {
        str(stage): {
            "frames": entry.frames,
            "seconds": round(entry.seconds, 2),
            "memory_bytes": entry.memory_bytes,
            "disk_bytes": entry.disk_bytes,
        }
        for stage, entry in found.stages.items()
    }
    return {
        "session_id": session_id,
        "stages": stages,
        **found.needs.model_dump(),
        "memory_free_bytes": room.memory,
        "disk_free_bytes": room.disk,
        "memory": room.memory_verdict(found.needs),
        "disk": room.disk_verdict(found.needs),
        "verdict": room.verdict(found.needs),
    }


def _text(data: dict[str, Any]) -> str:
    rows = [("", "frames", "time", "memory", "disk")]
    for stage, entry in data["stages"].items():
        if entry["frames"]:
            sizes = bytes_text(entry["memory_bytes"]), bytes_text(entry["disk_bytes"])
            rows.append((stage, str(entry["frames"]), time_text(entry["seconds"]), *sizes))
    rows.append(
        ("needed", "", time_text(data["seconds"]), bytes_text(data["memory_bytes"]), bytes_text(data["disk_bytes"]))
    )
    rows.append(("free", "", "", bytes_text(data["memory_free_bytes"]), bytes_text(data["disk_free_bytes"])))
    rows.append(("", "", "", data["memory"], data["disk"]))
    return "\n".join([table(rows), *(_proposal(entry) for entry in data["proposals"])])


def _proposal(entry: dict[str, Any]) -> str:
    memory, disk = bytes_text(entry["memory_bytes"]), bytes_text(entry["disk_bytes"])
    return f"this fits: {entry['text']} [{memory} memory, {disk} disk]"
