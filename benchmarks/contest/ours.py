"""Our side of a contest: a session like any other, through `run_matting`."""

from __future__ import annotations

import numpy as np

from benchmarks.contest.task import Results, Task, Watch
from matting_runner import Stage, add_mask, create_session, load_info, run_matting
from pipeline.alpha_store import AlphaStore
from pipeline.masks import MaskFolder, load_mask_image
from session_store import EngineChoice, MattingSession


def new_session(task: Task) -> MattingSession:
    """Return a session of the clip with one object, whose mask of frame 0 is given."""
    session = create_session(task.sessions, task.clip)
    add_mask(session, session.add_object("object"), 0, task.mask, load_info(session))
    return session


def propagate(task: Task, watch: Watch, choice: EngineChoice) -> None:
    """Make masks for all frames: video file -> PNGs."""
    session = new_session(task)
    session.state.propagator = choice
    session.save()
    _run(session, watch, Stage.PROPAGATE)


def matte(task: Task, watch: Watch, choice: EngineChoice, *, until: Stage, every_mask: bool) -> None:
    """Make alpha, and where `until` says so alpha and foreground as videos, from the first mask or from all of them."""
    session = new_session(task)
    session.state.matter = choice
    if every_mask:
        info = load_info(session)
        for path in sorted(task.masks.glob("*.png")):
            add_mask(session, session.state.objects[0], int(path.stem), path, info)
    session.save()
    _run(session, watch, until)


def _run(session: MattingSession, watch: Watch, until: Stage) -> None:
    watch.lap("session")
    result = run_matting(session, until=until, check=False)
    watch.lap("run")
    total = watch.seconds.pop("run")
    watch.seconds |= {stage: seconds for stage, seconds in result.seconds.items() if seconds}
    watch.seconds["between stages"] = total - sum(result.seconds.values())


def session_of(task: Task) -> MattingSession:
    """Return the session that was made."""
    (name,) = task.sessions.ids()
    return task.sessions.open(name)


def masks(task: Task) -> Results:
    """Return the masks of all frames, keyframes included."""
    session = session_of(task)
    folder = MaskFolder(session.masks_dir(1, "propagated"))
    found = {index: folder.read(index) for index in folder.indices()}
    found[0] = load_mask_image(task.mask)
    return {index: np.divide(mask, 255, dtype=np.float32) for index, mask in found.items()}


def alphas(task: Task) -> Results:
    """Return the alpha of all frames."""
    store = AlphaStore(session_of(task).alpha_dir)
    found = {index: store.read(index) for start, stop in store.spans() for index in range(start, stop)}
    store.close()
    return found
