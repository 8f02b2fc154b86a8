"""The matting page: objects are clicked on, their masks propagated and matted, and the result delivered."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

from nicegui import ui
from starlette.requests import Request

from pages.deliver_panel import DeliverPanel
from pages.frame import prepare
from pages.matting_desk import MattingDesk
from pages.objects_panel import ObjectsPanel
from pages.queue_panel import QueuePanel
from pages.run_panels import MattePanel, PropagatePanel
from pages.stage import Stage
from pages.stage_kinds import MATTING
from pages.tools import MattingTools
from pages.workbench import Action, Workbench

if TYPE_CHECKING:
    from app_logic.services import Services

STEPS = {
    "objects": "Objects",
    "propagate": "Propagate",
    "matte": "Matte",
    "deliver": "Deliver",
    "queue": "Queue",
}
STEP_TEXTS = list(STEPS.values())
HELP_TEXTS = [
    "Upload a video, or drop it on the page.",
    "Click on the object in one frame; more clicks, a box or the brush correct the mask.",
    "Propagate: the mask follows the object through the clip.",
    "Look for frames where it is wrong, correct one, and propagate again: only its neighbourhood is redone.",
    "Matte: the masks become soft alpha. 'Matte this frame' shows first what it will be like.",
    "Deliver: choose formats and download them.",
]


def register(services: Services) -> None:
    """Add the page at `/` to the app."""

    @ui.page("/", title="SplazMatte", dark=None)
    async def matting(request: Request) -> None:
        prepare(request)
        page = MattingPage(services)
        await page.begin(request.query_params.get("session", ""))


class MattingPage(Workbench):
    """One tab."""

    kind = MATTING
    steps = STEPS
    help_steps = HELP_TEXTS
    desk: MattingDesk
    bar: MattingTools

    def __init__(self, services: Services) -> None:
        self._services = services
        super().__init__()

    def make_desk(self, stage: Stage) -> MattingDesk:
        """Return what the panels share."""
        return MattingDesk(self._services, stage)

    def make_tools(self) -> MattingTools:
        """Draw the tools beside the picture."""
        return MattingTools(self.desk)

    def draw_step(self, name: str) -> None:
        """Draw the panel of a step."""
        if name == "objects":
            ObjectsPanel(self.desk)
        elif name == "propagate":
            PropagatePanel(self.desk)
        elif name == "matte":
            self._matte = MattePanel(self.desk)
        elif name == "deliver":
            DeliverPanel(self.desk)
        else:
            QueuePanel(self.desk)

    def heard(self, name: str, data: dict[str, Any]) -> Awaitable[Any] | None:
        """Take the prompts that are given on the picture."""
        return self.bar.event(name, data) if name in ("click", "box", "stroke") else None

    def actions(self) -> Mapping[str, Action]:
        """Return what the page's keys do."""
        return {
            "delete_keyframe": self.bar.clear,
            "keep_mask": self.bar.keep,
            "new_object": self._new_object,
            "propagate": lambda: self.desk.do(self.desk.work.propagate, self.desk.session_id),
            "matte_frame": self._matte.matte_frame,
        }

    async def _new_object(self) -> None:
        made = await self.desk.edit("add_object")
        if made is not None:
            self.desk.choose_object(made)
