"""Commands `matte`, `run` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commercial import Commercial, changed_terms, terms_field
from cli.options import Force, Queue, split_formats, stoppable
from cli.output import Debug, Json, ProgressBar, show
from cli.queue import ThenTrack, show_jobs
from cli.text import printable
from cli.workspace import enqueue, matting_store, open_session

if TYPE_CHECKING:
    from cli.prompts import Given
    from matting_runner import RunResult
    from pipeline.info import VideoInfo
    from session_store import MattingSession

Formats = Annotated[str, typer.Option("--formats", help="Comma-separated: alpha,foreground,prores,webm,png,exr.")]
Premultiplied = Annotated[
    bool | None, typer.Option("--premultiplied/--straight", help="Colours; each format's own convention if not given.")
]


def matte(
    video: Annotated[Path, typer.Argument(help="The video; it is copied, never changed.", show_default=False)],
    mask: Annotated[
        list[str] | None, typer.Option("--mask", help="[OBJECT@]FRAME=IMAGE, as 0=first.png; repeatable.")
    ] = None,
    points: Annotated[
        list[str] | None, typer.Option("--points", help="[OBJECT@]FRAME:±X,Y …, as '0:+640,360 -100,80'; repeatable.")
    ] = None,
    box: Annotated[
        list[str] | None, typer.Option("--box", help="[OBJECT@]FRAME:X0,Y0,X1,Y1, as 0:100,80,400,300; repeatable.")
    ] = None,
    segmenter: Annotated[
        str, typer.Option(help="Engine for prompts to masks; the best that can run here if not given.")
    ] = "",
    propagator: Annotated[str, typer.Option(help="Engine for masks through the clip; likewise.")] = "",
    matter: Annotated[str, typer.Option(help="Engine for masks to alpha; likewise.")] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", help="An engine's parameter, [JOB.]NAME=VALUE; repeatable.")
    ] = None,
    direction: Annotated[str, typer.Option(help="forward, backward or both.")] = "both",
    frames: Annotated[str, typer.Option("--range", help="START:STOP, frames from 0, STOP not included.")] = "",
    formats: Formats = "alpha,foreground",
    premultiplied: Premultiplied = None,
    sheet: Annotated[bool, typer.Option("--contact-sheet", help="Write a contact sheet to look at as well.")] = False,
    commercial: Commercial = None,
    force: Force = False,
    queue: Queue = False,
    then_track: ThenTrack = 0,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Cut objects out of VIDEO: keyframe masks, points or boxes in, alpha and foreground out.

    Several objects are told apart by names, as in --points 'dog@0:+640,360' --mask cat@12=cat.png.
    """
    from cli.prompts import parse, parse_params, parse_range
    from errors import ParameterError, PromptError

    if then_track and not queue:
        raise ParameterError("--then-track goes with --queue; after a run, use: run.py track --from ID")
    given = parse(mask or [], points or [], box or [])
    if not given.names():
        raise PromptError("no keyframe: give at least one --mask, --points or --box, as in --points 0:+640,360")
    engines = {"segmenter": segmenter, "propagator": propagator, "matter": matter}
    terms = terms_field(commercial, engines)
    choices = _choices(engines, parse_params(param or []))
    _refuse_missing(choices)
    span = parse_range(frames) if frames else None
    session = new_session(video, given, choices | terms | _delivery(direction, span, formats, premultiplied))
    if queue:
        show_jobs([enqueue(session, force=force, then_track=then_track)])
    else:
        run_and_show(session, new=True, sheet=sheet, force=force)


def run_again(
    session_id: str,
    engines: dict[str, str],
    param: list[str],
    frames: str,
    formats: str,
    *,
    commercial: bool | None,
    force: bool,
) -> None:
    """Run a matting session with what is changed here; see `cli.run`."""
    session = open_session(session_id)
    changes = _changes(session, engines, param)
    if frames:
        from cli.prompts import parse_range

        changes["range"] = parse_range(frames)
    if formats:
        from matting_runner import check_formats

        changes["formats"] = check_formats(split_formats(formats))
    changes |= changed_terms(commercial)
    _refuse_missing({job: changes[job] for job in ("segmenter", "propagator", "matter") if job in changes})
    if changes:
        with session.lock():
            session.state = session.state.model_copy(update=changes)
            session.save()
    run_and_show(session, force=force)


def export(
    session_id: Annotated[str, typer.Argument(help="The session; `list` shows the ids.", show_default=False)],
    formats: Formats = "prores",
    premultiplied: Premultiplied = None,
    commercial: Commercial = None,
    force: Force = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Make further formats of a finished session from its lossless alpha; no engine runs."""
    from matting_runner import check_formats, export_session

    session = open_session(session_id)
    if commercial is not None:
        with session.lock():
            session.state.commercial = commercial
            session.save()
    with stoppable() as should_stop, ProgressBar() as bar:
        result = export_session(
            session,
            check_formats(split_formats(formats)),
            premultiplied=premultiplied,
            on_progress=bar,
            should_stop=should_stop,
            check=not force,
        )
    show(result.summary(), lambda: result_text(result))


def new_session(video: Path, given: Given, decisions: dict[str, Any]) -> MattingSession:
    """Create a session for `video` with the prompts given; one that cannot be used leaves nothing behind."""
    from matting_runner import create_session, load_info

    store = matting_store()
    session = create_session(store, video)
    try:
        with session.lock():
            _add_objects(session, given, load_info(session))
            for name, value in decisions.items():
                setattr(session.state, name, value)
            session.save()
    except BaseException:
        store.delete(session.state.id)
        raise
    return session


def _add_objects(session: MattingSession, given: Given, info: VideoInfo) -> None:
    from matting_runner import add_mask, check_prompts

    for name in given.names():
        item = session.add_object(name)
        for index, image in given.masks.get(name, {}).items():
            add_mask(session, item, index, image, info)
        item.prompts = given.prompts.get(name, {})
    check_prompts(session.state.objects, info)


def _delivery(direction: str, span: tuple[int, int] | None, formats: str, premultiplied: bool | None) -> dict[str, Any]:
    from errors import ParameterError
    from matting_runner import check_formats

    if direction not in ("forward", "backward", "both"):
        raise ParameterError(f"--direction must be forward, backward or both, not '{direction}'")
    names = check_formats(split_formats(formats))
    return {"direction": direction, "range": span, "formats": names, "premultiplied": premultiplied}


def _choices(names: dict[str, str], params: dict[str, str]) -> dict[str, Any]:
    """Return {job: EngineChoice}; a parameter goes to the job it names, or to the only engine that has it.

    An engine that is not named is the best that can run here, with the model that is on the disk.
    """
    from engines.registry import check_params, get_spec, preferred
    from engines.spec import Job
    from errors import ParameterError
    from session_store import EngineChoice

    best = {job: preferred(Job(job)) if not name else (name, {}) for job, name in names.items()}
    specs = {job: get_spec(Job(job), name) for job, (name, _) in best.items()}
    given: dict[str, dict[str, Any]] = {job: dict(params) for job, (_, params) in best.items()}
    for key, value in params.items():
        job, dot, name = key.rpartition(".")
        owners = [job] if dot else [j for j, spec in specs.items() if any(p.name == name for p in spec.params)]
        if len(owners) != 1 or owners[0] not in specs:
            known = ", ".join(f"{j}.{p.name}" for j, spec in specs.items() for p in spec.params)
            raise ParameterError(f"--param {key}: no single engine has it; there is: {known}")
        given[owners[0]][name] = value
    checked = {job: check_params(spec, given[job]) for job, spec in specs.items()}
    return {job: EngineChoice(name=best[job][0], params={k: checked[job][k] for k in given[job]}) for job in names}


def _refuse_missing(choices: dict[str, Any]) -> None:
    """Refuse engines that cannot run here, before a video is copied.

    Raises:
        EngineUnavailableError: with the command that mends it.
    """
    from engines.registry import get_spec, obstacle
    from engines.spec import Job
    from errors import EngineUnavailableError

    for job, choice in choices.items():
        if reason := obstacle(get_spec(Job(job), choice.name), choice.params):
            raise EngineUnavailableError(reason)


def _changes(session: MattingSession, names: dict[str, str], params: list[str]) -> dict[str, Any]:
    """Return the engines that are to change, with the session's own parameters where the engine stays."""
    from cli.prompts import parse_params

    before = {job: getattr(session.state, job) for job in names}
    chosen = _choices({job: name or before[job].name for job, name in names.items()}, parse_params(params))
    for job, choice in chosen.items():
        if choice.name == before[job].name:
            choice.params = before[job].params | choice.params
    return {job: choice for job, choice in chosen.items() if choice != before[job]}


def run_and_show(session: MattingSession, *, new: bool = False, sheet: bool = False, force: bool = False) -> None:
    """Run `session` and print what it gave."""
    result = run_session(session, new=new, force=force)
    if sheet:
        from matting_runner import write_contact_sheet

        result.outputs["contact_sheet"] = write_contact_sheet(session, result.span)
    show(result.summary(), lambda: result_text(result))


def run_session(session: MattingSession, *, new: bool, force: bool = False) -> RunResult:
    """Run `session` with a bar; a new one that turns out to be unusable is removed, work never."""
    from errors import InputError
    from matting_runner import run_matting

    try:
        with stoppable() as should_stop, ProgressBar() as bar:
            return run_matting(session, on_progress=bar, should_stop=should_stop, check=not force)
    except InputError:
        if new and not any(item.propagated.spans for item in session.state.objects):
            _remove(session)
        raise


def _remove(session: MattingSession) -> None:
    from session_store import SessionStore

    SessionStore(session.folder.parent).delete(session.state.id)


def result_text(result: RunResult) -> str:
    """Return a result for people."""
    lines = [f"session {result.session.state.id}: {result.frames} frames"]
    for stage, seconds in result.seconds.items():
        speed = f"{result.fps[stage]:8.1f} frames/s" if stage in result.fps else "  nothing to do"
        lines.append(f"  {stage:<14}{seconds:8.2f} s{speed}")
    if result.engines:
        lines.append(f"  {'made by':<14}" + ", ".join(f"{job} {engine}" for job, engine in result.engines.items()))
    lines += [f"  {'note':<14}{text}" for text in result.notices]
    lines += [f"  {name:<14}{path}" for name, path in result.outputs.items()]
    if result.keyframes_wanted:
        wanted = ", ".join(f"{printable(name)} at frame {index}" for name, index in result.keyframes_wanted)
        lines.append(f"  the mask is least certain for: {wanted} (a keyframe there would help)")
    return "\n".join(lines)
