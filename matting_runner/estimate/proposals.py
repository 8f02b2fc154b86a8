"""What to change so that a run fits: each alternative is put through the same estimate before it is proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engines.registry import check_params, engines, obstacle, usable
from engines.spec import Job
from errors import ResourceError
from matting_runner.estimate import Estimate
from matting_runner.marks import spec_of
from pipeline.info import VideoInfo
from runner_base.refusal import Proposal, first_fitting, refusal
from runner_base.room import Room, Verdict
from session_store import EngineChoice, MattingSession

Estimator = Callable[[MattingSession, VideoInfo], Estimate]
SMALLER = (2 / 3, 1 / 2, 1 / 3, 1 / 4)
"""Sizes of the video that are tried last."""


@dataclass(frozen=True)
class _Option:
    """An alternative to try."""

    text: str
    session: MattingSession
    info: VideoInfo


def check(session: MattingSession, info: VideoInfo, estimate: Estimate, room: Room, estimator: Estimator) -> None:
    """Refuse a run that clearly cannot fit.

    Raises:
        ResourceError: what it needs, what there is, and what would fit.
    """
    if room.verdict(estimate.needs) is Verdict.TOO_LARGE:
        raise ResourceError(refusal(session.state.id, estimate, room, propose(session, info, room, estimator)))


def propose(session: MattingSession, info: VideoInfo, room: Room, estimator: Estimator) -> list[Proposal]:
    """Return alternatives that fit, the least loss first; one of each kind."""
    kinds = (
        _lighter(session, info),
        _other_engines(session, info),
        _fewer_formats(session, info, estimator),
        _shorter(session, info),
        _smaller(session, info),
    )
    return [
        proposal
        for options in kinds
        if (proposal := first_fitting(((o.text, estimator(o.session, o.info).needs) for o in options), room))
    ]


def _lighter(session: MattingSession, info: VideoInfo) -> Iterator[_Option]:
    """Yield lighter values of single parameters, then all of the lightest together."""
    flags: dict[str, str] = {}
    everything = session
    for job in (Job.SEGMENTER, Job.PROPAGATOR, Job.MATTER):
        choice: EngineChoice = getattr(session.state, job)
        now = check_params(spec_of(job, choice), choice.params)
        for param in spec_of(job, choice).params:
            reached = param.lighter.index(now[param.name]) + 1 if now[param.name] in param.lighter else 0
            for value in param.lighter[reached:]:
                if obstacle(spec_of(job, choice), now | {param.name: value}):
                    continue  # that model's weights are not on the disk
                flag = f"--param {job}.{param.name}={value}"
                yield _Option(flag, _with_param(session, job, param.name, value), info)
                everything, flags[param.name] = _with_param(everything, job, param.name, value), flag
    if len(flags) > 1:
        yield _Option(" ".join(flags.values()), everything, info)


def _other_engines(session: MattingSession, info: VideoInfo) -> Iterator[_Option]:
    for job in (Job.SEGMENTER, Job.PROPAGATOR, Job.MATTER):
        for spec in engines(job):
            if spec.name == getattr(session.state, job).name or (params := usable(spec)) is None:
                continue
            flags = "".join(f" --param {job}.{name}={value}" for name, value in params.items())
            other = _changed(session, **{job: EngineChoice(name=spec.name, params=params)})
            yield _Option(f"--{job} {spec.name}{flags}", other, info)


def _fewer_formats(session: MattingSession, info: VideoInfo, estimator: Estimator) -> Iterator[_Option]:
    """Yield fewer and fewer formats at a time, each time without the one that saves the most."""
    kept, left = list(session.state.formats), list[str]()
    while len(kept) > 1:

        def without(name: str, kept: list[str] = kept) -> tuple[int, int]:
            rest = _changed(session, formats=[other for other in kept if other != name])
            needs = estimator(rest, info).needs
            return needs.memory_bytes, needs.disk_bytes

        left.append(min(kept, key=without))
        kept = [name for name in kept if name != left[-1]]
        later = f"run.py export {session.state.id} --formats {','.join(left)}"
        yield _Option(f"--formats {','.join(kept)} (the others later, {later})", _changed(session, formats=kept), info)


def _shorter(session: MattingSession, info: VideoInfo) -> Iterator[_Option]:
    """Yield the first halves of the range."""
    start, stop = session.state.range or (0, info.frames)
    length = (stop - start) // 2
    while length:
        part = (start, start + length)
        yield _Option(f"--range {part[0]}:{part[1]}", _changed(session, range=part), info)
        length //= 2


def _smaller(session: MattingSession, info: VideoInfo) -> Iterator[_Option]:
    """Yield smaller sizes of the video, which the user has to make."""
    for factor in SMALLER:
        size = {"width": max(2, round(info.width * factor)), "height": max(2, round(info.height * factor))}
        text = f"a copy of the video of {size['width']}x{size['height']}"
        yield _Option(text, session, info.model_copy(update=size))


def _with_param(session: MattingSession, job: Job, name: str, value: object) -> MattingSession:
    choice: EngineChoice = getattr(session.state, job)
    return _changed(session, **{job: EngineChoice(name=choice.name, params={**choice.params, name: value})})


def _changed(session: MattingSession, **changes: object) -> MattingSession:
    """Return a copy with other decisions; never saved."""
    return MattingSession(session.folder, session.state.model_copy(update=changes))
