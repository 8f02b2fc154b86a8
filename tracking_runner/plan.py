"""What a run of a session expects of itself, and what would fit where it does not; see `runner_base.plan`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engines.registry import check_params, engines, get_spec, obstacle, usable
from engines.spec import Job
from errors import ResourceError
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base.facts import load_info
from runner_base.plan import Estimate, Plan, speeds_of
from runner_base.progress import Reporter
from runner_base.refusal import Proposal, first_fitting, refusal
from runner_base.room import Room, Verdict
from session_base import EngineChoice
from tracking_runner.estimate import estimate_run
from tracking_runner.marks import VIDEO
from tracking_runner.stages import STAGES
from tracking_session_store import TrackingSession

Estimator = Callable[[TrackingSession], Needs]


def foresee(session: TrackingSession, *, until: str = STAGES[-1], refuse: bool = True) -> Needs:
    """Return what a run of `session` will need, without running it.

    Raises:
        ResourceError: it clearly does not fit this machine, and `refuse` is set.
    """
    plan = plan_of(session, Reporter(), until)
    plan.begin(load_info(session), None, refuse=refuse)
    return plan.needs


def plan_of(session: TrackingSession, reporter: Reporter, until: str) -> Plan:
    """Return the plan of a run.

    Args:
        session: that is run, in the state in which it is.
        reporter: of the run.
        until: the run's last stage.
    """
    speeds = speeds_of(session)

    def check(info: VideoInfo, found: Estimate) -> None:
        room = Room.here(session.folder)
        if room.verdict(found.needs) is Verdict.TOO_LARGE:
            options = propose(session, room, lambda other: estimate_run(other, info, speeds, until=until).needs)
            raise ResourceError(refusal(session.state.id, found, room, options))

    return Plan(reporter, speeds, lambda info: estimate_run(session, info, speeds, until=until), check)


def propose(session: TrackingSession, room: Room, estimator: Estimator) -> list[Proposal]:
    """Return alternatives that fit, the least loss first; one of each kind."""
    kinds = (_lighter(session), _other_engines(session), _without_video(session), _shorter(session))
    return [
        proposal
        for options in kinds
        if (proposal := first_fitting(((text, estimator(other)) for text, other in options), room))
    ]


def _lighter(session: TrackingSession) -> Iterator[tuple[str, TrackingSession]]:
    choice = session.state.tracker
    spec = get_spec(Job.TRACKER, choice.name)
    now = check_params(spec, choice.params)
    for param in spec.params:
        reached = param.lighter.index(now[param.name]) + 1 if now[param.name] in param.lighter else 0
        for value in param.lighter[reached:]:
            params = {**choice.params, param.name: value}
            if not obstacle(spec, now | params):
                other = EngineChoice(name=choice.name, params=params)
                yield f"--param {param.name}={value}", _changed(session, tracker=other)


def _other_engines(session: TrackingSession) -> Iterator[tuple[str, TrackingSession]]:
    for spec in engines(Job.TRACKER):
        if spec.name != session.state.tracker.name and (params := usable(spec)) is not None:
            flags = "".join(f" --param {name}={value}" for name, value in params.items())
            other = EngineChoice(name=spec.name, params=params)
            yield f"--tracker {spec.name}{flags}", _changed(session, tracker=other)


def _without_video(session: TrackingSession) -> Iterator[tuple[str, TrackingSession]]:
    others = [name for name in session.state.formats if name != VIDEO]
    if others and others != session.state.formats:
        yield f"--formats {','.join(others)}", _changed(session, formats=others)


def _shorter(session: TrackingSession) -> Iterator[tuple[str, TrackingSession]]:
    """Yield the first halves of the range."""
    start, stop = session.state.range or (0, load_info(session).frames)
    length = (stop - start) // 2
    while length:
        yield f"--range {start}:{start + length}", _changed(session, range=(start, start + length))
        length //= 2


def _changed(session: TrackingSession, **changes: object) -> TrackingSession:
    """Return a copy with other decisions; never saved."""
    return TrackingSession(session.folder, session.state.model_copy(update=changes))
