"""What can be measured of how a page looks: contrast, and what lies over what."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

READABLE = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3)."""
_CONTRAST = """(element) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colour, under) => {
    for (canvas.fillStyle of [under, colour]) canvas.fillRect(0, 0, 1, 1);
    return `rgb(${[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)})`;
  };
  const luminance = (colour) => {
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const [red, green, blue] = colour.match(/\\d+/g).map((part) => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  let back = "rgb(255, 255, 255)";
  const around = [];
  for (let one = element; one; one = one.parentElement) around.unshift(getComputedStyle(one).backgroundColor);
  for (const colour of around) back = over(colour, back);
  const [low, high] = [back, over(getComputedStyle(element).color, back)].map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""
_OVERLAPS = """(root) => {
  const shown = [...root.querySelectorAll("button, input, select, a, .sm-zoom, .sm-timecode, .sm-dim")]
    .filter((one) => one.checkVisibility() && (one.firstChild || one.matches("input")))
    .map((one) => [one.getAttribute("aria-label") || one.textContent.trim(), one.getBoundingClientRect()]);
  const found = [], edge = root.getBoundingClientRect();
  shown.forEach(([name, box], index) => {
    const out = box.left < edge.left - 1 || box.right > edge.right + 1 || box.bottom > edge.bottom + 1;
    if (out) found.push(`${name} sticks out`);
    for (const [other, that] of shown.slice(index + 1)) {
      const across = Math.min(box.right, that.right) - Math.max(box.left, that.left);
      const down = Math.min(box.bottom, that.bottom) - Math.max(box.top, that.top);
      if (across > 1 && down > 1) found.push(`${name} and ${other}`);
    }
  });
  return found;
}"""


def contrast(text: Locator) -> float:
    """Return the contrast of an element's text with what lies behind it, 1 to 21 (WCAG 2.2)."""
    return float(text.first.evaluate(_CONTRAST))


def overlaps(page: Page, selector: str) -> list[str]:
    """Return which controls of a bar lie over one another, or stick out of it."""
    return [str(found) for found in page.locator(selector).first.evaluate(_OVERLAPS)]
