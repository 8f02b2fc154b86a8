"""Deliver tracks: the result video, and files for other programs."""

from __future__ import annotations

from pages.deliver_form import DeliverForm, FormatRow
from pages.estimate import Estimate
from pages.texts import t
from pages.track_panel import has_points
from pages.tracking_desk import TrackingDesk
from tracking_export import TRACK_FORMATS

VIDEO = FormatRow(
    "video", "Video with trails", "The source with the tracks drawn over it; its size, rate and sound.", False
)
VIDEO_TEXTS = [VIDEO.title, VIDEO.help]


class TrackDeliverPanel(DeliverForm):
    """Formats to make, and what there is."""

    def __init__(self, desk: TrackingDesk) -> None:
        self._tracking = desk
        rows = [FormatRow(spec.name, spec.title, spec.help, spec.per_track) for spec in TRACK_FORMATS.values()]
        note = t(
            "What is not tracked yet is tracked first. Hidden points are left out; refinement and motions go along."
        )
        super().__init__(desk, [VIDEO, *rows], ("video",), note)

    def below(self) -> None:
        """Draw what it will take."""
        Estimate(self._tracking, "deliver", has_points)

    @property
    def ready(self) -> bool:
        """Tell whether there is something to deliver."""
        return bool(self._tracking.points)
