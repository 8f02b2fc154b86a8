"""Project files and downloads of several sessions in the browser."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from matting_runner import run_matting
from session_store import MattingSession
from tests import project_material as material
from tests.browser.driver import App
from tests.browser.steps import VIEW, shown, tab, upload
from tests.conftest import write_clip
from tracking_runner import run_tracking

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("video") / "Kugel ö.mp4", 10)


@pytest.fixture(scope="module")
def matted(app: App, video: Path) -> MattingSession:
    """Return a finished matting session, beside which there is a tracking session with results."""
    tracked = material.tracking(app.workspace, video)
    tracked.state.name = "Points of the ball"
    tracked.state.points, tracked.state.formats = tracked.state.points[:2], ["csv", "nuke"]
    run_tracking(tracked)
    session = material.matting(app.workspace, video)
    run_matting(session)
    return session


def opened(page: Page, app: App, session: MattingSession) -> None:
    page.goto(f"{app.url}/?session={session.state.id}")
    page.wait_for_function("window.__stage")
    shown(page)


def menu(page: Page, name: str, item: str) -> None:
    page.get_by_role("button", name=f"More for {name}", exact=True).click()
    page.get_by_text(item, exact=True).click()


def test_a_project_is_exported_and_imported_on_the_other_page(
    page: Page, app: App, matted: MattingSession, tmp_path: Path
) -> None:
    opened(page, app, matted)
    menu(page, "Kugel ö", "Export project …")
    dialog = page.locator(".sm-dialog")
    expect(dialog).to_contain_text("Lossless alpha")
    whole = dialog.get_by_role("link").inner_text()
    dialog.get_by_role("switch", name="Lossless alpha").click()
    expect(dialog.get_by_role("link")).not_to_have_text(whole)
    with page.expect_download() as caught:
        dialog.get_by_role("link").click()
    file = tmp_path / caught.value.suggested_filename
    caught.value.save_as(file)
    assert file.name == "Kugel ö.splazproject"
    assert not [name for name in material.read(file) if name.startswith(("session/alpha/", "results/"))]

    page.goto(f"{app.url}/tracking")
    page.wait_for_function("window.__stage")
    page.set_input_files(".sm-upload input[multiple]", str(file))
    page.wait_for_url("**/?session=*")
    page.wait_for_function("window.__stage")
    shown(page)
    made = str(page.evaluate(f"{VIEW}.id"))
    assert made != matted.state.id and page.evaluate(f"{VIEW}.name") == "Kugel ö (imported)"
    assert (app.workspace / "sessions" / made / "masks").is_dir()


def test_a_project_asks_for_the_video_that_it_refers_to(
    page: Page, app: App, matted: MattingSession, video: Path, tmp_path: Path
) -> None:
    opened(page, app, matted)
    menu(page, "Kugel ö", "Export project …")
    dialog = page.locator(".sm-dialog")
    dialog.get_by_role("switch", name="Source video").click()
    expect(dialog).to_contain_text("the very same video")
    with page.expect_download() as caught:
        dialog.get_by_role("link").click()
    file = tmp_path / "small.splazproject"
    caught.value.save_as(file)
    page.set_input_files(".sm-upload input[multiple]", str(file))
    need = page.locator(".sm-upload-need")
    expect(need).to_contain_text("Project Kugel ö needs its video: Kugel ö.mp4")
    other = tmp_path / "other.mp4"
    other.write_bytes(b"something else")
    page.set_input_files(".sm-upload-need input", str(other))
    expect(page.locator(".q-notification")).to_contain_text("this is not the video 'Kugel ö.mp4'")
    before = page.evaluate(f"{VIEW}.id")
    page.set_input_files(".sm-upload-need input", str(video))
    page.wait_for_function(f"before => {VIEW}.id !== before", arg=before)
    shown(page)
    expect(need).to_have_count(0)


def test_results_of_several_sessions_are_downloaded_as_one_zip(
    page: Page, app: App, matted: MattingSession, tmp_path: Path
) -> None:
    opened(page, app, matted)
    page.get_by_role("button", name="Download several …").click()
    dialog = page.locator(".sm-bundle")
    expect(dialog.get_by_role("checkbox", name="Kugel ö", exact=True)).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Points of the ball")).not_to_be_checked()
    dialog.get_by_role("checkbox", name="PNG sequence").click()
    dialog.get_by_role("checkbox", name="Points of the ball").click()
    expect(dialog.get_by_role("checkbox", name="Kugel ö", exact=True)).not_to_be_checked()
    with page.expect_download() as caught:
        dialog.get_by_role("link").click()
    assert caught.value.suggested_filename == "SplazMatte results.zip"
    caught.value.save_as(tmp_path / "r.zip")
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        own = {"Kugel ö_alpha.mp4", "Kugel ö_tracks.csv", "Kugel ö_nuke_tracks.nk"}
        assert {*archive.namelist()} == own | {f"{name}.sidecar.json" for name in own}


def test_what_was_made_before_the_last_changes_says_so(page: Page, app: App, matted: MattingSession) -> None:
    opened(page, app, matted)
    tab(page, "Deliver")
    results = page.locator(".sm-result")
    expect(results).to_have_count(2)
    expect(page.get_by_text("out of date")).to_have_count(0)
    tab(page, "Propagate")
    page.get_by_role("spinbutton", name="Last frame").fill("")
    page.keyboard.press("Tab")
    expect(page.get_by_role("spinbutton", name="Last frame")).to_have_value("9")
    page.get_by_role("spinbutton", name="Last frame").fill("5")
    page.keyboard.press("Tab")
    tab(page, "Deliver")
    expect(results.get_by_text("out of date")).to_have_count(2)
    page.get_by_role("button", name="Download several …").click()
    dialog = page.locator(".sm-bundle")
    expect(dialog.get_by_text("out of date")).to_have_count(2)
    expect(dialog.get_by_role("checkbox", name="Kugel ö", exact=True)).not_to_be_checked()


def test_a_video_is_still_a_video(page: Page, video: Path) -> None:
    assert upload(page, video)
