"""A choice of engine with its parameters, drawn from the registry; one that cannot run says what mends it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from nicegui import ui

from app_logic.engine_menu import MenuEntry, first_params
from engines.registry import get_spec, obstacle
from engines.spec import EngineSpec, Job, Param
from engines.terms import forbidden_by
from pages.desk import Desk
from pages.texts import say, t
from pages.widgets import Choices, hint


class EngineForm:
    """The engine of one job in the open session."""

    def __init__(self, desk: Desk, job: Job) -> None:
        self._desk = desk
        self._job = job
        self._shown: object = None
        self._box = ui.column().classes("sm-form")
        desk.on_view(self._refresh)
        desk.on_menus(self._refresh)

    def _refresh(self) -> None:
        state = self._desk.editor.session.state if self._desk.editor else None
        choice = getattr(state, self._job.value) if state else None
        menu = self._desk.menus[self._job]
        shown = (choice, menu, state.commercial) if state else None
        if shown == self._shown:
            return
        self._shown = copy.deepcopy(shown)
        self._box.clear()
        if state is not None and choice is not None:
            with self._box:
                self._draw(choice.name, dict(choice.params), {entry.name: entry for entry in menu}, state.commercial)

    def _draw(self, name: str, params: dict[str, Any], menu: dict[str, MenuEntry], commercial: bool) -> None:
        lacking = {key for key, entry in menu.items() if entry.obstacle}
        blocked = lacking | {key for key, entry in menu.items() if commercial and not entry.commercial}
        options = {key: _title(entry) for key, entry in menu.items()}
        select = Choices(options, blocked, value=name if name in options else None, label=t("Engine"))
        select.props("dense outlined options-dense").classes("w-full")
        select.on_value_change(lambda event: self._choose(event.value))
        if name in options:
            self._chosen(get_spec(self._job, name), params, menu[name])
        if lacking - {name}:
            with ui.expansion(t("Engines that cannot run yet"), icon="lock").props("dense").classes("w-full sm-params"):
                for key in sorted(lacking - {name}):
                    _obstacle(menu[key].obstacle, menu[key].lacks_weights, t(menu[key].title))
        if not all(entry.commercial for entry in menu.values()):
            self._terms(commercial)

    def _terms(self, commercial: bool) -> None:
        """Draw the switch that leaves out what forbids commercial use."""
        with ui.row().classes("sm-param"):
            switch = ui.switch(t("For commercial use"), value=commercial).props("dense").classes("grow")
            switch.on("update:model-value", lambda: self._desk.edit("set_commercial", switch.value))
            hint(t("Leaves out engines whose weights or code forbid commercial use, and refuses what they have made."))

    def _chosen(self, spec: EngineSpec, params: dict[str, Any], entry: MenuEntry) -> None:
        ui.label(t(spec.help)).classes("sm-note")
        if licence := forbidden_by(spec, params):
            ui.label(t("Not for commercial use ({licence}).", licence=licence)).classes("sm-warning")
        if reason := obstacle(spec, params):
            _obstacle(reason, entry.lacks_weights or bool(entry.models))
        if spec.params:
            with ui.expansion(t("Parameters"), icon="tune").props("dense").classes("w-full sm-params"):
                for param in spec.params:
                    blocked = entry.blocked_models if param.name == "model" else frozenset()
                    self._param(spec, param, params, blocked)

    def _param(self, spec: EngineSpec, param: Param, params: dict[str, Any], blocked: frozenset[str]) -> None:
        value = params.get(param.name, param.default)

        def change(new: Any) -> None:
            if new is not None and new != value:
                chosen = {**params, param.name: new}
                kept = {key: val for key, val in chosen.items() if val != _default(spec, key)}
                ui.timer(0, lambda: self._set(spec.name, kept), once=True)

        with ui.row().classes("sm-param"):
            _field(param, value, change, blocked)
            hint(_explain(param))

    async def _choose(self, name: str) -> None:
        await self._set(name, first_params(self._job, name))

    async def _set(self, name: str, params: dict[str, Any]) -> None:
        await self._desk.edit("set_engine", self._job, name, params)
        self._shown = None  # also where it was refused: then the menu goes back to what holds
        self._refresh()


def _field(param: Param, value: Any, change: Callable[[Any], None], blocked: frozenset[str]) -> None:
    """Draw the field that fits the parameter's type and range."""
    label = t(param.name.replace("_", " ").capitalize())
    if isinstance(param.default, bool):
        ui.switch(label, value=bool(value), on_change=lambda event: change(bool(event.value))).props("dense")
    elif param.choices:
        missing = t("weights missing")
        options = {choice: f"{t(choice)} – {missing}" if choice in blocked else t(choice) for choice in param.choices}
        field = Choices(options, blocked, value=value, label=label, on_change=lambda event: change(event.value))
        field.props("dense outlined options-dense").classes("grow")
    elif isinstance(param.default, str):
        text = ui.input(label, value=str(value)).props("dense outlined").classes("grow")
        text.on("change", lambda: change(text.value))
    else:
        whole = isinstance(param.default, int)
        number = ui.number(label, value=value, min=param.minimum, max=param.maximum, suffix=t(param.unit) or None)
        number.props(f"dense outlined step={1 if whole else 'any'}").classes("grow")
        number.on("change", lambda: change(_number(param, number.value, whole)))


def _number(param: Param, value: float | None, whole: bool) -> float | int | None:
    """Return what was typed within the parameter's range; None where it is no number."""
    if value is None:
        return None
    low = param.minimum if param.minimum is not None else value
    high = param.maximum if param.maximum is not None else value
    inside = min(max(value, low), high)
    return round(inside) if whole else float(inside)


def _explain(param: Param) -> str:
    parts = [t(param.help), t("Default: {value}.", value=param.default)]
    if param.minimum is not None and param.maximum is not None:
        parts.append(t("From {low} to {high}.", low=f"{param.minimum:g}", high=f"{param.maximum:g}"))
    return " ".join(parts)


def _default(spec: EngineSpec, name: str) -> Any:
    return next((param.default for param in spec.params if param.name == name), None)


def _title(entry: MenuEntry) -> str:
    """Return an engine's title with what is to be known before it is chosen."""
    parts = [t(entry.title)]
    if not entry.commercial:
        parts.append(t("not for commercial use"))
    if entry.obstacle:
        parts.append(t("weights missing") if entry.lacks_weights else t("not installed"))
    return " – ".join(parts)


def _obstacle(reason: str, lacks_weights: bool, title: str = "") -> None:
    """Draw why an engine cannot run, and where weights are fetched."""
    with ui.column().classes("sm-obstacle"):
        if title:
            ui.label(title)
        ui.label(say(reason)).classes("sm-warning" if not title else "sm-note")
        if lacks_weights:
            ui.link(t("Download them on the Models page"), "/models").classes("sm-link")
