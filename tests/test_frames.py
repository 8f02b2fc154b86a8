"""The JPEGs in `frames/`: complete, upright, in the right colours, the same in every run."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import Cancelled, MediaError, StorageError
from pipeline.decode import VideoReader
from pipeline.frames import FrameFolder, extract_frames, frame_path, sync_frames
from pipeline.info import Colour, VideoInfo
from pipeline.probe import scan
from tests.media_in import damage, write_video
from tests.media_out import small_disk


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    times = [40 * i + (i % 3) * 7 for i in range(30)]
    colour = Colour(range="limited", primaries="bt709", transfer="bt709", matrix="bt709")
    return write_video(
        tmp_path_factory.mktemp("frames") / "a.mkv",
        30,
        size=(96, 64),
        times=times,
        time_base=Fraction(1, 1000),
        options={"bf": "2", "crf": "10"},
        rotation=(90, False),
        colour=colour,
    )


def test_extracting_is_scanning(clip: Path, tmp_path: Path) -> None:
    info = extract_frames(clip, tmp_path / "frames")
    assert info == scan(clip)
    assert info.times is not None
    assert sorted(contents(tmp_path / "frames")) == [f"{i:06d}.jpg" for i in range(30)]
    sync_frames(tmp_path / "frames", 0, 30)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
def test_colours_are_those_of_the_video(tmp_path: Path, matrix: str) -> None:
    path = write_video(
        tmp_path / "a.mkv",
        2,
        pixel_format="yuv444p",
        options={"qp": "0"},
        colour=Colour(range="limited", matrix=matrix),
    )
    info = extract_frames(path, tmp_path / "frames")
    with VideoReader(path, info) as reader:
        jpeg = cv2.cvtColor(cv2.imread(str(frame_path(tmp_path / "frames", 1))), cv2.COLOR_BGR2RGB)
        image = reader.read(1)
    assert cv2.PSNR(jpeg, image) > 30
    assert np.abs(jpeg.mean((0, 1)) - image.mean((0, 1))).max() < 1  # a wrong matrix or range shifts the mean


def test_frame_folder_reads_what_was_extracted(clip: Path, tmp_path: Path) -> None:
    info = extract_frames(clip, tmp_path)
    folder = FrameFolder(tmp_path, info.frames, (info.width, info.height))
    assert (len(folder), folder.size) == (30, (64, 96))
    with VideoReader(clip, info) as reader:
        for index in (0, 17, 29):
            image = folder.read(index)
            assert (image.shape, image.dtype.name, image.flags.c_contiguous) == ((96, 64, 3), "uint8", True)
            assert cv2.PSNR(image, reader.read(index)) > 36
    assert folder.read(29) is folder.read(29)
    assert folder.read(3, reduce=2).shape == (48, 32, 3)
    with pytest.raises(ValueError, match="read-only"):
        folder.read(0)[0] = 0


def test_frame_folder_says_what_is_wrong(clip: Path, tmp_path: Path) -> None:
    folder = FrameFolder(tmp_path, 2, (8, 8))
    with pytest.raises(IndexError):
        folder.read(2)
    with pytest.raises(MediaError, match="cannot read"):
        folder.read(0)
    frame_path(tmp_path, 1).write_bytes(b"no jpeg")
    with pytest.raises(MediaError, match="not a JPEG that can be read"):
        folder.read(1)


def test_going_on_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    extract_frames(clip, tmp_path / "whole")

    def stop(done: int, info: VideoInfo) -> None:
        if done == 11:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        extract_frames(clip, tmp_path / "parts", on_frame=stop)
    left = contents(tmp_path / "parts")
    assert all(data == (tmp_path / "whole" / name).read_bytes() for name, data in left.items())
    assert 11 <= len(left) < 30
    kept = {index: frame_path(tmp_path / "parts", index).stat().st_mtime_ns for index in range(11)}
    seen: list[int] = []
    info = extract_frames(clip, tmp_path / "parts", start=11, on_frame=lambda done, _: seen.append(done))
    assert seen == list(range(12, 31))
    assert info.frames == 30
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert kept == {index: frame_path(tmp_path / "parts", index).stat().st_mtime_ns for index in range(11)}


def test_progress_is_in_order_and_counts_files_in_place(clip: Path, tmp_path: Path) -> None:
    def check(done: int, info: VideoInfo) -> None:
        assert frame_path(tmp_path, done - 1).exists()
        seen.append(done)

    seen: list[int] = []
    extract_frames(clip, tmp_path, on_frame=check)
    assert seen == list(range(1, 31))


def test_damaged_file_is_extracted_as_it_scans(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.ts", 60, options={"g": "10", "bf": "2"})
    path = damage(tmp_path / "b.ts", whole)
    seen: list[int] = []
    info = extract_frames(path, tmp_path / "frames", on_frame=lambda done, _: seen.append(done))
    assert info == scan(path)
    assert info.damaged
    assert len(contents(tmp_path / "frames")) == info.frames
    assert seen == sorted(set(seen))


def test_full_disk(clip: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 48) as folder:
        with pytest.raises(StorageError, match="the disk is full"):
            extract_frames(clip, folder)
        assert all(path.suffix == ".jpg" for path in folder.iterdir())


def test_not_a_video_leaves_no_frames(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(MediaError):
        extract_frames(tmp_path / "a.mp4", tmp_path / "frames")
    assert contents(tmp_path / "frames") == {}
