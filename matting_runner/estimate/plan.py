"""What a run of a session expects of itself; see `runner_base.plan`."""

from __future__ import annotations

from matting_runner.estimate import Estimate, estimate_run
from matting_runner.estimate.proposals import check
from matting_runner.progress import Reporter, Stage
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base.facts import load_info
from runner_base.plan import Plan, speeds_of
from runner_base.room import Room
from session_store import MattingSession


def foresee(session: MattingSession, *, until: Stage = Stage.DELIVER, refuse: bool = True) -> Needs:
    """Return what a run of `session` will need, without running it.

    Raises:
        ResourceError: it clearly does not fit this machine, and `refuse` is set.
    """
    plan = plan_of(session, Reporter(), until)
    plan.begin(load_info(session), None, refuse=refuse)
    return plan.needs


def plan_of(session: MattingSession, reporter: Reporter, until: Stage) -> Plan:
    """Return the plan of a run.

    Args:
        session: that is run, in the state in which it is.
        reporter: of the run.
        until: the run's last stage.
    """
    speeds = speeds_of(session)

    def estimate(other: MattingSession, info: VideoInfo) -> Estimate:
        return estimate_run(other, info, speeds, until=until)

    return Plan(
        reporter,
        speeds,
        lambda info: estimate(session, info),
        lambda info, found: check(session, info, found, Room.here(session.folder), estimate),
    )
