"""A page of another origin, in a real browser: it can neither read nor drive the app."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import steps
from tests.browser.driver import App, start_app

pytestmark = pytest.mark.browser
ATTACK = """async (app) => {
  const found = {};
  const attempt = async (name, action) => { try { found[name] = await action(); } catch { found[name] = "refused"; } };
  const element = (tag, attributes) => new Promise((resolve) => {
    const made = Object.assign(document.createElement(tag), attributes);
    made.onload = () => resolve("loaded"); made.onerror = () => resolve("refused");
    document.body.append(made);
  });
  await attempt("read", async () => (await fetch(app + "/")).text());
  await attempt("cookies", async () => (await fetch(app + "/", { credentials: "include" })).text());
  const blind = { method: "POST", mode: "no-cors", body: "x" };
  await attempt("blind", async () => { await fetch(app + "/upload?name=a.mp4", blind); return "refused"; });
  await attempt("image", () => element("img", { src: app + "/media/SESSION/frame/0" }));
  await attempt("video", () => element("img", { src: app + "/media/SESSION/thumb" }));
  await attempt("script", () => element("script", { src: app + "/static/video_upload.js", type: "module" }));
  await attempt("socket", () => new Promise((resolve) => {
    const socket = new WebSocket(app.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket");
    socket.onopen = () => resolve("open"); socket.onerror = () => resolve("refused");
  }));
  await attempt("polling", async () => (await fetch(app + "/_nicegui_ws/socket.io/?EIO=4&transport=polling")).text());
  return found;
}"""


class Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body>hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"], ids=["another-port", "another-name"])
def test_a_page_elsewhere_gets_nothing(page: Page, app: App, clip: object, elsewhere: str, name: str) -> None:
    session = steps.upload(page, clip)  # type: ignore[arg-type]
    before = sorted(path.name for path in (app.workspace / "sessions").iterdir())
    stranger = page.context.new_page()  # the same browser, with all its cookies
    stranger.goto(f"http://{elsewhere.replace('127.0.0.1', name)}/")
    found = stranger.evaluate(ATTACK.replace("SESSION", session), app.url)
    assert set(found.values()) == {"refused"}, found
    after = sorted(path.name for path in (app.workspace / "sessions").iterdir())
    assert after == before and not list((app.workspace / "uploads").iterdir())


def test_a_form_or_a_frame_elsewhere_does_nothing(page: Page, app: App, elsewhere: str) -> None:
    page.goto(f"http://{elsewhere}/")
    page.evaluate(
        """(app) => { document.body.innerHTML = `<iframe src="${app}/"></iframe>
        <form method="post" action="${app}/upload?name=a.mp4" enctype="text/plain">
        <input name="a" value="b"></form>`; }""",
        app.url,
    )
    frame = page.frames[-1]
    frame.wait_for_load_state()
    assert "SplazMatte" not in frame.content()
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")
    assert "another origin" in page.content()


def test_its_own_page_still_works(page: Page, app: App, clip: object) -> None:
    steps.upload(page, clip)  # type: ignore[arg-type]
    steps.click(page, 250, 75)
    assert steps.mask(page, 1, 0)[75, 250]


def test_a_link_elsewhere_opens_an_app_that_one_has_logged_in_to(
    context: BrowserContext, elsewhere: str, tmp_path: Path
) -> None:
    locked = start_app(tmp_path / "workspace", environment={"SPLAZMATTE_PASSWORD": "open sesame"})
    try:
        page = context.new_page()
        page.goto(locked.url)
        page.get_by_label("Password").fill("open sesame")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".sm-page")).to_be_visible()
        for path, found in (("/settings", ".sm-page"), ("/logout", "text=another origin"), ("/", ".sm-page")):
            page.goto(f"http://{elsewhere.replace('127.0.0.1', 'localhost')}/")
            page.evaluate("(to) => { document.body.innerHTML = `<a href='${to}'>it</a>`; }", locked.url + path)
            page.get_by_role("link", name="it").click()
            expect(page.locator(found)).to_be_visible()
    finally:
        locked.close()
