"""The cloud in a real browser: upload by a button, links that open and are copied, also after a reload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pipeline.formats import FORMATS
from session_store import Delivered, SessionStore
from tests.browser import steps
from tests.browser.driver import App, start_app
from tests.clip_sessions import prompted_session
from tests.cloud_bench import r2_settings
from tests.conftest import write_clip
from tests.faulty import Fault, error
from tests.s3_store import S3Store, bucket_of, s3_store

pytestmark = pytest.mark.browser


class Place(NamedTuple):
    """A running app whose session has delivered, and the store that it uploads to."""

    app: App
    store: S3Store
    session_id: str


@pytest.fixture
def place(browser: Browser, tmp_path: Path) -> Iterator[Place]:
    workspace = tmp_path / "workspace"
    session = prompted_session(
        workspace / "sessions", write_clip(tmp_path / "Kugel ö #1.mp4", 6), ("alpha",), keyframe=5
    )
    for name, size in (("alpha", 30_000), ("webm", 1_234_567)):
        file = FORMATS[name].file_name
        (session.folder / file).write_bytes(bytes(size))
        session.state.delivered[name] = Delivered(path=file, mark="x")
    session.save()
    with s3_store() as store:
        app = start_app(workspace, environment=r2_settings(store))
        yield Place(app, store, session.state.id)
        app.close()


@pytest.fixture
def page(context: BrowserContext, place: Place) -> Page:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.goto(f"{place.app.url}/?session={place.session_id}")
    opened.wait_for_selector(".sm-page")
    opened.wait_for_function("window.__stage && window.__stage.view")
    steps.tab(opened, "Deliver")
    return opened


def test_results_are_uploaded_and_their_links_stay(page: Page, place: Place, tmp_path: Path) -> None:
    expect(page.get_by_text("Nothing is up yet.")).to_be_visible()
    place.store.faults.append(Fault("PUT", answer=error(507, "InsufficientStorage")))
    button = page.get_by_role("button", name="Upload to Cloudflare R2")
    button.click()
    expect(page.locator(".sm-jobbar")).to_contain_text("bucket 'results' is full")
    button.click()
    expect(page.locator(".sm-cloud")).to_have_count(2)
    expect(page.locator(".sm-jobbar")).to_be_hidden()
    page.reload()
    steps.tab(page, "Deliver")
    rows = page.locator(".sm-cloud")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Kugel ö #1_alpha.mp4")
    rows.first.get_by_role("link").evaluate("link => link.textContent = 'Kugel_'.repeat(12) + 'alpha.mp4'")
    name, copy, delete = (rows.first.locator(one).bounding_box() for one in ("a", ".q-btn >> nth=0", ".q-btn >> nth=1"))
    assert name and copy and delete
    assert name["x"] + name["width"] <= copy["x"] < delete["x"], "a long name wraps, not what stands beside it"
    rows.first.get_by_role("button", name="Copy the link to").click()
    expect(page.get_by_text("The link is copied.")).to_be_visible()
    url = page.evaluate("navigator.clipboard.readText()")
    assert url.startswith(place.store.address) and page.request.get(url).body() == bytes(30_000)
    led = page.request.get(f"{place.app.url}/cloud/{place.session_id}/webm")
    assert led.status == 200 and len(led.body()) == 1_234_567 and led.url.startswith(place.store.address)
    assert page.request.get(f"{place.app.url}/cloud/{place.session_id}/png").status == 404
    assert len(bucket_of().keys) == 2
    steps.tab(page, "Queue")
    expect(page.locator(".sm-job")).to_have_count(2)
    expect(page.locator(".sm-done")).to_contain_text("Upload")
    expect(page.locator(".sm-done")).to_contain_text("Kugel ö #1")
    log = place.app.log.read_text() + "".join(path.read_text() for path in (place.app.workspace / "logs").glob("*"))
    assert "s3cr3t" not in log and "AKIDTEST" not in log


def test_what_is_up_is_deleted_by_hand_and_with_its_session(page: Page, place: Place) -> None:
    page.get_by_role("button", name="Upload to Cloudflare R2").click()
    rows = page.locator(".sm-cloud")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("out of date")).to_have_count(0)
    (place.app.workspace / "sessions" / place.session_id / "alpha.mp4").write_bytes(b"made anew")
    page.reload()
    steps.tab(page, "Deliver")
    expect(rows.filter(has_text="out of date: upload again")).to_contain_text("Kugel ö #1_alpha.mp4")
    expect(page.get_by_text("out of date")).to_have_count(1)
    place.store.faults.append(Fault("DELETE", times=9, answer=error(403, "AccessDenied")))
    delete_upload(page, "Kugel ö #1_alpha.mp4")
    expect(page.get_by_text("let it read, write and delete there")).to_be_visible()
    expect(rows).to_have_count(2)
    place.store.faults.clear()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("tab", name="Deliver", exact=True).click()
    expect(other.locator(".sm-cloud")).to_have_count(2)
    delete_upload(page, "Kugel ö #1_alpha.mp4")
    expect(rows).to_have_count(1)
    expect(other.locator(".sm-cloud")).to_have_count(1)
    other.close()
    expect(rows).to_contain_text("webm")
    assert len(bucket_of().keys) == 1
    session = SessionStore(place.app.workspace / "sessions").open(place.session_id)
    session.state.commercial = True  # what nobody knows the makers of is not handed out then
    session.save()
    page.reload()
    steps.tab(page, "Deliver")
    expect(rows).to_contain_text("not cleared for commercial use")
    expect(rows.get_by_role("link")).to_have_count(0)
    expect(rows.get_by_role("button", name="in the cloud")).to_have_count(1)
    place.store.faults.append(Fault("DELETE", times=9, answer=error(403, "AccessDenied")))
    delete_session(page)
    expect(page.get_by_text("stays, as its uploads cannot be deleted")).to_be_visible()
    page.wait_for_function("id => window.__stage.view && window.__stage.view.id === id", arg=place.session_id)
    place.store.faults.clear()
    delete_session(page)
    expect(page.locator(".sm-session")).to_have_count(0)
    assert bucket_of().keys == {} and not (place.app.workspace / "sessions" / place.session_id).exists()


def delete_upload(page: Page, name: str) -> None:
    """Delete an upload by its button."""
    page.get_by_role("button", name=f"Delete {name} in the cloud").click()
    dialog = page.locator(".sm-dialog")
    expect(dialog).to_contain_text("links to it end")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_have_count(0)


def delete_session(page: Page) -> None:
    """Delete the session with its uploads."""
    page.get_by_role("button", name="More for Kugel").click()
    page.get_by_text("Delete …", exact=True).click()
    dialog = page.locator(".sm-dialog")
    dialog.get_by_role("checkbox", name="Also delete what is uploaded").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_have_count(0)
