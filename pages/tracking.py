"""The tracking page: points are given, tracked, refined, made into motions, and delivered to other programs."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

from nicegui import ui
from starlette.requests import Request

from pages.frame import prepare
from pages.motion_panel import MotionPanel
from pages.points_panel import PointsPanel
from pages.queue_panel import QueuePanel
from pages.stage import Stage
from pages.stage_kinds import TRACKING
from pages.track_deliver import TrackDeliverPanel
from pages.track_panel import TrackPanel
from pages.track_tools import TrackTools
from pages.tracking_desk import TrackingDesk
from pages.workbench import Action, Workbench

if TYPE_CHECKING:
    from app_logic.services import Services

STEPS = {"points": "Points", "track": "Track", "motion": "Motion", "deliver": "Deliver", "queue": "Queue"}
TRACK_STEP_TEXTS = list(STEPS.values())
TRACK_HELP_TEXTS = [
    "Upload a video, or drop it on the page.",
    "Click on what is to be followed; a grid fills a region, the object tool fills what you click on.",
    "Track: the points are followed through the clip, both ways from where they were given.",
    "Where a track is wrong, drag the point to its place and track again: only that point is redone.",
    "Motion: make one steady point, a transform or a corner pin of many tracks, and look at its residual.",
    "Deliver: choose formats and download them.",
]


def register(services: Services) -> None:
    """Add the page at `/tracking` to the app."""

    @ui.page("/tracking", title="SplazMatte", dark=None)
    async def tracking(request: Request) -> None:
        prepare(request)
        page = TrackingPage(services)
        await page.begin(request.query_params.get("session", ""))


class TrackingPage(Workbench):
    """One tab."""

    kind = TRACKING
    steps = STEPS
    help_steps = TRACK_HELP_TEXTS
    desk: TrackingDesk
    bar: TrackTools

    def __init__(self, services: Services) -> None:
        self._services = services
        super().__init__()

    def make_desk(self, stage: Stage) -> TrackingDesk:
        """Return what the panels share."""
        return TrackingDesk(self._services, stage)

    def make_tools(self) -> TrackTools:
        """Draw the tools beside the picture."""
        return TrackTools(self.desk)

    def draw_step(self, name: str) -> None:
        """Draw the panel of a step."""
        if name == "points":
            self.bar.adding = PointsPanel(self.desk).adding
        elif name == "track":
            self._track = TrackPanel(self.desk)
        elif name == "motion":
            MotionPanel(self.desk)
        elif name == "deliver":
            TrackDeliverPanel(self.desk)
        else:
            QueuePanel(self.desk)

    def heard(self, name: str, data: dict[str, Any]) -> Awaitable[Any] | None:
        """Take what is done on the picture."""
        if name == "options":
            if "selected" in data:
                self.desk.select([int(point_id) for point_id in data["selected"]])
            return None
        return self.bar.event(name, data)

    def actions(self) -> Mapping[str, Action]:
        """Return what the page's keys do."""
        return {
            "delete_points": self.bar.delete,
            "delete_key": self.bar.delete_key,
            "hide_points": self.bar.hide,
            "cut_after": self.bar.cut_after,
            "cut_before": self.bar.cut_before,
            "track": self._track.start,
        }
