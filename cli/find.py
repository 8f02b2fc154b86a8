"""Command `find`: everything in a clip that a text names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commercial import Commercial, changed_terms
from cli.matting import new_session
from cli.options import stoppable
from cli.output import Debug, Json, ProgressBar, show
from cli.text import counted, printable, table
from cli.workspace import matting_store, open_session

if TYPE_CHECKING:
    from matting_runner.find import FoundInstance
    from session_store import EngineChoice, MattingSession, SessionObject


def find(
    target: Annotated[
        str, typer.Argument(metavar="SESSION_OR_VIDEO", help="A session, or a video for a new one.", show_default=False)
    ],
    text: Annotated[str, typer.Option("--text", help="What to find, as 'person' or 'red car'.", show_default=False)],
    pick: Annotated[str, typer.Option("--pick", help="Make objects of these instances, as 1,3.")] = "",
    frames: Annotated[str, typer.Option("--range", help="START:STOP, frames from 0, STOP not included.")] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", help="The engine's parameter, NAME=VALUE; repeatable.")
    ] = None,
    commercial: Commercial = None,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Find every instance of a text through a clip; --pick makes objects of those that you want, then `run` goes on.

    What was found is kept: the same search again only shows it.
    """
    from cli.prompts import parse_params, parse_range
    from matting_runner.find import adopt

    span = parse_range(frames) if frames else None
    numbers = _numbers(pick)
    with _opened(target, changed_terms(commercial)) as session:
        found = _search(session, text, span, _choice(session, parse_params(param or [])))
    objects = adopt(session, found, numbers) if numbers else []
    again = "".join([f" --range {frames}" if frames else "", *(f" --param {value}" for value in param or [])])
    show(_data(session, text, found, objects), lambda: _text(session, text, again, found, objects))


@contextmanager
def _opened(target: str, terms: dict[str, Any]) -> Iterator[MattingSession]:
    """Give the session of that id, or a new one of a video, which is removed again where it cannot be searched."""
    from cli.prompts import Given
    from errors import Cancelled, SplazMatteError

    path = Path(target)
    if not path.is_file():
        session = open_session(target)
        if terms:
            with session.lock():
                session.state = session.state.model_copy(update=terms)
                session.save()
        yield session
        return
    session = new_session(path, Given(), terms)
    try:
        yield session
    except Cancelled:
        raise
    except SplazMatteError:
        matting_store().delete(session.state.id)
        raise


def _choice(session: MattingSession, params: dict[str, str]) -> EngineChoice:
    from engines.registry import check_params, get_spec
    from engines.spec import Job
    from matting_runner.find import finder_choice

    choice = finder_choice(session.state)
    checked = check_params(get_spec(Job.SEGMENTER, choice.name), {**choice.params, **params})
    return choice.model_copy(update={"params": {name: checked[name] for name in {**choice.params, **params}}})


def _search(
    session: MattingSession, text: str, span: tuple[int, int] | None, choice: EngineChoice
) -> list[FoundInstance]:
    from matting_runner.find import find_in_video, found_before

    known = found_before(session, text, span, choice)
    if known is not None:
        return known
    with stoppable() as should_stop, ProgressBar() as bar:
        return find_in_video(session, text, span, bar, should_stop, choice=choice)


def _numbers(text: str) -> list[int]:
    from errors import PromptError

    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts) or (text and not parts):
        raise PromptError(f"--pick '{text}' is not a list of instances, as in --pick 1,3")
    return [int(part) for part in parts]


def _data(
    session: MattingSession, text: str, found: list[FoundInstance], objects: list[SessionObject]
) -> dict[str, Any]:
    return {
        "session_id": session.state.id,
        "session_dir": str(session.folder),
        "text": text,
        "found": [instance.model_dump(mode="json") for instance in found],
        "objects": [{"id": item.id, "name": item.name, "keyframes": sorted(item.keyframes)} for item in objects],
    }


def _text(
    session: MattingSession, text: str, again: str, found: list[FoundInstance], objects: list[SessionObject]
) -> str:
    number = session.state.id
    if not found:
        return f"session {number}: no '{text}' was found; try another word, or --param threshold=0.3"
    rows = [("instance", "frames", "seen on", "best on", "score")]
    rows += [
        (str(one.id), f"{one.first}-{one.last}", str(one.frames), str(one.best), f"{one.score:.2f}") for one in found
    ]
    lines = [f"session {number}: {counted(len(found), 'instance')} of '{text}'", table(rows)]
    lines += [
        f"added '{printable(item.name)}', keyframes {', '.join(map(str, sorted(item.keyframes)))}" for item in objects
    ]
    if objects:
        lines.append(f"go on: run.py run {number}")
    else:
        lines.append(f"to make objects of some: run.py find {number} --text '{text}'{again} --pick {found[0].id}")
    return "\n".join(lines)
