"""Bundles and project files over HTTP."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app_logic.bundles import fits, query_of
from matting_runner import run_matting
from pipeline.formats import FORMATS
from projects import Wanted, write_export
from session_store import MattingSession
from tests import project_material as material
from tests.app_process import App, start_app
from tests.conftest import write_clip
from tracking_export import TRACK_FORMATS
from tracking_runner import run_tracking
from tracking_session_store import TrackingSession


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "Kugel ö.mp4", 10)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web") / "workspace"


@pytest.fixture(scope="module")
def matted(workspace: Path, clip: Path) -> MattingSession:
    session = material.matting(workspace, clip)
    run_matting(session)
    return session


@pytest.fixture(scope="module")
def tracked(workspace: Path, clip: Path) -> TrackingSession:
    session = material.tracking(workspace, clip)
    session.state.points, session.state.formats = session.state.points[:2], ["csv"]
    run_tracking(session)
    return session


@pytest.fixture(scope="module")
def app(workspace: Path, matted: MattingSession, tracked: TrackingSession) -> Iterator[App]:
    started = start_app(workspace)
    yield started
    started.close()


@pytest.fixture
def client(app: App) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.url, timeout=30) as opened:
        yield opened


def uploads(app: App) -> list[Path]:
    return [*(app.workspace / "uploads").glob("*")]


def test_several_sessions_come_as_one_zip_of_known_size(
    client: httpx.Client, matted: MattingSession, tracked: TrackingSession
) -> None:
    take = f"{matted.state.id}:alpha.png,{tracked.state.id}:csv"
    answer = client.get("/download/bundle.zip", params={"take": take})
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "SplazMatte%20results.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {
            "Kugel ö_alpha.mp4", "Kugel ö_png", "Kugel ö_tracks.csv", "Kugel ö_alpha.mp4.sidecar.json",
            "Kugel ö_png.sidecar.json", "Kugel ö_tracks.csv.sidecar.json",
        }  # fmt: skip
    again = client.get("/download/bundle.zip", params={"take": take})
    assert again.content == answer.content
    single = client.get(f"/download/{matted.state.id}/png")
    assert single.headers["content-length"] == str(len(single.content))


@pytest.mark.parametrize(
    "take", ["", "x", "{id}", "{id}:", "{id}:../x", "../x:alpha", "{id}:alpha,", "{id}:gif", "{id}:webm", "nope:alpha",
             "{id}:alpha," * 501 + "{id}:alpha", "{id}:" + "a" * 41, "{id}:alpha" + ".png" * 15_200],
)  # fmt: skip
def test_other_choices_are_refused(client: httpx.Client, matted: MattingSession, take: str) -> None:
    answer = client.get("/download/bundle.zip", params={"take": take.replace("{id}", matted.state.id)})
    assert answer.status_code in (400, 404, 414, 431) and "PK" not in answer.text[:2]


def test_the_page_knows_what_is_too_much_for_one_zip() -> None:
    def query(count: int, *formats: str) -> str:
        return query_of([(f"20261126-120000-{number:06x}", formats) for number in range(count)])

    assert fits("") and fits(query(500, "alpha")) and not fits(query(501, "alpha"))
    assert not fits(query(500, *TRACK_FORMATS, *FORMATS)), "a browser's address is not endless"


def test_a_project_goes_out_and_in(client: httpx.Client, app: App, matted: MattingSession) -> None:
    answer = client.get(f"/project/{matted.state.id}", params={"alpha": 0, "results": 1})
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "Kugel%20%C3%B6.splazproject" in answer.headers["content-disposition"]
    made = client.post("/upload?kind=tracking&name=x.SplazProject", content=answer.content).json()
    assert made["kind"] == "matting" and made["notices"] == []
    session = MattingSession.load(app.workspace / "sessions" / made["session"])
    assert session.state.name == "Kugel ö (imported)" and {*session.state.delivered} == {"alpha", "png"}
    assert not session.state.alpha.spans and uploads(app) == []
    assert client.get(f"/project/{matted.state.id}x").status_code == 404
    with matted.lock():
        assert "worked on" in client.get(f"/project/{matted.state.id}").json()["error"]


def test_a_result_that_is_called_a_page_is_not_shown_as_one(
    client: httpx.Client, app: App, tracked: TrackingSession
) -> None:
    write_export(tracked, Wanted(results=True), app.workspace / "t.splazproject")
    members = material.read(app.workspace / "t.splazproject")
    (name,) = [name for name in members if name.startswith("results/csv/")]
    forged = {key if key != name else "results/csv/page.html": data for key, data in members.items()}
    data = material.write(app.workspace / "t.splazproject", forged).read_bytes()
    made = client.post("/upload?name=t.splazproject", content=data).json()
    answer = client.get(f"/media/{made['session']}/file/csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_project_waits_for_the_video_that_it_refers_to(
    client: httpx.Client, app: App, matted: MattingSession, clip: Path
) -> None:
    file = app.workspace / "r.splazproject"
    write_export(matted, Wanted(source=False, alpha=False), file)
    video = clip.read_bytes()
    needs = client.post("/upload?name=r.splazproject", content=file.read_bytes()).json()["needs"]
    assert (needs["name"], needs["size"]) == ("Kugel ö.mp4", len(video)) and len(uploads(app)) == 1
    url = f"/upload?project={needs['token']}&name=wrong.mp4"
    for wrong, words in ((video + b"x", "bytes, not"), (video[:-1] + b"x", "SHA-256")):
        answer = client.post(url, content=wrong)
        assert answer.status_code == 415 and words in answer.json()["error"] and ".part" not in answer.text
    assert len(uploads(app)) == 1, "it waits on"
    made = client.post(url, content=video).json()
    assert (app.workspace / "sessions" / made["session"] / "source.mp4").read_bytes() == video
    assert uploads(app) == []
    assert "does not wait" in client.post(url, content=video).json()["error"]


def test_only_a_few_projects_wait(client: httpx.Client, app: App, matted: MattingSession) -> None:
    file = app.workspace / "r.splazproject"
    write_export(matted, Wanted(source=False, alpha=False, masks=False), file)
    tokens = [
        client.post("/upload?name=r.splazproject", content=file.read_bytes()).json()["needs"]["token"] for _ in range(6)
    ]
    assert len(uploads(app)) == 4
    for token in [*tokens, "unknown"]:
        assert client.post(f"/upload/forget?project={token}").status_code == 200
    assert uploads(app) == []


def test_projects_that_do_not_fit_are_refused(client: httpx.Client, app: App) -> None:
    before = [*(app.workspace / "sessions").iterdir()]
    for data in (b"", b"text", b"PK\3\4" + bytes(200)):
        answer = client.post("/upload?name=my.splazproject", content=data)
        assert answer.status_code == 415 and answer.json()["error"].startswith("my.splazproject is ")
    assert [*(app.workspace / "sessions").iterdir()] == before and uploads(app) == []


def test_a_download_whose_file_changes_is_broken_off(client: httpx.Client, app: App, matted: MattingSession) -> None:
    copy = material.stores(app.workspace)["matting"].duplicate(matted.state.id)
    os.truncate(copy.folder / "alpha.mp4", 64 << 20)  # more than the sockets on the way hold
    url = f"/download/bundle.zip?take={copy.state.id}:alpha"
    with pytest.raises(httpx.RemoteProtocolError), client.stream("GET", url) as answer:
        blocks = answer.iter_raw()
        next(blocks)
        os.truncate(copy.folder / "alpha.mp4", 63 << 20)
        for _ in blocks:
            pass
