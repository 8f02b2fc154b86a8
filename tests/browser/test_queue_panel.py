"""The queue's list in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from queue_logic import JobQueue, JobState
from tests.browser import steps
from tests.browser.driver import App, wait_for

pytestmark = pytest.mark.browser
MARK = "document.querySelectorAll('.sm-job').forEach((row, place) => { row.dataset.mark = place + 1; })"
MARKS = "[...document.querySelectorAll('.sm-job')].map((row) => row.dataset.mark ?? '')"


def test_a_job_keeps_its_buttons_while_others_change(page: Page, app: App, clip: Path) -> None:
    session = steps.upload(page, clip)
    steps.tab(page, "Queue")
    page.get_by_role("button", name="Start no further jobs", exact=True).click()
    expect(page.get_by_text("Stopped: no further job is started.")).to_be_visible()
    queue, rows = JobQueue(app.workspace), page.locator(".sm-job")
    wait_for(lambda: all(job.state is JobState.DONE for job in queue.jobs()), what="the frames to be taken")
    queue.clear()
    made = [queue.add("matting", session, {"until": until}).id for until in ("propagate", "matte", "deliver", "")]
    expect(rows).to_have_count(4)
    page.evaluate(MARK)
    queue.move_top(made[3])
    # The first can rise now, the last cannot, the one before it cannot sink: these are drawn anew, each in its place.
    page.wait_for_function(f"{MARKS}.join() === ',,2,'")
    queue.cancel(made[0])
    expect(page.locator(".sm-job.sm-cancelled")).to_have_count(1)
    queue.remove(made[2])
    expect(rows).to_have_count(3)
    for place, job in enumerate((made[3], made[0], made[1])):
        rows.nth(place).get_by_role("button", name="Log", exact=True).click()
        expect(page.get_by_text(f"Log of job {job}: ")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".sm-log")).to_be_hidden()
