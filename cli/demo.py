"""Command `demo`: the whole job on the bundled clip, or on the user's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.matting import new_session, result_text, run_session
from cli.output import Debug, Json, note, show

if TYPE_CHECKING:
    from cli.prompts import Given
    from matting_runner import RunResult


def demo(
    video: Annotated[Path | None, typer.Argument(help="Your own video; the bundled clip if not given.")] = None,
    points: Annotated[
        list[str] | None,
        typer.Option("--points", help="Where the object is in VIDEO, as 0:+640,360; asked if not given."),
    ] = None,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Matte the bundled clip, or VIDEO, and write a contact sheet to look at."""
    from cli.prompts import Given, parse
    from matting_runner import write_contact_sheet

    clip = _assets()
    if video is None:
        masks = {int(path.stem.removeprefix("mask_")): path for path in sorted(clip.glob("mask_*.png"))}
        given = Given(masks={"subject": masks})
    else:
        given = parse([], points or [], []) if points else _ask(video)
    session = new_session(video or clip / "clip.mp4", given, _built_in() if video is None else {})
    result = run_session(session, new=True)
    sheet = write_contact_sheet(session, result.span)
    error = measure_error(result, clip / "alpha.mp4") if video is None else None
    show(
        {**result.summary(), "contact_sheet": str(sheet), "error": error},
        lambda: "\n".join([result_text(result), f"  {'look at':<14}{sheet}", *(_error_lines(error) if error else [])]),
    )


def measure_error(result: RunResult, truth: Path) -> dict[str, float]:
    """Compare the session's alpha with the true one of a grey video.

    Returns:
        mean_absolute_error and share_off (pixels more than 0.1 off), of all pixels; both 0..1; and
        edge_error: the mean absolute error where the true alpha is neither 0 nor 1.
    """
    import numpy as np

    from pipeline.alpha_store import AlphaStore
    from pipeline.decode import VideoReader
    from pipeline.probe import scan

    store = AlphaStore(result.session.alpha_dir)
    sums = np.zeros(5)
    with VideoReader(truth, scan(truth)) as reader:
        for index, frame in enumerate(reader.frames(0, result.frames)):
            true = frame[..., 0].astype(np.float32) / 255
            off = np.abs(store.read(index) - true)
            edge = (true > 0.02) & (true < 0.98)
            sums += off.sum(), (off > 0.1).sum(), off.size, off[edge].sum(), edge.sum()
    store.close()
    return {
        "mean_absolute_error": round(float(sums[0] / sums[2]), 5),
        "share_off": round(float(sums[1] / sums[2]), 5),
        "edge_error": round(float(sums[3] / sums[4]), 5),
    }


def _assets() -> Path:
    from config import ROOT

    return ROOT / "assets" / "demo"


def _built_in() -> dict[str, Any]:
    """Return the built-in engines: what the bundled clip shows takes seconds on any machine, and its error is known."""
    from engines.registry import engines
    from engines.spec import Job
    from session_store import EngineChoice

    return {str(job): EngineChoice(name=engines(job)[0].name) for job in (Job.SEGMENTER, Job.PROPAGATOR, Job.MATTER)}


def _error_lines(error: dict[str, Any]) -> list[str]:
    return [
        f"  error         against the clip's true alpha: mean {error['mean_absolute_error']:.4f}, "
        f"{error['share_off']:.2%} of pixels more than 0.1 off, mean in the soft edge {error['edge_error']:.3f}",
    ]


def _ask(video: Path) -> Given:
    """Ask for a click on the first frame; guess where nobody answers."""
    from cli.prompts import Given, parse
    from matting_runner import guess_prompts
    from pipeline.probe import probe

    info = probe(video)
    if sys.stdin.isatty():
        question = f"Where is the object on the first frame ({info.width}x{info.height})? X,Y in pixels, empty to guess"
        answer = typer.prompt(question, default="", show_default=False, err=True).strip()
        if answer:
            return parse([], [f"0:+{answer}"], [])
    prompts = guess_prompts(video, info)
    assert prompts.box is not None
    box = ",".join(f"{value:.0f}" for value in prompts.box.model_dump().values())
    note(f"guessing what it is about: the box {box} on frame 0 (say it yourself with --points 0:+X,Y)")
    return Given(prompts={"subject": {0: prompts}})
