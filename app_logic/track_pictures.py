"""What a browser asks for of a tracking session, beside its frames: tracks, motions, the mask of an object.

Each has a version in its address, by which browsers keep it: what is there for another version by now is not given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app_logic.frame_pictures import FramePictures
from app_logic.pictures import as_alpha
from app_logic.track_view import motion_values, tracks_bytes
from errors import ParameterError

if TYPE_CHECKING:
    from app_logic.track_editor import TrackEditor


class TrackPictures(FramePictures):
    """Makes the pictures, and the tracks, of tracking sessions."""

    _editor: Callable[[str], TrackEditor]

    def tracks(self, session_id: str, raw: bool, version: str = "") -> bytes:
        """Return the tracks that are shown; see app_logic.track_view.tracks_bytes.

        Raises:
            KeyError: there are none, or others by now.
        """
        found = self._editor(session_id).tracks(raw=raw)
        if found is None or version not in ("", found[0]):
            raise KeyError(session_id)
        return tracks_bytes(found[1])

    def motion(self, session_id: str, motion_id: int, version: str = "") -> dict[str, Any]:
        """Return a motion as plain values, or why it cannot be solved as {'error'}.

        Raises:
            KeyError: it is another one by now.
        """
        try:
            made, motion = self._editor(session_id).motion(motion_id)
        except ParameterError as error:
            return {"error": str(error)}
        if version not in ("", made):
            raise KeyError(motion_id)
        return motion_values(motion)

    def object_mask(self, session_id: str, version: str = "") -> bytes:
        """Return the mask of the object that was clicked on, as the alpha of a white PNG.

        Raises:
            KeyError: there is none, or another one by now.
        """
        made, png = self._editor(session_id).object_mask()
        if not png or version not in ("", str(made)):
            raise KeyError(session_id)
        return as_alpha(png)
