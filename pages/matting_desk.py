"""The desk of the matting page: it also has the object that prompts belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages.desk import Desk

if TYPE_CHECKING:
    from app_logic.services import Services
    from pages.stage import Stage


class MattingDesk(Desk):
    """One tab of the matting page at work."""

    slow = frozenset({"add_point", "set_box", "find_text", "preview"})

    def __init__(self, services: Services, stage: Stage) -> None:
        super().__init__(services, services.matting, stage)
        self.work = services.matting.work
        self.object_id = 0

    def choose_object(self, object_id: int) -> None:
        """Let the next prompts belong to that object."""
        self.object_id = object_id
        self.stage.set_options(current_object=object_id)
        self.tell_frame()

    @property
    def busy(self) -> bool:
        """Tell whether an engine works on a click."""
        return any(item["busy"] for item in (self.view or {"objects": []})["objects"])

    def opened(self) -> None:
        """Choose the first object."""
        objects = self.editor.session.state.objects
        self.object_id = objects[0].id if objects else 0

    def chosen(self) -> dict[str, Any]:
        """Return the chosen object: another one where it is gone."""
        known = [entry["id"] for entry in (self.view or {"objects": []})["objects"]]
        if self.object_id not in known:
            self.object_id = known[-1] if known else 0
        return {"current_object": self.object_id}
