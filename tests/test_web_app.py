"""The app as a process: start, refusals, pictures and files over HTTP, end."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import httpx
import numpy as np
import psutil
import pytest

from app import check
from app_logic.frame_pictures import ByteCache
from app_logic.pictures import as_alpha
from config import get_settings
from errors import ParameterError, StoreError
from matting_runner import create_session, run_matting, set_keyframe
from pipeline.alpha_store import AlphaStore
from pipeline.masks import MaskFolder, encode_mask, operate
from session_store import Keyframe, MaskOperations, MattingSession, SessionStore
from tests.app_process import App, start_app, wait_for
from tests.conftest import disc, write_clip

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 8


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> MattingSession:
    """Return a finished session of the disc, its masks grown by an operation."""
    workspace = tmp_path_factory.mktemp("web") / "workspace"
    made = create_session(SessionStore(workspace / "sessions"), write_clip(workspace.parent / "Kugel ö.mp4", FRAMES))
    item = made.add_object("disc")
    set_keyframe(made, item, 0, disc(0), Keyframe(origin="mask", digest=""))
    item.operations = MaskOperations(grow=2)
    made.state.formats = ["alpha", "png"]
    made.save()
    run_matting(made)
    return made


@pytest.fixture(scope="module")
def app(session: MattingSession) -> Iterator[App]:
    started = start_app(session.folder.parents[1])
    yield started
    started.close()


@pytest.fixture
def client(app: App) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.url) as opened:
        yield opened


def picture(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    decoded = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return np.asarray(decoded)


def test_frames_masks_and_alpha_are_exact(client: httpx.Client, session: MattingSession) -> None:
    base = f"/media/{session.state.id}"
    frame = client.get(f"{base}/frame/3?v=1")
    assert frame.content == (session.frames_dir / "000003.jpg").read_bytes()
    assert "immutable" in frame.headers["cache-control"]
    assert client.get(f"{base}/frame/3").headers["cache-control"] == "no-store"
    raw = MaskFolder(session.masks_dir(1, "propagated")).read(3)
    mask = picture(client.get(f"{base}/mask/1/3?v=x"))
    assert mask.shape[2] == 4 and (mask[..., :3] == 255).all()
    assert (mask[..., 3] == operate(raw, grow=2)).all() and (mask[..., 3] != raw).any()
    alpha = AlphaStore(session.alpha_dir).read(3)
    assert np.abs(picture(client.get(f"{base}/alpha/3"))[..., 3] - alpha * 255).max() <= 0.5
    assert picture(client.get(f"{base}/foreground/3?v=1")).shape == (64, 96, 3)
    assert picture(client.get(f"{base}/thumb/3")).shape[0] == 96
    assert client.get(f"{base}/thumb").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/media/{id}/frame/8", "/media/{id}/frame/99999999999", "/media/{id}/frame/-1", "/media/{id}/frame/x",
        "/media/{id}/mask/9/0", "/media/{id}/mask/1/7000", "/media/{id}/alpha/8", "/media/{id}/preview/0",
        "/media/nobody/frame/0", "/media/..%2F..%2Fetc/frame/0", "/media/.hidden/frame/0", "/media/{id}/thumb/99",
        "/media/{id}/file/state.json", "/media/{id}/file/png", "/media/{id}/file/..%2Fstate.json",
        "/media/{id}/tracks/raw", "/media/{id}/motion/1", "/media/{id}/object",
        "/download/{id}/prores", "/download/{id}/..%2F..%2Fqueue.json", "/download/{id}/all.zip",
        "/download/{id}/all.zip?formats=alpha,nothing", "/static/..%2F..%2Fconfig.py", "/static/../../app.py",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client: httpx.Client, session: MattingSession, path: str) -> None:
    answer = client.get(path.format(id=session.state.id))
    assert (
        answer.status_code in (404, 422) and b"__future__" not in answer.content and b'"version"' not in answer.content
    )


def test_files_are_played_in_parts_and_downloaded_by_name(client: httpx.Client, session: MattingSession) -> None:
    data = (session.folder / "alpha.mp4").read_bytes()
    part = client.get(f"/media/{session.state.id}/file/alpha", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, data[10:20], "video/mp4")
    whole = client.get(f"/download/{session.state.id}/alpha")
    assert whole.content == data and "Kugel%20%C3%B6_alpha.mp4" in whole.headers["content-disposition"]
    assert client.get(f"/download/{session.state.id}/png").content[:2] == b"PK"


def test_a_video_becomes_a_tracking_session_with_pictures_of_its_own(client: httpx.Client, app: App) -> None:
    data = write_clip(app.workspace.parent / "points.mp4", 8, audio=False).read_bytes()
    made = client.post("/upload?kind=tracking&name=points.mp4", content=data).json()["session"]
    assert (app.workspace / "tracking_sessions" / made / "source.mp4").read_bytes() == data
    assert not (app.workspace / "sessions" / made).exists()
    assert picture(client.get(f"/media/{made}/frame/3")).shape == (64, 96, 3)
    assert client.get(f"/media/{made}/thumb").status_code == 200
    for path in ("tracks/raw", "tracks/refined", "tracks/state.json", "object", "mask/1/0", "file/video"):
        assert client.get(f"/media/{made}/{path}").status_code == 404
    assert "gone" in client.get(f"/media/{made}/motion/7").json()["error"]
    assert client.get(f"/download/{made}/json").status_code == 404
    assert client.get("/tracking").status_code == 200
    assert client.post("/upload?kind=spin&name=points.mp4", content=data).status_code == 404


def test_an_upload_that_is_no_video_is_refused(client: httpx.Client, app: App) -> None:
    answer = client.post("/upload?name=../../a%0Ab.mp4", content=b"nothing of a video")
    assert answer.status_code == 415 and "ab.mp4" in answer.json()["error"]
    assert client.post("/upload", content=b"").status_code == 415
    assert not list((app.workspace / "uploads").iterdir())


def test_an_upload_that_the_client_drops_leaves_nothing(client: httpx.Client, app: App) -> None:
    def half() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        client.post("/upload?name=a.mp4", content=half())
    wait_for(lambda: not list((app.workspace / "uploads").iterdir()), 10, what="the half file to go")


def test_the_secret_is_made_once_and_is_the_owners(app: App) -> None:
    path = app.workspace / ".storage_secret"
    assert len(path.read_text()) > 30 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() not in app.log.read_text()


def test_it_ends_when_told_to_and_leaves_no_process(session: MattingSession, tmp_path: Path) -> None:
    app = start_app(tmp_path / "workspace")
    assert httpx.get(app.url).status_code == 200
    family = psutil.Process(app.process.pid).children(recursive=True)
    app.close()
    assert app.process.returncode in (0, -15), app.log.read_text()  # Uvicorn ends by the signal that it was sent
    assert not [child for child in family if child.is_running()]
    assert not (tmp_path / "workspace" / "queue.owner.json").exists()


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", "--no-browser", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_no_other_address_without_a_password(host: str, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_HOST", host or "0.0.0.0")
    result = refused("--port", "0", *(["--host", host] if host else []))
    assert result.returncode == 3
    assert result.stderr.startswith("error: others can reach") and result.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["65536", "99999999", "-1"])
def test_a_port_that_there_is_not_is_said(port: str, workspace: Path) -> None:
    with pytest.raises(ParameterError, match=f"there is no port {port}; choose one of 1 to 65535"):
        check("127.0.0.1", int(port), get_settings())


def test_port_0_becomes_one_that_is_free(workspace: Path) -> None:
    assert 1024 < check("127.0.0.1", 0, get_settings()) < 65536


def test_a_port_that_is_taken_is_said(app: App, workspace: Path) -> None:
    result = refused("--port", str(app.port))
    assert result.returncode == 3 and "choose another: --port" in result.stderr and result.stderr.count("\n") == 1


def test_the_first_page_loads_nothing_heavy() -> None:
    """What the process has loaded when it serves its first page: no model library, whatever engine is chosen."""
    code = """
import sys
import app, config
from nicegui import ui
from pathlib import Path
from app_logic.services import Services
services = Services(Path(sys.argv[1]))
app.register(services, config.get_settings())
print([name for name in ("torch", "torchvision", "transformers", "diffusers", "scipy") if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", code, "/nonexistent/workspace"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "[]", result.stderr[-500:]


def test_a_grey_png_becomes_alpha_without_coding_it_anew() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    made = cv2.imdecode(np.frombuffer(as_alpha(encode_mask(grey)), np.uint8), cv2.IMREAD_UNCHANGED)
    assert made is not None and (made[..., 3] == grey).all() and (made[..., :3] == 255).all()
    for bad in (b"", b"x" * 100, cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()):
        with pytest.raises(StoreError):
            as_alpha(bad)


def test_the_cache_is_bounded_by_bytes() -> None:
    cache, made = ByteCache(1000), []

    def make(key: int) -> bytes:
        made.append(key)
        return b"x" * 300

    for key in (1, 2, 3, 1, 4, 2):
        cache.get(key, partial(make, key))
    assert cache.size <= 1000 and made == [1, 2, 3, 4, 2], "the one that was not asked for longest went"
