"""Sidecars: every deliverable says how it was made and on whose terms; sessions for commercial use do without some."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app_logic.editor import SessionEditor
from config import get_settings
from engines.registry import ENGINES, get_spec
from engines.spec import Job, Licence
from engines.terms import forbidden_by, terms
from engines.weights import folder
from errors import ParameterError, SessionError
from matting_runner import Stage, add_mask, create_session, export_session, load_info, run_matting
from results.matting import result
from runner_base.makers import Maker, read_mark, read_named_mark
from runner_base.sidecar import Sidecar, engine_use, read_sidecar
from session_base import EngineChoice, sidecar_path
from session_store import FramePrompts, MattingSession, PointPrompt, SessionStore, usage
from tests.conftest import FRAMES, Answer, assert_error
from tracking_runner import create_session as create_tracking
from tracking_runner import run_tracking
from tracking_session_store import TrackingSessionStore

FORBIDDEN = Licence("Test NC 1.0", commercial=False)


@pytest.fixture
def session(tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]) -> MattingSession:
    """Return a session of six frames with two objects: one imported mask, one click."""
    made = create_session(SessionStore(tmp_path / "workspace" / "sessions"), small_clip)
    first, second = made.add_object("disc"), made.add_object("ground")
    add_mask(made, first, 0, mask_file(0), load_info(made))
    second.prompts = {2: FramePrompts(points=[PointPrompt(x=5, y=5)])}
    made.state.range = (0, 6)
    made.state.formats = ["alpha"]
    made.save()
    return made


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes an engine one whose licence forbids commercial use."""

    def forbid(name: str) -> None:
        rows = tuple(
            dataclasses.replace(spec, licence=FORBIDDEN) if spec.name == name else spec for spec in _rows["now"]
        )
        _rows["now"] = rows
        monkeypatch.setattr("engines.registry.ENGINES", rows)

    _rows = {"now": ENGINES}
    return forbid


def sidecar_of(session: MattingSession, name: str) -> Sidecar:
    found = read_sidecar(session.folder / session.state.delivered[name].path)
    assert found is not None
    return found


def test_a_matte_says_what_made_it(session: MattingSession, small_clip: Path) -> None:
    run_matting(session)
    made = sidecar_of(session, "alpha")
    assert (made.kind, made.session, made.format, made.file) == ("matting", session.state.id, "alpha", "alpha.mp4")
    assert (made.source.name, made.source.frames, made.frames) == ("small clip.mp4", FRAMES, (0, 6))
    assert made.source.sha256 == hashlib.sha256(small_clip.read_bytes()).hexdigest() == session.state.source_sha256
    assert (made.source.rate, made.source.constant_rate) == (load_info(session).rate, True)
    assert [(use.job, use.name, use.frames, use.objects) for use in made.engines] == [
        ("segmenter", "grabcut", 1, ["ground"]),
        ("propagator", "flow", 10, ["disc", "ground"]),
        ("matter", "guided", 6, []),
    ]
    assert made.engines[2].params == {"band": 0.0, "detail": "auto", "sharpness": 1.0}
    assert made.engines[2].version == get_spec(Job.MATTER, "guided").version
    assert made.made_of["objects"][0] == {"name": "disc", "keyframes": {"0": "mask"}, "operations": {}}
    assert made.commercial_use and not made.forbidden_by
    text = sidecar_path(session.folder / "alpha.mp4").read_text()
    assert str(session.folder.parent) not in text, "no path of this machine"


def test_sidecars_of_old_deliverables_are_added_and_kept_ones_stay(session: MattingSession) -> None:
    run_matting(session)
    alpha, path = session.folder / "alpha.mp4", sidecar_path(session.folder / "alpha.mp4")
    before, text = alpha.stat().st_mtime_ns, path.read_text()
    path.unlink()
    run_matting(session)
    assert path.read_text() == text and alpha.stat().st_mtime_ns == before, "written anew without encoding anew"
    path.write_text(text + "\n")
    export_session(session, ["alpha", "png"])
    assert path.read_text() == text + "\n", "what is current is left alone"
    assert sidecar_of(session, "png").file == "png" and sidecar_path(session.folder / "png").is_file()
    assert usage(session).other < 10_000, "sidecars count as deliverables"


def test_colours_are_as_delivered(session: MattingSession) -> None:
    session.state.formats = ["alpha", "png", "exr"]
    run_matting(session)
    assert [sidecar_of(session, name).made_of["premultiplied"] for name in session.state.formats] == [None, False, True]
    export_session(session, ["png"], premultiplied=True)
    assert sidecar_of(session, "png").made_of["premultiplied"] is True


def test_an_unreadable_sidecar_is_none(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "alpha.mp4") is None
    sidecar_path(tmp_path / "alpha.mp4").write_text('{"version": "x"')
    assert read_sidecar(tmp_path / "alpha.mp4") is None


def test_tracks_say_what_made_them(tmp_path: Path, small_clip: Path) -> None:
    session = create_tracking(TrackingSessionStore(tmp_path / "workspace" / "tracking_sessions"), small_clip)
    session.add_point(2, 30, 30)
    session.add_point(4, 60, 30).hidden = True
    session.state.range, session.state.formats = (0, 8), ["json", "nuke"]
    run_tracking(session)
    for name in session.state.formats:
        made = read_sidecar(session.results_dir / session.state.delivered[name].path)
        assert made is not None and made.frames == (0, 8) and made.format == name
        assert [(use.name, use.frames) for use in made.engines] == [("klt", 8)]
        assert made.made_of["points"] == 1 and made.made_of["origins"] == {"manual": 1}
        assert made.engines[0].params.keys() == {"visibility", "search"} and made.commercial_use


def test_weights_are_named_with_their_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path))
    get_settings.cache_clear()
    maker, chosen = Maker(Job.MATTER, "matanyone", params={"model": "matanyone2"}), EngineChoice(name="matanyone")
    assert engine_use(maker, chosen, 5).weights[0].sha256 == {}, "somebody put them there, or they are gone"
    place = folder("matanyone2")
    place.mkdir(parents=True)
    files = {"model.safetensors": {"size": 3, "sha256": "ab" * 32}}
    (place / ".made.json").write_text(json.dumps({"repository": "a/b", "revision": "c0ffee", "files": files}))
    used = engine_use(maker, chosen, 5)
    assert used.weights[0].model_dump() == {
        "name": "matanyone2", "repository": "a/b", "revision": "c0ffee", "sha256": {"model.safetensors": "ab" * 32},
    }  # fmt: skip
    assert [term.commercial for term in used.terms] == [False, False] and used.params["warmup"] == 10
    get_settings.cache_clear()


def test_marks_are_read_whole() -> None:
    assert read_mark(Job.MATTER, "guided 0123") == Maker(Job.MATTER, "guided")
    assert read_mark(Job.MATTER, "matanyone:matanyone2 0123") == Maker(
        Job.MATTER, "matanyone", None, {"model": "matanyone2"}
    )
    assert read_named_mark('segmenter grabcut@3{"detail":5} x') == Maker(Job.SEGMENTER, "grabcut", 3, {"detail": 5})
    assert read_named_mark("") is None and read_named_mark("brush x@1") is None and read_mark(Job.MATTER, "") is None
    for damaged in ("guided@1{", "guided@1{]} x", "guided@" + "9" * 5000, "sam2:nonsense x", "sam2@1" + '{"model":5}'):
        made = read_mark(Job.PROPAGATOR, damaged)
        assert made is not None and made.spec is None, "as one that this version does not have"
        assert not engine_use(made, EngineChoice(name="flow"), 3).terms[0].commercial
    gone = engine_use(Maker(Job.MATTER, "gone", 2, {"a": 1}), EngineChoice(name="guided"), 3)
    assert (gone.version, gone.params, gone.terms[0].commercial) == (2, {"a": 1}, False), "nobody knows its terms"


def test_terms_are_those_of_code_and_weights() -> None:
    assert forbidden_by(get_spec(Job.MATTER, "guided")) == ""
    assert forbidden_by(get_spec(Job.SEGMENTER, "sam3")) == "", "commercial use is allowed, with conditions"
    for job, name in ((Job.MATTER, "matanyone"), (Job.MATTER, "videomama"), (Job.TRACKER, "cotracker3")):
        assert forbidden_by(get_spec(job, name)), name
    free_code = dataclasses.replace(get_spec(Job.MATTER, "matanyone"), licence=get_spec(Job.MATTER, "guided").licence)
    assert forbidden_by(free_code) == "S-Lab License 1.0", "the weights' licence counts as well"
    assert all(term.page.startswith("https://") for term in terms(free_code)[1:])


def test_commercial_sessions_refuse_engines_before_they_run(
    session: MattingSession, forbidden: Callable[[str], None]
) -> None:
    session.state.commercial = True
    forbidden("guided")
    with pytest.raises(ParameterError, match=r"'guided' is not for commercial use \(Test NC 1\.0\).*another matter"):
        run_matting(session)
    assert not session.state.alpha.spans and not any(item.propagated.spans for item in session.state.objects)
    run_matting(session, until=Stage.PROPAGATE)
    forbidden("grabcut")
    with pytest.raises(ParameterError, match="another segmenter"):
        run_matting(session, until=Stage.PROPAGATE)


def test_what_such_an_engine_has_made_is_not_delivered_and_not_handed_out(
    session: MattingSession, forbidden: Callable[[str], None]
) -> None:
    forbidden("guided")
    run_matting(session)
    assert not sidecar_of(session, "alpha").commercial_use
    assert sidecar_of(session, "alpha").forbidden_by == ["Guided filter matting: Test NC 1.0"]
    assert result(session, "alpha").path.is_file()
    session.state.commercial = True
    with pytest.raises(SessionError, match=r"not for commercial use \(Guided filter matting: Test NC 1\.0\)"):
        result(session, "alpha")
    with pytest.raises(ParameterError, match="has a part in this"):
        export_session(session, ["png"])
    sidecar_path(session.folder / "alpha.mp4").unlink()
    with pytest.raises(SessionError, match="deliver it again"):
        result(session, "alpha")


def test_new_sessions_are_as_the_setting_says(
    tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tracks = SessionStore(tmp_path / "sessions"), TrackingSessionStore(tmp_path / "tracking_sessions")
    assert not create_session(store, small_clip).state.commercial
    monkeypatch.setenv("SPLAZMATTE_COMMERCIAL", "true")
    get_settings.cache_clear()
    assert create_session(store, small_clip).state.commercial
    assert create_tracking(tracks, small_clip).state.commercial
    get_settings.cache_clear()


def test_the_switch_in_the_app_replaces_engines_and_can_be_taken_back(
    session: MattingSession, forbidden: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    session.state.matter = EngineChoice(name="matanyone", params={"model": "matanyone"})
    session.save()
    editor = SessionEditor(session.folder.parents[1], session, lambda *_: None)
    editor.set_commercial(True)
    assert session.state.commercial and session.state.matter.name == "guided"
    with pytest.raises(ParameterError, match="not for commercial use"):
        editor.set_engine(Job.MATTER, "matanyone", {})
    editor.undo()
    session = editor.session
    assert not session.state.commercial and session.state.matter.params == {"model": "matanyone"}
    editor.redo()
    editor.set_commercial(False)
    assert not session.state.commercial and session.state.matter.name == "guided", "what was replaced stays"


def test_the_switch_of_the_command_line(
    cli: Callable[..., Answer], small_clip: Path, mask_file: Callable[[int], Path], workspace: Path
) -> None:
    refused = cli("matte", small_clip, "--mask", f"0={mask_file(0)}", "--matter", "matanyone", "--commercial")
    assert_error(refused, 3, "'matanyone' is not for commercial use (S-Lab License 1.0)")
    assert_error(cli("track", small_clip, "--tracker", "cotracker3", "--commercial"), 3, "not for commercial use")
    assert not list(workspace.glob("sessions/2*")), "before the video is copied"
    made = cli("matte", small_clip, "--mask", f"0={mask_file(0)}", "--range", "0:3", "--commercial", "--json").json
    state = Path(made["session_dir"]) / "state.json"
    assert json.loads(state.read_text())["commercial"] is True
    track = cli("track", "--from", made["session_id"], "--range", "0:3", "--formats", "json", "--json").json
    assert json.loads((Path(track["session_dir"]) / "state.json").read_text())["commercial"] is True, "carried over"
    assert cli("run", made["session_id"], "--any-use", "--json").code == 0
    assert json.loads(state.read_text())["commercial"] is False
