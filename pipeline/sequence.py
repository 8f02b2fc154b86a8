"""Write a folder of pictures, numbered by source frame, in place whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from atomic import commit_folder, discard, partial_path
from errors import storage_errors
from pipeline.deliver import Clock, DeliverFrame, Order
from pipeline.info import VideoInfo

TIMECODES = "timecodes.txt"


class SequenceWriter:
    """A `Writer` of one picture per frame.

    A variable frame rate, which no sequence can carry, goes beside the pictures as `timecodes.txt`: milliseconds per
    frame in the 'timestamp format v2' of mkvmerge.
    """

    def __init__(
        self, target: Path, info: VideoInfo, clock: Clock, suffix: str, save: Callable[[DeliverFrame, Path], None]
    ) -> None:
        """Make the temporary folder beside `target`; `save` writes one frame as a file that ends in `suffix`."""
        self._target, self._temporary = target, partial_path(target)
        self._clock, self._suffix, self._save = clock, suffix, save
        self._variable = info.times is not None
        self._order = Order(clock, (info.width, info.height))
        with storage_errors(target):
            discard(self._temporary)
            self._temporary.mkdir(parents=True)

    def write(self, frame: DeliverFrame) -> None:
        """Write the next frame's picture."""
        self._order.check(frame)
        with storage_errors(self._target):
            self._save(frame, self._temporary / f"{frame.index:06d}{self._suffix}")

    def close(self) -> Path:
        """Give the folder its name; one that had it before is replaced."""
        try:
            self._order.check_complete()
            with storage_errors(self._target):
                if self._variable:
                    (self._temporary / TIMECODES).write_text(self._timecodes(), encoding="ascii")
                commit_folder(self._temporary, self._target)
        except BaseException:
            self.abort()
            raise
        return self._target

    def abort(self) -> None:
        """Leave nothing of the folder."""
        discard(self._temporary)

    def _timecodes(self) -> str:
        clock = self._clock
        times = (clock.seconds(index) - clock.begin for index in range(clock.start, clock.stop))
        return "\n".join(["# timestamp format v2", *(f"{float(1000 * time):.6f}" for time in times), ""])
