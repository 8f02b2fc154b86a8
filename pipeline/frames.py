"""The JPEGs of a session's `frames/`: for looking at and for segmentation, not for delivery."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from atomic import sync_file, sync_folder, write_bytes
from errors import MediaError, storage_errors
from pipeline.convert import FrameConverter
from pipeline.info import VideoInfo
from pipeline.probe import Survey, survey_file

QUALITY = 95
"""With 4:2:0 colour: 48 dB on 720p footage. 4:4:4 gains 1 dB more, for a fifth more bytes and half more time."""
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_CACHE_BYTES = 32 << 20

FrameDone = Callable[[int, VideoInfo], object]
"""Called with (number of frames that are in place, facts so far), in order; may raise to stop."""


def frame_path(folder: Path, index: int) -> Path:
    """Return where frame `index` is kept."""
    return folder / f"{index:06d}.jpg"


def extract_frames(path: Path, folder: Path, *, start: int = 0, on_frame: FrameDone | None = None) -> VideoInfo:
    """Write every frame as it is shown to `folder`/NNNNNN.jpg, and return the exact facts: extracting is scanning.

    Memory does not grow with the clip. Bytes are the same in every run. Each file is written whole or not at all, but
    may not survive a power cut before `sync_frames`.

    Args:
        path: the video.
        folder: for the JPEGs; made if it is missing.
        start: frames before this one are in place from an earlier run; they are decoded, for the facts, not written.
        on_frame: called after each frame; raise in it to stop. `VideoInfo.frames` is an estimate until the end.

    Raises:
        MediaError: as for `scan`.
        StorageError: the disk is full or not writable.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    reported = start

    def report(survey: Survey, done: int) -> None:
        nonlocal reported
        if on_frame is not None and done > reported:  # a damaged file is decoded twice
            reported = done
            on_frame(done, survey.info)

    def write(survey: Survey) -> None:
        # The second pass over a damaged file may number its frames otherwise than an earlier run's first pass did.
        _Writer(folder, 0 if survey.threads == 1 else start).run(survey, partial(report, survey))

    return survey_file(path, write)


def sync_frames(folder: Path, start: int, stop: int) -> None:
    """Wait until the frames `start` <= index < `stop` are on the disk; after that they may be counted on.

    Raises:
        StorageError: the disk is full or not writable.
    """
    with storage_errors(folder):
        for index in range(start, stop):
            sync_file(frame_path(folder, index))
        sync_folder(folder)


class _Writer:
    """Converts and compresses in threads while the next frames decode; a few frames are under way at any time."""

    def __init__(self, folder: Path, start: int) -> None:
        self._folder = folder
        self._start = start
        self._workers = min(os.cpu_count() or 1, 8)
        self._local = threading.local()

    def run(self, survey: Survey, report: Callable[[int], None]) -> None:
        """Write every frame, and report the number that are in place after each, in order."""
        waiting: deque[Future[None] | None] = deque()
        done = 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="jpeg") as pool, closing(survey.frames()) as frames:
            try:
                for index, frame in enumerate(frames):
                    write = index >= self._start
                    waiting.append(pool.submit(self._write, index, frame, survey.info) if write else None)
                    while waiting and (len(waiting) > 2 * self._workers or _is_done(waiting[0])):
                        done = self._finish(waiting.popleft(), done, report)
                while waiting:
                    done = self._finish(waiting.popleft(), done, report)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _finish(self, task: Future[None] | None, done: int, report: Callable[[int], None]) -> int:
        if task is not None:
            task.result()
        report(done + 1)
        return done + 1

    def _write(self, index: int, frame: VideoFrame, info: VideoInfo) -> None:
        converter = getattr(self._local, "converter", None)
        if converter is None:
            converter = self._local.converter = FrameConverter(info)
        target = frame_path(self._folder, index)
        # OpenCV takes BGR and writes what JFIF says: full-range BT.601, whatever the video's matrix and range are.
        data = cv2.imencode(".jpg", converter.to_rgb(frame, order="bgr"), _JPEG)[1]
        with storage_errors(target):
            write_bytes(target, data.tobytes(), durable=False)


def _is_done(task: Future[None] | None) -> bool:
    return task is None or task.done()


class FrameFolder:
    """The JPEGs of a clip: an engine's `FrameSource`, at full size or reduced."""

    def __init__(self, folder: Path, count: int, size: tuple[int, int]) -> None:
        """Take the folder, the number of frames in it and their (width, height)."""
        self._folder = folder
        self._count = count
        self._size = size
        self._cache: OrderedDict[tuple[int, int], NDArray[np.uint8]] = OrderedDict()
        self._cache_size = max(2, _CACHE_BYTES // (size[0] * size[1] * 3))

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._count

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return self._size

    def read(self, index: int, reduce: int = 1) -> NDArray[np.uint8]:
        """Return frame `index` as RGB uint8 [H, W, 3]; read-only, as it is kept for the next call.

        Args:
            index: of the frame.
            reduce: 2, 4 or 8 give a half, quarter or eighth of each side (rounded up), and decode in that much less.

        Raises:
            IndexError: there is no such frame.
            MediaError: its file is missing or broken.
        """
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        key = (index, reduce)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        image = self._load(index, reduce)
        image.flags.writeable = False
        self._cache[key] = image
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
        return image

    def _load(self, index: int, reduce: int) -> NDArray[np.uint8]:
        path = frame_path(self._folder, index)
        try:
            data = np.fromfile(
                path, np.uint8
            )  # OpenCV's own reading fails on names that Windows has not in its code page
        except OSError as error:
            raise MediaError(f"cannot read {path}: {error.strerror}") from error
        image = cv2.imdecode(data, _REDUCED[reduce] | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
        if image is None:
            raise MediaError(f"{path} is not a JPEG that can be read; delete it and run again")
        return cast(NDArray[np.uint8], cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image))
