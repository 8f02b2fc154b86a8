"""A choice of engine with its parameters, drawn from the registry; one that cannot run says what mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from engines.registry import engines, get_spec, missing_packages
from engines.spec import EngineSpec, Job, Param
from pages.desk import Desk
from pages.texts import t
from pages.widgets import hint


class EngineForm:
    """The engine of one job in the open session."""

    def __init__(self, desk: Desk, job: Job) -> None:
        self._desk = desk
        self._job = job
        self._shown: object = None
        self._box = ui.column().classes("sm-form")
        desk.on_view(self._refresh)

    def _refresh(self) -> None:
        choice = getattr(self._desk.editor.session.state, self._job.value) if self._desk.editor else None
        if choice == self._shown:
            return
        self._shown = choice.model_copy(deep=True) if choice else None
        self._box.clear()
        if choice is not None:
            with self._box:
                self._draw(choice.name, dict(choice.params))

    def _draw(self, name: str, params: dict[str, Any]) -> None:
        specs = engines(self._job)
        options = {spec.name: _title(spec) for spec in specs}
        select = ui.select(options, value=name if name in options else None, label=t("Engine"))
        select.props("dense outlined options-dense").classes("w-full")
        select.on_value_change(lambda event: self._choose(event.value))
        for spec in specs:
            if missing_packages(spec):
                command = "just setup"
                ui.label(t("{engine} is not installed; to install it: {command}", engine=spec.name, command=command))
        if name not in options:
            return
        spec = get_spec(self._job, name)
        ui.label(t(spec.help)).classes("sm-note")
        if not spec.licence.commercial:
            ui.label(t("Not for commercial use ({licence}).", licence=spec.licence.name)).classes("sm-warning")
        if spec.params:
            with ui.expansion(t("Parameters"), icon="tune").props("dense").classes("w-full sm-params"):
                for param in spec.params:
                    self._param(spec, param, params.get(param.name, param.default), params)

    def _param(self, spec: EngineSpec, param: Param, value: Any, params: dict[str, Any]) -> None:
        def change(new: Any) -> None:
            if new is not None and new != params.get(param.name, param.default):
                chosen = {**params, param.name: new}
                kept = {key: val for key, val in chosen.items() if val != _default(spec, key)}
                ui.timer(0, lambda: self._set(spec.name, kept), once=True)

        with ui.row().classes("sm-param"):
            _field(param, value, change)
            hint(_explain(param))

    async def _choose(self, name: str) -> None:
        if missing_packages(get_spec(self._job, name)):
            self._shown = None
            self._refresh()
            return
        await self._set(name, {})

    async def _set(self, name: str, params: dict[str, Any]) -> None:
        await self._desk.edit("set_engine", self._job, name, params)


def _field(param: Param, value: Any, change: Callable[[Any], None]) -> None:
    """Draw the field that fits the parameter's type and range."""
    label = t(param.name.replace("_", " ").capitalize())
    if isinstance(param.default, bool):
        ui.switch(label, value=bool(value), on_change=lambda event: change(bool(event.value))).props("dense")
    elif param.choices:
        options = {choice: t(choice) for choice in param.choices}
        field = ui.select(options, value=value, label=label, on_change=lambda event: change(event.value))
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


def _title(spec: EngineSpec) -> str:
    missing = f" ({t('not installed')})" if missing_packages(spec) else ""
    return t(spec.title) + missing
