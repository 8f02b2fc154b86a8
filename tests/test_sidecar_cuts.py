"""A run that ends between a deliverable and its sidecar leaves none that speaks of another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from errors import Cancelled
from matting_runner import add_mask, create_session, load_info, run_matting
from runner_base.sidecar import read_sidecar
from session_base import sidecar_path
from session_store import MattingSession, SessionStore
from tracking_runner import create_session as create_tracking
from tracking_runner import run_tracking
from tracking_session_store import TrackingSessionStore


@pytest.fixture
def session(tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]) -> MattingSession:
    """Return a session that has delivered three frames."""
    made = create_session(SessionStore(tmp_path / "sessions"), small_clip)
    add_mask(made, made.add_object("disc"), 0, mask_file(0), load_info(made))
    made.state.range, made.state.formats = (0, 3), ["alpha", "png"]
    made.save()
    run_matting(made)
    return made


def cut(*_: object) -> None:
    raise Cancelled("stopped")


def test_a_new_matte_never_keeps_the_sidecar_of_the_one_before(
    session: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.state.matter.params = {"sharpness": 2.0}
    with monkeypatch.context() as patch, pytest.raises(Cancelled):
        patch.setattr("matting_runner.deliver_stage.write_sidecars", cut)
        run_matting(session)
    for name in session.state.formats:
        assert read_sidecar(session.folder / session.state.delivered[name].path) is None
    run_matting(session)
    for name in session.state.formats:
        made = read_sidecar(session.folder / session.state.delivered[name].path)
        assert made is not None and made.engines[-1].params["sharpness"] == 2.0


def test_new_tracks_never_keep_the_sidecar_of_those_before(
    tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = create_tracking(TrackingSessionStore(tmp_path / "tracking_sessions"), small_clip)
    session.add_point(2, 30, 30)
    session.state.range, session.state.formats = (0, 4), ["video", "json", "nuke"]
    run_tracking(session)
    session.add_point(2, 60, 30)
    with monkeypatch.context() as patch, pytest.raises(Cancelled):
        patch.setattr("tracking_runner.deliver_stage.write_sidecars", cut)
        run_tracking(session)
    paths = [session.results_dir / session.state.delivered[name].path for name in session.state.formats]
    assert [read_sidecar(path) for path in paths] == [None, None, None]
    run_tracking(session)
    for path in paths:
        made = read_sidecar(path)
        assert made is not None and made.made_of["points"] == 2


def test_a_damaged_sidecar_is_written_anew(session: MattingSession) -> None:
    path = sidecar_path(session.folder / "alpha.mp4")
    path.write_bytes(b"\0" * 20)
    run_matting(session)
    assert read_sidecar(session.folder / "alpha.mp4") is not None
