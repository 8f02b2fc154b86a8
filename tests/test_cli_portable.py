"""Commands `bundle` and `project`."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_logic.bundles import deliveries
from app_logic.services import Services
from app_logic.watch.links import Address
from config import ROOT
from matting_runner import run_matting
from results.sessions import open_session, outdated
from session_base import sidecar_path
from session_store import MattingSession, SessionStore
from tests import project_material as material
from tests.conftest import Answer, assert_error, write_clip
from tracking_runner import run_tracking

Cli = Callable[..., Answer]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "shot.mp4", 6)


@pytest.fixture
def matted(workspace: Path, clip: Path) -> MattingSession:
    session = material.matting(workspace, clip, ("alpha", "png"))
    session.state.objects[0].keyframes.pop(9)
    session.save()
    run_matting(session)
    return session


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder in which the commands run."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_bundles_of_both_kinds(cli: Cli, matted: MattingSession, workspace: Path, clip: Path, inside: Path) -> None:
    tracked = material.tracking(workspace, clip)
    tracked.state.formats, tracked.state.points = ["csv"], tracked.state.points[:2]
    run_tracking(tracked)
    one, other = matted.state.id, tracked.state.id
    answer = cli("bundle", one, other, one, "--json").json
    assert answer["sessions"] == {one: ["alpha", "png"], other: ["csv"]}
    assert answer["bytes"] == (inside / "results.zip").stat().st_size
    with zipfile.ZipFile(inside / "results.zip") as archive:
        assert archive.namelist() == answer["files"] and archive.testzip() is None
        own = {"shot_alpha.mp4", "shot_png", "shot_tracks.csv"}
        assert {name.split("/")[0] for name in archive.namelist()} == own | {f"{name}.sidecar.json" for name in own}
    assert_error(cli("bundle", one), 3, "results.zip exists already; add --force")
    assert "9 files of 1 session" in cli("bundle", one, "--force").out
    assert cli("bundle", one, "--formats", "alpha", "--out", "a.zip", "--json").json["files"][0] == "shot_alpha.mp4"
    assert_error(cli("bundle", other, "--formats", "alpha", "--out", "b.zip"), 4, "none of these formats")
    assert_error(cli("bundle", other, "--formats", "gif", "--out", "b.zip"), 3, "no such format: gif")
    assert_error(cli("bundle", "20260101-000000-abcdef", "--out", "b.zip"), 4, "no session")
    assert_error(cli("bundle", one, "--out", "absent/b.zip"), 3, "there is no folder")
    assert_error(cli("bundle", one, "--out", "."), 3, "is a folder")
    assert {path.name for path in inside.iterdir()} == {"results.zip", "a.zip"}


def test_what_a_commercial_session_may_not_hand_out_stays_out(cli: Cli, matted: MattingSession, inside: Path) -> None:
    matted.state.commercial = True
    matted.save()
    sidecar_path(matted.folder / "png").unlink()
    assert cli("bundle", matted.state.id, "--json").json["sessions"] == {matted.state.id: ["alpha"]}
    assert cli("project", "export", matted.state.id, "--with-results", "--json").json["results"] == {"alpha": False}
    path = sidecar_path(matted.folder / "alpha.mp4")
    path.write_text(path.read_text().replace('"commercial_use": true', '"commercial_use": false'))
    refused = cli("bundle", matted.state.id, "--out", "b.zip")
    assert_error(refused, 4, "alpha is not for commercial use (its licence); deliver it again")
    assert_error(cli("bundle", matted.state.id, "--formats", "png", "--out", "b.zip"), 4, "png was made before")


def test_a_bundle_to_standard_output(cli: Cli, matted: MattingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    class Binary(io.StringIO):
        buffer = io.BytesIO()

    monkeypatch.setattr(sys, "stdout", Binary())
    answer = cli("bundle", matted.state.id, "--out", "-")
    assert answer.code == 0 and "9 files of 1 session" in answer.err
    assert len(zipfile.ZipFile(Binary.buffer).namelist()) == 9
    assert cli("bundle", matted.state.id, "--out", "-", "--json").code == 3


def test_a_bundle_that_fails_leaves_nothing(
    cli: Cli, matted: MattingSession, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any) -> Any:
        yield b"x"
        raise KeyboardInterrupt

    monkeypatch.setattr("zip_stream._read", cut)
    assert cli("bundle", matted.state.id).code == 130
    assert [*inside.iterdir()] == []


def test_projects_go_out_and_in(cli: Cli, matted: MattingSession, inside: Path, clip: Path) -> None:
    session_id = matted.state.id
    sent = cli("project", "export", session_id, "--with-results", "--json").json
    assert sent["file"] == str(inside / "shot.splazproject") and sent["results"] == {"alpha": False, "png": True}
    assert len(sent["source"]["sha256"]) == 64 and set(sent["source"]["sha256"]) != {"0"}
    assert_error(cli("project", "export", session_id), 3, "exists already")
    assert_error(cli("project", "export", session_id, "--out", "-"), 3, "does not go to standard output")
    assert_error(cli("project", "export", session_id, "--out", "x" * 300), 6, "name is too long; set --out to another")
    if hasattr(os, "mkfifo"):
        os.mkfifo(inside / "pipe")
        assert_error(cli("project", "show", str(inside / "pipe")), 3, "pipe is not a project file")
    shown = cli("project", "show", "shot.splazproject")
    for words in ("shot (matting)", "shot.mp4", "inside", "guided 1, Apache-2.0", "alpha, png", "fits here   yes"):
        assert words in shown.out
    made = cli("project", "import", "shot.splazproject", "--name", "again", "--json").json
    assert made["kind"] == "matting" and made["name"] == "again" and made["session_id"] != session_id
    assert "shot (imported)" in cli("project", "import", "shot.splazproject").out

    cli("project", "export", session_id, "--reference", "--no-alpha", "--no-masks", "--out", "small.splazproject")
    small = cli("project", "show", "small.splazproject", "--json").json
    assert small["fits"] and not small["source"]["inside"] and small["files"] == 3
    assert_error(cli("project", "import", "small.splazproject"), 3, "needs its source 'shot.mp4'", "--source FILE")
    assert cli("project", "import", "small.splazproject", "--source", clip).code == 0
    assert len(cli("list", "--json").json["sessions"]) == 4


def test_projects_that_do_not_fit_are_refused(cli: Cli, matted: MattingSession, inside: Path) -> None:
    cli("project", "export", matted.state.id, "--out", "a.splazproject")
    members = material.read(inside / "a.splazproject")
    magic = material.state(lambda data: data["matter"].update(name="magic"))(members)
    material.write(inside / "b.splazproject", magic)
    assert_error(cli("project", "import", "b.splazproject"), 3, "no matter named 'magic'")
    answer = cli("project", "show", "b.splazproject", "--json")
    assert answer.code == 0 and not answer.json["fits"] and "magic" in answer.json["obstacle"]
    assert_error(cli("project", "show", "absent"), 3, "cannot be read")
    assert_error(cli("project", "export", "nope"), 4, "no session")
    with matted.lock():
        assert_error(cli("project", "export", matted.state.id, "--out", "c.splazproject"), 4, "worked on")
    assert not (inside / "c.splazproject").exists()


def test_a_bundle_says_what_it_leaves_out(cli: Cli, matted: MattingSession, inside: Path) -> None:
    matted.state.commercial = True
    matted.save()
    sidecar_path(matted.folder / "alpha.mp4").unlink()
    answer = cli("bundle", matted.state.id, "--json")
    assert answer.code == 0 and answer.json["sessions"] == {matted.state.id: ["png"]}
    assert "alpha was made before its makers were noted" in answer.json["left_out"][0]
    assert f"left out of {matted.state.id}: alpha" in answer.err


def test_a_bundle_says_what_was_made_before_the_last_changes(
    cli: Cli, matted: MattingSession, workspace: Path, clip: Path, inside: Path
) -> None:
    tracked = material.tracking(workspace, clip)
    tracked.state.formats, tracked.state.points = ["csv", "json"], tracked.state.points[:2]
    run_tracking(tracked)
    one, other = matted.state.id, tracked.state.id
    assert cli("bundle", one, other, "--json").json["outdated"] == []
    assert outdated(matted) == outdated(tracked) == []
    cli("run", one, "--range", "1:4", "--formats", "alpha")
    cli("export", one, "--formats", "prores", "--premultiplied")
    tracked.state.points[0].name = "nose"
    tracked.save()
    old, older = cli("bundle", one, other, "--json", "--force").json["outdated"]
    assert old == f"png of {one}: made before the last changes; to make anew: run.py run {one} --formats png"
    assert older.startswith(f"csv, json of {other}: ") and older.endswith(" --formats csv,json")
    assert older in cli("bundle", other, "--force").err
    assert cli("bundle", one, "--formats", "alpha,prores", "--force", "--json").json["outdated"] == []
    rows = {row.id: row.outdated for row in deliveries(Services(workspace, Address("127.0.0.1", 1)))}
    assert rows == {one: {"png"}, other: {"csv", "json"}}
    cli(*older.partition("run.py ")[2].split())
    assert outdated(open_session(workspace, other)) == []
    left = SessionStore(workspace / "sessions").open(one)
    left.state.matter.name = "of a newer version"
    left.save()
    assert cli("bundle", one, "--force", "--json").json["outdated"] == outdated(left) == []
    (matted.folder / "meta.json").write_text("{")
    assert cli("bundle", one, "--force", "--json").json["outdated"] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_standard_output_on_a_full_disk(matted: MattingSession, workspace: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, ROOT / "run.py", "bundle", matted.state.id, "--out", "-"],
            check=False, stdout=full, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"SPLAZMATTE_WORKSPACE": str(workspace)},
        )  # fmt: skip
    assert ended.returncode == 6 and ended.stderr.startswith("error: cannot write: No space left")
