"""Which engine made what a frame shows, which engines can be chosen, and which prompts each takes."""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app_logic.editor import SessionEditor
from app_logic.makers import BY_HAND, alpha_makers, maker, mask_makers
from app_logic.work import Work
from config import get_settings
from engines.registry import get_spec
from engines.spec import Job, PromptKind
from errors import EngineUnavailableError, PromptError
from matting_runner import create_session, run_matting
from matting_runner.marks import alpha_marks, engine_mark
from pipeline.masks import encode_mask
from queue_logic import JobQueue
from session_store import EngineChoice, Keyframe, MattingState, Provenance, SessionObject, SessionStore
from tests.conftest import disc, write_clip

FRAMES = 6
GRABCUT, FLOW, GUIDED = "GrabCut", "Optical flow with colour models", "Guided filter matting"

STATE = MattingState(id="a", name="a", source="a", original_name="a", created=datetime.now(UTC))


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionEditor]:
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path / "models"))
    get_settings.cache_clear()
    session = create_session(
        SessionStore(tmp_path / "sessions"), write_clip(tmp_path / "clip.mp4", FRAMES, audio=False)
    )
    made = SessionEditor(tmp_path, session, lambda target, *given: pkgutil.resolve_name(target)(*given))
    made.add_object()
    yield made
    get_settings.cache_clear()


def test_marks_name_their_engine_and_its_model() -> None:
    choice = EngineChoice(name="sam2", params={"model": "tiny"})
    assert maker(Job.PROPAGATOR, f"{engine_mark(Job.PROPAGATOR, choice)} both 0:abc -") == ("SAM 2.1", "tiny")
    assert maker(Job.SEGMENTER, engine_mark(Job.SEGMENTER, EngineChoice(name="grabcut"))) == (GRABCUT, "")
    assert maker(Job.MATTER, "guided 0123abcd") == (GUIDED, "")
    assert maker(Job.MATTER, "gone:large 0123abcd") == ("gone", "large"), "an engine of another version"
    assert maker(Job.PROPAGATOR, "key 0123abcd") == maker(Job.PROPAGATOR, "") == ("", "")


def test_alpha_marks_name_the_model_of_a_matter_that_has_several(monkeypatch: pytest.MonkeyPatch) -> None:
    params = get_spec(Job.SEGMENTER, "sam2").params
    spec = dataclasses.replace(get_spec(Job.MATTER, "guided"), params=params, models={"tiny": "x"})
    monkeypatch.setattr("engines.registry.ENGINES", (spec,))
    state = STATE.model_copy(update={"matter": EngineChoice(name="guided", params={"model": "tiny"})})
    monkeypatch.setattr("matting_runner.marks.mask_marks", lambda state, frames: [""] * frames)
    assert alpha_marks(state, 1)[0].startswith("guided:tiny ")


def test_a_session_knows_what_made_each_mask_and_alpha(editor: SessionEditor) -> None:
    editor.add_point(1, 0, 30.0, 32.0)
    editor.paint(1, 4, [(30.0, 32.0)], 10)
    run_matting(editor.session)
    editor.refresh()
    assert editor.view()["made"] == {
        "masks": {"1": [(0, 1, GRABCUT, ""), (1, 4, FLOW, ""), (4, 5, BY_HAND, ""), (5, 6, FLOW, "")]},
        "alpha": [(0, 6, GUIDED, "")],
    }
    editor.keep_mask(1, 2)
    editor.session.state.propagator = EngineChoice(name="flow", params={"quality": "fast"})
    found = mask_makers(editor.session.state.objects[0], FRAMES)
    assert found == [(0, 1, GRABCUT, ""), (1, 4, FLOW, ""), (4, 5, BY_HAND, ""), (5, 6, FLOW, "")], "kept: made by flow"


def test_a_prompted_keyframe_of_a_run_and_one_found_by_text_name_the_segmenter(editor: SessionEditor) -> None:
    editor.use_found(1, 3, encode_mask(disc(3)), "disc")
    assert mask_makers(editor.session.state.objects[0], FRAMES) == [(3, 4, GRABCUT, "")]
    editor.add_point(1, 0, 30.0, 32.0)
    editor.session.state.objects[0].keyframes.pop(0)
    editor.session.save()
    run_matting(editor.session)
    assert mask_makers(editor.session.state.objects[0], 1) == [(0, 1, GRABCUT, "")]


def test_what_is_not_known_is_not_made_up() -> None:
    item = SessionObject(id=1, name="", colour="")
    item.keyframes = {2: Keyframe(origin="prompts", digest="a", made_by="b")}  # of a version that did not note it
    item.propagated = Provenance()
    item.propagated.mark(0, 2, "key abc")
    assert mask_makers(item, 6) == []
    assert alpha_makers(STATE, 6) == []


def test_an_engine_that_cannot_run_is_refused_with_what_mends_it(editor: SessionEditor) -> None:
    before = editor.session.state.segmenter.model_copy()
    with pytest.raises(EngineUnavailableError, match=r"\./start\.sh download-models sam2\.1-hiera-tiny"):
        editor.set_engine(Job.SEGMENTER, "sam2", {"model": "tiny"})
    assert editor.session.state.segmenter == before and editor.can_undo == "new object"


@pytest.mark.parametrize(("kind", "what"), [(PromptKind.POINTS, "clicks"), (PromptKind.BOX, "boxes")])
def test_prompts_that_an_engine_does_not_take_are_refused(
    editor: SessionEditor, monkeypatch: pytest.MonkeyPatch, kind: PromptKind, what: str
) -> None:
    spec = get_spec(Job.SEGMENTER, "grabcut")
    other = dataclasses.replace(spec, prompts=spec.prompts - {kind})
    monkeypatch.setattr(
        "engines.registry.ENGINES", (other, get_spec(Job.PROPAGATOR, "flow"), get_spec(Job.MATTER, "guided"))
    )
    with pytest.raises(PromptError, match=f"'grabcut' takes no {what}"):
        _ = editor.add_point(1, 0, 30, 32) if kind is PromptKind.POINTS else editor.set_box(1, 0, 3, 3, 9, 9)  # type: ignore[func-returns-value]
    assert editor.session.state.objects[0].prompts == {}


def test_the_queue_tells_notices_and_makers_of_a_job(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    work = Work(queue, SessionStore(tmp_path / "sessions"), lambda _: None)
    job = queue.add("matting", "20260101-000000-aaaaaa", {})
    row: dict[str, Any] = work.listing()[0]
    assert (row["notices"], row["engines"]) == ([], [])
    told = {"notices": ["a smaller window"], "engines": {"segmenter": "sam2 (model=tiny)", "matter": "guided"}}
    queue.update(job.id, result=told)
    row = work.listing()[0]
    assert (row["notices"], row["engines"]) == (["a smaller window"], ["sam2 (model=tiny)", "guided"])
