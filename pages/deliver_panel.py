"""Deliver a matte: formats, and whether colours are multiplied by alpha."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from pages.deliver_form import DeliverForm, FormatRow
from pages.estimate import Estimate
from pages.matting_desk import MattingDesk
from pages.run_panels import has_prompts
from pages.texts import t
from pipeline.formats import FORMATS

COLOURS = {"own": "As each format has it", "straight": "Straight", "premultiplied": "Premultiplied"}
COLOUR_TEXTS = list(COLOURS.values())
PLAYABLE = ("alpha", "foreground", "webm")
"""Formats that browsers play."""


class DeliverPanel(DeliverForm):
    """Formats to make, and what there is."""

    def __init__(self, desk: MattingDesk) -> None:
        self._matting = desk
        rows = [FormatRow(spec.name, spec.title, spec.help, spec.folder) for spec in FORMATS.values()]
        note = t("Every format comes from the stored alpha; no engine runs again for it.")
        super().__init__(desk, rows, PLAYABLE, note)

    def more(self) -> None:
        """Draw the choice of colours."""
        options = {key: t(text) for key, text in COLOURS.items()}
        self._colours = ui.select(options, value="own", label=t("Colours")).props("dense outlined options-dense")
        self._colours.classes("w-full").on("update:model-value", self._set_colours)

    def below(self) -> None:
        """Draw what it will take."""
        Estimate(self._matting, "deliver", has_prompts)

    @property
    def ready(self) -> bool:
        """Tell whether there is something to deliver."""
        return bool(self._matting.view and self._matting.view["objects"])

    def follow(self, state: Any) -> None:
        """Show the colours that are chosen."""
        self._colours.value = {None: "own", False: "straight", True: "premultiplied"}[state.premultiplied]

    async def _set_colours(self) -> None:
        choice = {"own": None, "straight": False, "premultiplied": True}[str(self._colours.value)]
        await self._matting.edit("set_premultiplied", choice)
