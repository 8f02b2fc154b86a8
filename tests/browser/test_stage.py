"""The stage in a real Chromium, against the stand-in server of stage_bench.py."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pages.stage import STATIC
from pages.stage_kinds import MAKER_TEXTS, MATTING, OPTIONS, STAGE_TEXTS, TRACK_STAGE_TEXTS, TRACKING, StageKind
from tests.browser.driver import PATIENCE
from tests.browser.look import overlaps
from tests.browser.stage_bench import ARGUMENTS, CHROMIUM, COLOURS, FOREGROUND, LIVE, STEPS, frame_colour, server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
Open = Callable[..., "Seat"]


class Seat:
    """One browser page with a stage, and what its server heard."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address

    def js(self, code: str, argument: object = None) -> Any:
        return self.page.evaluate(code, argument)

    def until(self, condition: str, argument: object = None) -> None:
        self.page.wait_for_function(condition, arg=argument)

    def seek(self, frame: int) -> None:
        self.js("frame => __stage.seek(frame)", frame)
        self.until("frame => __stage.shown === frame", frame)

    def at(self, x: float, y: float) -> tuple[float, float]:
        across, down = self.js("([x, y]) => __stage.toScreen(x, y)", [x, y])
        return across, down

    def colour(self, x: float, y: float) -> list[int]:
        """Return what is drawn at a source pixel's centre, once the next picture is drawn."""
        code = """async ([x, y]) => {
          await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
          const canvas = document.querySelector(".sm-canvas"), box = canvas.getBoundingClientRect();
          const [across, down] = __stage.toScreen(x, y), ratio = canvas.width / box.width;
          const place = [(across - box.left) * ratio, (down - box.top) * ratio].map(Math.floor);
          return [...canvas.getContext("2d").getImageData(...place, 1, 1).data].slice(0, 3);
        }"""
        return list(self.js(code, [x, y]))

    def events(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Return what the server heard of a name, once there are so many."""
        found: list[dict[str, Any]] = []
        for _ in range(200):
            with urllib.request.urlopen(f"{self.address}/stub/events") as answer:
                found = [event for event in json.load(answer) if event["name"] == name]
            if len(found) >= count:
                return found
            self.js("() => new Promise((next) => requestAnimationFrame(next))")
        raise AssertionError(f"{count} {name} expected, heard {found}")

    def post(self, path: str, body: object) -> None:
        data = json.dumps(body).encode()
        urllib.request.urlopen(
            urllib.request.Request(f"{self.address}/stub/{path}", data, {"Content-Type": "application/json"})
        ).close()

    def view(self, **changes: object) -> None:
        self.post("view", changes)

    def options(self, **options: object) -> None:
        self.post("set_options", options)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def seat(browser: Any, address: str) -> Iterator[Open]:
    contexts, errors = [], []

    def open_page(
        session: str = "320x180x60", dpr: float = 1, width: int = 1000, height: int = 700, **more: Any
    ) -> Seat:
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=dpr, **more)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}/?session={session}")
        found = Seat(page, address)
        found.until("window.__stage?.shown === 0")
        return found

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def near(found: list[int], expected: tuple[float, ...], slack: int = 4) -> bool:
    return all(abs(a - b) <= slack for a, b in zip(found, expected, strict=True))


def mix(below: tuple[int, ...], above: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    return tuple(b * (1 - alpha) + a * alpha for b, a in zip(below, above, strict=True))


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


MIDDLE, CORNER, BOX = (160, 90), (20, 120), (270, 40)
"""Source pixels inside the first object, in none, inside the second object."""


@pytest.mark.parametrize("dpr", [1, 2, 1.5])
def test_clicks_are_source_pixels_at_any_zoom_and_density(seat: Open, dpr: float) -> None:
    page = seat(dpr=dpr)
    wanted = []
    for zoom, (i, j) in (
        ("fit", (0, 0)),
        ("fit", (319, 179)),
        ("actual", (7, 100)),
        ("zoom_in", (163, 91)),
        ("wheel", (150, 80)),
    ):
        if zoom == "wheel":
            before, start = page.at(150, 80)[0], page.js("__stage.zoom")
            cursor = round(before)  # a wheel event says where it is in whole pixels
            page.page.mouse.move(cursor, round(page.at(150, 80)[1]))
            for _ in range(4):  # turns that come together are one, and one zooms by so much and no more
                zoomed = page.js("__stage.zoom")
                page.page.mouse.wheel(0, -240)
                page.until(f"__stage.zoom > {zoomed}")
            kept = f"{cursor} + ({before} - {cursor}) * __stage.zoom / {start}"
            page.until(f"Math.abs(__stage.toScreen(150, 80)[0] - ({kept})) < 0.02 && __stage.zoom > 2")
        else:
            page.js("action => __stage.run(action)", zoom)
        page.page.mouse.click(*page.at(i, j))
        wanted.append((i, j, 0.5 / page.js("__stage.zoom") * dpr + 1e-6))
    for event, (i, j, slack) in zip(page.events("click", len(wanted)), wanted, strict=True):
        assert abs(event["x"] - i) <= slack
        assert abs(event["y"] - j) <= slack
        assert event["frame"] == 0 and event["positive"]


@pytest.mark.parametrize("aspect", [2, 0.5])
def test_pixels_that_are_not_square_are_shown_as_wide_as_they_are(seat: Open, aspect: float) -> None:
    page = seat()
    page.view(pixel_aspect=aspect)
    page.until(
        "aspect => Math.abs((__stage.toScreen(9, 0)[0] - __stage.toScreen(8, 0)[0]) / __stage.zoom - aspect) < 1e-6",
        aspect,
    )
    (left, top), (right, bottom) = page.at(-0.5, -0.5), page.at(319.5, 179.5)
    assert (right - left) / (bottom - top) == pytest.approx(aspect * 320 / 180)
    window = page.page.locator(".sm-canvas").bounding_box()
    assert window and right - left <= window["width"] + 0.01 and bottom - top <= window["height"] + 0.01
    assert page.colour(1, 90) == page.colour(318, 90) == page.colour(160, 40), "the whole picture is there"
    for i, j in ((0, 0), (319, 179), (7, 100)):
        page.page.mouse.click(*page.at(i, j))
    for event, (i, j) in zip(page.events("click", 3), ((0, 0), (319, 179), (7, 100)), strict=True):
        assert abs(event["x"] - i) <= 1 and abs(event["y"] - j) <= 1


def test_fit_survives_a_resize_and_the_click_with_it(seat: Open) -> None:
    page = seat()
    before = page.js("__stage.zoom")
    page.page.set_viewport_size({"width": 500, "height": 500})
    page.until("before => __stage.zoom < before", before)
    page.page.mouse.click(*page.at(200, 100))
    event = page.events("click")[0]
    assert abs(event["x"] - 200) < 0.5 and abs(event["y"] - 100) < 0.5


def test_right_and_alt_are_negative(seat: Open) -> None:
    page = seat()
    page.page.mouse.click(*page.at(10, 10), button="right")
    page.page.keyboard.down("Alt")
    page.page.mouse.click(*page.at(12, 10))
    page.page.keyboard.up("Alt")
    page.page.mouse.click(*page.at(-9, 10))  # beside the picture: nothing
    page.page.mouse.click(*page.at(14, 10))
    assert [event["positive"] for event in page.events("click", 3)] == [False, False, True]


def test_box_and_strokes_are_reported_and_drawn_at_once(seat: Open) -> None:
    page = seat()
    page.page.keyboard.press("b")
    page.page.mouse.move(*page.at(60, 50))
    page.page.mouse.down()
    page.page.mouse.move(*page.at(20, 30), steps=3)
    page.page.mouse.up()
    box = page.events("box")[0]
    assert all(abs(box[key] - value) < 0.5 for key, value in {"x0": 20, "y0": 30, "x1": 60, "y1": 50}.items())
    page.page.keyboard.press("p")
    before = page.colour(40, 140)
    page.page.mouse.move(*page.at(30, 140))
    page.page.mouse.down()
    page.page.mouse.move(*page.at(50, 140), steps=5)
    page.page.mouse.up()
    stroke = page.events("stroke")[0]
    assert stroke["radius"] == OPTIONS["brush_radius"] and stroke["positive"]
    assert len(stroke["points"]) > 2 and abs(stroke["points"][0][0] - 30) < 0.5
    assert near(page.colour(40, 140), mix(tuple(before), rgb(COLOURS[0]), 0.5))


def test_a_stroke_goes_when_its_mask_comes(seat: Open) -> None:
    page = seat()
    page.page.keyboard.press("p")
    page.page.mouse.click(*page.at(40, 120))
    page.events("stroke")
    painted = page.colour(40, 120)
    lane = [[0, 1, "keyframe", "new"], [1, 60, "propagated", "p"]]
    page.view(
        objects=[
            {
                "id": 1,
                "name": "A",
                "colour": COLOURS[0],
                "visible": True,
                "opacity": 1,
                "lane": lane,
                "prompts": {},
                "busy": [],
            }
        ]
    )
    code = """() => {
      const canvas = document.querySelector(".sm-canvas"), [x, y] = __stage.toScreen(40, 120);
      const box = canvas.getBoundingClientRect();
      return canvas.getContext("2d").getImageData(x - box.left, y - box.top, 1, 1).data[0] < %d - 40;
    }"""
    page.until(code % painted[0])
    assert near(page.colour(40, 120), frame_colour(0))


def test_views_show_what_they_say(seat: Open) -> None:
    page = seat()
    page.seek(6)
    back = frame_colour(6)
    overlay = page.colour(*MIDDLE), page.colour(*BOX), page.colour(*CORNER)
    assert near(overlay[0], mix(back, rgb(COLOURS[0]), 0.5)) and near(overlay[1], mix(back, rgb(COLOURS[1]), 0.5))
    assert near(overlay[2], back)
    expected = {
        "q": (back, back, back),
        "a": ((255,) * 3, (255,) * 3, (0,) * 3),
        "s": ((255,) * 3, (0,) * 3, (0,) * 3),
        "d": (FOREGROUND, (0,) * 3, (0,) * 3),
    }
    for key, colours in expected.items():
        page.page.keyboard.press(key)
        page.until(
            "key => __stage.loaded(6) && __stage.options.view[0] === key", {"q": "s", "a": "m", "s": "a", "d": "f"}[key]
        )
        for place, colour in zip((MIDDLE, BOX, CORNER), colours, strict=True):
            assert near(page.colour(*place), colour), (key, place)


def test_composite_over_a_colour_and_checker(seat: Open) -> None:
    page = seat()
    page.options(view="composite", backdrop="#00b140")
    page.until("__stage.options.view === 'composite' && __stage.loaded(0)")
    assert near(page.colour(*CORNER), rgb("#00b140")) and near(page.colour(*MIDDLE), FOREGROUND)
    page.options(backdrop="checker")
    page.until("__stage.options.backdrop === 'checker'")
    assert {tuple(page.colour(x, 10)) for x in range(0, 40, 3)} == {(140,) * 3, (180,) * 3}


def test_no_alpha_is_said_and_a_preview_shown(seat: Open) -> None:
    page = seat()
    page.page.keyboard.press("s")
    page.seek(45)
    page.page.get_by_text("No alpha on this frame").wait_for()
    page.view(preview={"45": "1"})
    page.page.get_by_text("Preview of this frame").wait_for()
    assert near(page.colour(*MIDDLE), (255, 255, 255))
    page.page.keyboard.press("w")
    page.seek(LIVE + 2)
    page.page.get_by_text("Stale", exact=True).wait_for()


def test_wipe_shows_both_and_its_divider_moves(seat: Open) -> None:
    page = seat()
    page.page.keyboard.press("a")
    page.page.keyboard.press("x")
    page.until("__stage.options.wipe && __stage.loaded(0)")
    assert near(page.colour(100, 20), (0, 0, 0)) and near(page.colour(250, 70), frame_colour(0))
    middle = page.page.viewport_size["width"] / 2
    height = page.at(0, 150)[1]
    page.page.mouse.move(middle, height)
    page.page.mouse.down()
    page.page.mouse.move(*page.at(60, 150), steps=4)
    page.page.mouse.up()
    assert near(page.colour(100, 20), frame_colour(0))
    assert {"wipe": True} in [{k: v for k, v in e.items() if k != "name"} for e in page.events("options", 2)]


def test_keys_do_what_the_table_says(seat: Open) -> None:
    page = seat()
    for key, frame in (
        ("ArrowRight", 1),
        (".", 2),
        (",", 1),
        ("Shift+ArrowRight", 11),
        ("]", 30),
        ("[", 0),
        ("End", 59),
        ("Home", 0),
    ):
        page.page.keyboard.press(key)
        page.until("frame => __stage.shown === frame", frame)
    page.seek(10)
    page.page.keyboard.press("i")
    page.seek(19)
    page.page.keyboard.press("o")
    assert page.events("range", 2)[-1] == {"name": "range", "start": 10, "stop": 20}
    page.page.keyboard.press("Shift+X")
    assert page.events("range", 3)[-1] == {"name": "range", "start": None, "stop": None}
    radius = page.js("__stage.options.brush_radius")
    page.page.keyboard.press("}")
    assert page.js("__stage.options.brush_radius") > radius
    for key in (
        "Control+z",
        "Control+Shift+z",
        "Control+y",
        "n",
        "Delete",
        "Backspace",
        "Control+Enter",
        "m",
        "?",
        "k",
    ):
        page.page.keyboard.press(key)
    heard = [event["action"] for event in page.events("action", 10)]
    deletions = ["delete_keyframe", "delete_keyframe"]
    assert heard == ["undo", "redo", "redo", "new_object", *deletions, "propagate", "matte_frame", "help", "keep_mask"]


def test_keys_stay_out_of_fields_and_buttons(seat: Open) -> None:
    page = seat()
    field = page.page.get_by_role("textbox", name="Frame")
    field.click()
    page.page.keyboard.press("n")
    page.page.keyboard.press("Home")
    field.fill("33")
    page.page.keyboard.press("Enter")
    page.until("__stage.shown === 33")
    page.page.get_by_role("button", name="Next keyframe").focus()
    page.page.keyboard.press("Space")  # presses the button, does not play
    assert not page.js("__stage.playing")
    page.page.keyboard.press("m")
    assert [event["action"] for event in page.events("action")] == ["matte_frame"]


@pytest.mark.alone
def test_playback_keeps_time_and_stays_in_the_range(seat: Open) -> None:
    page = seat()
    page.view(range=[5, 17])
    page.until("__stage.range?.[1] === 17")
    page.page.locator(".sm-canvas").focus()
    page.page.keyboard.press("Space")
    page.until("__stage.playing")
    code = """async () => {
      const seen = new Set(), began = performance.now();
      let loops = 0, last = 0;
      while (loops < 2) {
        await new Promise((next) => requestAnimationFrame(next));
        if (__stage.frame < last) loops += 1;
        if (performance.now() - began > 8000) break;
        last = __stage.frame;
        seen.add(last);
      }
      return [Math.min(...seen), Math.max(...seen), (performance.now() - began) / 1000];
    }"""
    first, last, seconds = page.js(code)
    assert (first, last) == (5, 16)
    assert 0.7 < seconds < 2.5  # 12 frames at 24 a second are half a second; twice, less what had gone
    page.page.keyboard.press("Space")
    page.until("!__stage.playing && __stage.shown === __stage.frame")


def test_space_with_a_drag_pans_and_does_not_play(seat: Open) -> None:
    page = seat()
    before = page.at(0, 0)
    page.page.locator(".sm-canvas").hover()
    page.page.keyboard.down("Space")
    page.page.mouse.down()
    page.page.mouse.move(*(place + 30 for place in page.at(160, 90)), steps=3)
    page.page.mouse.up()
    page.page.keyboard.up("Space")
    assert page.at(0, 0) != before and not page.js("__stage.playing")
    page.page.keyboard.press("m")
    page.events("action")
    with urllib.request.urlopen(f"{page.address}/stub/events") as answer:
        assert not [event for event in json.load(answer) if event["name"] == "click"]


def test_timeline_scrubs_jumps_to_keyframes_and_moves_the_range(seat: Open) -> None:
    page = seat()
    box = page.page.locator(".sm-timeline").bounding_box()
    left, width = box["x"] + 96 + 6, box["width"] - 96 - 6 - 4

    def middle_of(frame: int) -> float:
        return float(left + (frame + 0.5) * width / 60)

    page.page.mouse.click(middle_of(21), box["y"] + 10)
    page.until("__stage.shown === 21")
    page.page.mouse.click(middle_of(30) + 5, box["y"] + 22 + 40 + 10)  # a little beside the diamond
    page.until("__stage.shown === 30")
    page.view(range=[10, 40])
    page.until("__stage.range")
    page.page.mouse.move(left + 10 * width / 60, box["y"] + 30)
    page.page.mouse.down()
    page.page.mouse.move(left + 14 * width / 60, box["y"] + 30, steps=4)
    page.page.mouse.up()
    assert page.events("range")[-1] == {"name": "range", "start": 14, "stop": 40}
    page.page.locator(".sm-timeline").focus()
    page.page.keyboard.press("ArrowLeft")
    page.until("__stage.shown === 29")
    slider = page.page.get_by_role("slider", name="Timeline")
    assert slider.get_attribute("aria-valuenow") == "29"
    page.page.mouse.click(box["x"] + 30, box["y"] + 22 + 40 + 20 + 10)  # the second lane's name
    assert page.events("options")[-1]["current_object"] == 2


def test_scrubbing_keeps_memory_bounded_and_reports_sparsely(seat: Open) -> None:
    page = seat("1280x720x600")
    code = """async () => {
      for (let frame = 0; frame < 600; frame += 3) {
        __stage.seek(frame);
        await new Promise((next) => requestAnimationFrame(next));
      }
    }"""
    page.js(code)
    page.until("__stage.shown === 597")
    stats = page.js("__stage.stats()")
    assert stats["peak"] <= 256 << 20
    assert stats["images"] * 1280 * 720 * 4 == stats["bytes"]
    assert stats["thumbBytes"] <= 24 << 20
    reports = page.events("frame")
    for _ in range(100):
        if reports[-1]["frame"] == 597:
            break
        reports = page.events("frame", len(reports))
    assert reports[-1]["frame"] == 597 and len(reports) < 100


@pytest.mark.alone
def test_stepping_draws_every_frame(seat: Open) -> None:
    page = seat()
    assert page.js(STEPS, 40) > 20
    assert page.js("__stage.shown") == 40


def test_a_frame_that_is_not_there_yet_is_waited_for(seat: Open) -> None:
    page = seat()
    page.post("late/50", {})
    page.view(extracted=40)
    page.js("__stage.seek(50)")
    page.page.get_by_text("Waiting for frame 50").wait_for()
    assert page.js("__stage.shown") == 0
    page.page.mouse.click(*page.at(*MIDDLE))
    assert page.events("click")[0]["frame"] == 0  # what was seen was clicked on
    page.post("late/50", {})
    page.until("__stage.shown === 50")


def test_two_fingers_pinch_and_draw_nothing(seat: Open) -> None:
    page = seat(has_touch=True)
    touch = page.page.context.new_cdp_session(page.page)
    (x, y), zoom = page.at(*MIDDLE), page.js("__stage.zoom")

    def send(kind: str, *spread: float) -> None:
        points = [{"x": x + offset, "y": y, "id": index} for index, offset in enumerate(spread)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", -30)
    send("touchStart", -30, 30)
    send("touchMove", -60, 60)
    send("touchEnd")
    page.until("zoom => Math.abs(__stage.zoom / zoom - 2) < 0.1", zoom)
    page.page.touchscreen.tap(*page.at(100, 60))
    clicks = page.events("click")
    assert len(clicks) == 1 and abs(clicks[0]["x"] - 100) < 0.5


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_overflows(seat: Open, width: int) -> None:
    page = seat(width=width, height=640)
    code = """() => [...document.querySelectorAll(".sm-stage button:not([hidden]), .sm-stage input:not([hidden])")]
      .filter((one) => one.offsetParent).map((one) => one.getBoundingClientRect())
      .filter((box) => box.left < 0 || box.right > innerWidth || box.bottom > innerHeight).length"""
    assert page.js(code) == 0
    assert page.js("document.querySelector('.sm-window').clientHeight") >= 120


def test_bars_never_lie_over_themselves(seat: Open) -> None:
    page = seat(width=1000, height=700)
    page.options(backdrop="#00b140", view_b="overlay")
    for wipe, view in ((False, "overlay"), (False, "alpha"), (False, "composite"), (True, "composite")):
        page.options(wipe=wipe, view=view)
        page.until("([wipe, view]) => __stage.options.wipe === wipe && __stage.options.view === view", [wipe, view])
        for width in range(320, 1001, 40):
            page.page.set_viewport_size({"width": width, "height": 700})
            found = {bar: overlaps(page.page, bar) for bar in (".sm-bar", ".sm-transport")}
            assert not any(found.values()), (width, view, found)


def test_the_picture_keeps_its_place_between_views(seat: Open) -> None:
    for width in (480, 600, 720, 900):  # of the stage, in windows of 1090 to 1500
        page = seat(width=width)
        heights = set()
        for view in ("overlay", "alpha", "source"):
            page.options(view=view)
            page.until("view => __stage.options.view === view", view)
            heights.add(page.js("document.querySelector('.sm-window').clientHeight"))
        assert len(heights) == 1, width


def test_without_a_session_the_bars_are_at_rest(seat: Open) -> None:
    page = seat()
    page.post("set_view", {"view": None})
    page.until("__stage.view === null && !document.querySelector('.sm-bar button:enabled')")
    assert page.page.inner_text(".sm-zoom") == ""
    page.view(name="again")
    page.until("document.querySelectorAll('.sm-bar button:enabled').length > 8")
    assert page.page.inner_text(".sm-zoom").endswith("%")


@pytest.mark.parametrize("kind", [MATTING, TRACKING], ids=lambda kind: kind.name)
def test_every_text_is_declared_and_used(kind: StageKind) -> None:
    """Of the modules that a page loads: what they write is declared, and what is declared is in them."""
    source = "".join(path.read_text() for path in modules(STATIC / f"kind_{kind.name}.js", STATIC / "main.js"))
    quoted = set(re.findall(r'"([^"\n]+)"', source))
    asked = set(re.findall(r'\b(?:t|tip)\("([^"]+)"', source))
    declared = {*STAGE_TEXTS, *TRACK_STAGE_TEXTS}
    assert asked <= declared
    own = {text for text in kind.texts if text not in MAKER_TEXTS}
    assert not own - quoted - {text for _, _, text in kind.keys}


def modules(*roots: Path) -> set[Path]:
    """Return the modules that these import, with themselves."""
    found: set[Path] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [STATIC / name for name in re.findall(r'from "\./([^"]+)"', path.read_text())]
    return found


@pytest.mark.parametrize("kind", [MATTING, TRACKING], ids=lambda kind: kind.name)
def test_every_key_has_an_action(kind: StageKind) -> None:
    source = (STATIC / "actions.js").read_text()
    toggles = set(re.findall(r'"(\w+)"', re.search(r"const TOGGLES = (.+);", source)[1]))  # type: ignore[index]
    for key, action, _ in kind.keys:
        plain = action.startswith(("tool_", "view_")) or action in toggles
        assert plain or action in kind.server or re.search(rf"^  {action}: ", source, re.M), action
        assert key == key.lower()
    assert len({key for key, _, _ in kind.keys}) == len(kind.keys)


@pytest.mark.parametrize("kind", [MATTING, TRACKING], ids=lambda kind: kind.name)
def test_options_are_the_same_on_both_sides(kind: StageKind) -> None:
    source = (STATIC / f"kind_{kind.name}.js").read_text()
    listed = re.search(r"options: \{(.*?)\}", source, re.S)
    assert listed is not None and set(kind.options) <= set(re.findall(r"(\w+):", listed[1]))
