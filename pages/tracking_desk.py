"""The desk of the tracking page: it also has the points that are selected, and the motion that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages.desk import Desk

if TYPE_CHECKING:
    from app_logic.services import Services
    from pages.stage import Stage


class TrackingDesk(Desk):
    """One tab of the tracking page at work."""

    slow = frozenset({"click_object"})

    def __init__(self, services: Services, stage: Stage) -> None:
        super().__init__(services, services.tracking, stage)
        self.work = services.tracking.work
        self.selected: list[int] = []
        """Ids of points, in the order in which they were selected."""
        self._expected: set[int] = set()
        """Ids of points that were just made: a view on its way may not have them yet."""
        self.motion_id = 0

    @property
    def points(self) -> list[dict[str, Any]]:
        """Return the points that the view shows."""
        return list(self.view["points"]) if self.view else []

    @property
    def busy(self) -> bool:
        """Tell whether an engine works on a click."""
        return bool(self.view and self.view["object"]["busy"])

    def select(self, ids: list[int]) -> None:
        """Select points."""
        self.selected = list(ids)
        self._expected = set(ids) - {point["id"] for point in self.points}
        self.stage.set_options(selected=self.selected)
        self.tell_frame()

    def show_motion(self, motion_id: int) -> None:
        """Show a motion over the picture; 0 for none."""
        self.motion_id = motion_id
        self.stage.set_options(motion=motion_id or None)
        self.tell_frame()

    def opened(self) -> None:
        """Select nothing."""
        self.selected, self.motion_id = [], 0

    def chosen(self) -> dict[str, Any]:
        """Return what is selected and is still there."""
        view = self.view or {"points": [], "motions": []}
        points = {point["id"] for point in view["points"]}
        self.selected = [point_id for point_id in self.selected if point_id in points | self._expected]
        self._expected -= points
        if self.motion_id not in {motion["id"] for motion in view["motions"]}:
            self.motion_id = 0
        return {"selected": self.selected, "motion": self.motion_id or None}
