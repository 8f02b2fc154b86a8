"""A real Chromium, started by the test and ended by it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.app_process import App, free_port, start_app, wait_for

__all__ = ["CHROMIUM", "FLAGS", "PATIENCE", "App", "chromium", "free_port", "start_app", "wait_for"]

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 60_000
"""Milliseconds for what comes at once on an idle machine: what never comes fails late, what is late does not fail."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
