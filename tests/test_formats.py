"""Every delivery format: its row in the table, its tags, and nothing at all when it fails."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from errors import ParameterError, StorageError
from pipeline.colour import read_colour
from pipeline.deliver import DeliverFrame
from pipeline.formats import FORMATS, open_writer
from pipeline.formats.webm_shape import set_display_size
from pipeline.info import Colour
from tests.media_out import AUDIO, BT709, FRAMES, clip, decoded, deliver, frame, make_source, small_disk


class TestTable:
    def test_every_row_opens(self, tmp_path: Path) -> None:
        for name in FORMATS:
            open_writer(name, tmp_path / name, clip()).abort()
        assert list(tmp_path.iterdir()) == []

    def test_an_unknown_name_lists_the_known(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="no such format: gif; there are alpha, foreground, prores"):
            open_writer("gif", tmp_path / "x", clip())

    def test_reading_the_table_loads_nothing_heavy(self) -> None:
        code = "import sys, pipeline.formats; print([m for m in ('numpy', 'av', 'cv2', 'OpenEXR') if m in sys.modules])"
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "[]"


class TestTags:
    @pytest.mark.parametrize("colour", [
        BT709,
        Colour(range="limited", primaries="smpte170m", transfer="smpte170m", matrix="smpte170m"),
        Colour(range="limited", primaries="bt2020", transfer="smpte2084", matrix="bt2020nc"),
        Colour(range="full", primaries="bt709", transfer="iec61966-2-1", matrix="bt470bg"),
    ])  # fmt: skip
    @pytest.mark.parametrize("name", ["foreground", "prores", "webm"])
    def test_colour_as_in_the_source(self, tmp_path: Path, name: str, colour: Colour) -> None:
        info = clip(colour=colour, frames=2, sample_aspect_ratio=Fraction(8, 9))
        path = deliver(name, tmp_path, info)
        wanted = colour.model_copy(update={"range": "limited"}) if name == "prores" else colour
        assert read_colour(decoded(path)[0]) == wanted
        with av.open(str(path)) as container:
            shape = Fraction(57, 64) if name == "webm" else Fraction(8, 9)  # WebM has whole pixels only
            assert container.streams.video[0].sample_aspect_ratio == shape

    @pytest.mark.parametrize("aspect", [Fraction(1), Fraction(2), Fraction(4, 3), Fraction(16, 15), Fraction(1, 300)])
    @pytest.mark.parametrize("name", ["alpha", "foreground", "prores", "webm"])
    def test_pixels_have_the_shape_of_the_source_s(self, tmp_path: Path, name: str, aspect: Fraction) -> None:
        source = make_source(tmp_path / "source.mov")
        info = clip(width=720, frames=2, sample_aspect_ratio=aspect, audio=AUDIO)
        path = deliver(name, tmp_path, info, audio_source=source)
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            shape = Fraction(round(720 * aspect), 720) if name == "webm" else aspect
            assert (video.sample_aspect_ratio, video.average_rate) == (shape, info.rate)
            assert "title" not in {tag.lower() for tag in video.metadata}
        assert [(picture.width, picture.height) for picture in decoded(path)] == [(720, 48)] * 2

    def test_a_webm_that_was_opened_without_a_place_is_refused(self, tmp_path: Path) -> None:
        path = deliver("webm", tmp_path, clip(frames=1))
        before = path.read_bytes()
        with pytest.raises(ValueError, match="no track has the name"):
            set_display_size(path, (128, 48))
        assert path.read_bytes() == before

    def test_what_the_source_leaves_open_is_said(self, tmp_path: Path) -> None:
        path = deliver("foreground", tmp_path, clip(colour=Colour(), frames=2))
        assert read_colour(decoded(path)[0]) == Colour(range="limited", matrix="smpte170m")

    @pytest.mark.parametrize(("premultiplied", "mode"), [(False, 0x100), (True, 0x102)])
    def test_quicktime_atoms(self, tmp_path: Path, premultiplied: bool, mode: int) -> None:
        data = deliver("prores", tmp_path, clip(), premultiplied=premultiplied).read_bytes()
        entry = data.index(b"ap4h")
        assert int.from_bytes(data[entry + 78 : entry + 80], "big") == 32  # depth: colours with alpha
        assert data[entry + 46 : entry + 64] == b"\x11Apple ProRes 4444"
        colr = data.index(b"colrnclc")
        assert [int.from_bytes(data[colr + at : colr + at + 2], "big") for at in (8, 10, 12)] == [1, 1, 1]
        vmhd = data.index(b"vmhd")
        assert int.from_bytes(data[vmhd + 8 : vmhd + 10], "big") == mode
        header = data.index(b"icpf")
        assert data[header + 8 : header + 12] == b"apl0"
        assert data[header + 21] & 0x0F == 2  # 16 bits of alpha

    def test_a_place_is_not_carried_over(self, tmp_path: Path) -> None:
        source = make_source(tmp_path / "source.mov", metadata={"location": "+48.8584+002.2945/", "title": "Paris"})
        for name in ("foreground", "prores", "webm"):
            path = deliver(name, tmp_path / name, clip(audio=AUDIO), audio_source=source)
            assert b"48.8584" not in path.read_bytes()
            with av.open(str(path)) as container:
                tags = {**container.metadata, **container.streams.video[0].metadata}
            assert not {"location", "title", "rotate"} & {tag.lower() for tag in tags}

    @pytest.mark.parametrize("name", FORMATS)
    def test_the_same_input_gives_the_same_bytes(self, tmp_path: Path, name: str) -> None:
        source = make_source(tmp_path / "source.mov")
        results = []
        for folder in ("a", "b"):
            path = deliver(name, tmp_path / folder, clip(audio=AUDIO), audio_source=source)
            results.append([file.read_bytes() for file in ([path] if path.is_file() else sorted(path.iterdir()))])
        assert results[0] == results[1]


class TestWholeOrNothing:
    @pytest.mark.parametrize("name", FORMATS)
    def test_abort_leaves_nothing_and_what_was_there(self, tmp_path: Path, name: str) -> None:
        info = clip()
        target = deliver(name, tmp_path, info, 0, 2)
        before = sorted(path.name for path in tmp_path.rglob("*"))
        writer = open_writer(name, target, info)
        writer.write(frame(info, 0))
        writer.abort()
        assert sorted(path.name for path in tmp_path.rglob("*")) == before

    def test_abort_after_close_changes_nothing(self, tmp_path: Path) -> None:
        for name in FORMATS:
            writer = open_writer(name, tmp_path / name, clip(), stop=1)
            writer.write(frame(clip(), 0))
            writer.close()
            writer.abort()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)

    @pytest.mark.parametrize("name", FORMATS)
    def test_missing_frames_are_refused(self, tmp_path: Path, name: str) -> None:
        writer = open_writer(name, tmp_path / "x", clip())
        writer.write(frame(clip(), 0))
        with pytest.raises(ValueError, match="expected"):
            writer.write(frame(clip(), 2))
        with pytest.raises(ValueError, match="frames 1 to 13 are missing"):
            writer.close()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", FORMATS)
    def test_closing_replaces(self, tmp_path: Path, name: str) -> None:
        deliver(name, tmp_path, clip(), 0, 3)
        path = deliver(name, tmp_path, clip(), 5, 7)
        assert [path.name for path in tmp_path.iterdir()] == [FORMATS[name].file_name]
        if path.is_dir():
            assert len(list(path.iterdir())) == 2
        else:
            assert len(decoded(path)) == 2

    def test_other_sizes_and_ranges_are_refused(self, tmp_path: Path) -> None:
        writer = open_writer("alpha", tmp_path / "x", clip())
        with pytest.raises(ValueError, match="the clip is"):
            writer.write(frame(clip(width=32), 0))
        writer.abort()
        for start, stop in ((0, FRAMES + 1), (5, 5), (-1, 3)):
            with pytest.raises(ValueError, match="not within"):
                open_writer("alpha", tmp_path / "x", clip(), start=start, stop=stop)

    @pytest.mark.parametrize("name", FORMATS)
    def test_a_full_disk_is_said_and_leaves_nothing(self, tmp_path: Path, name: str) -> None:
        info = clip(width=320, height=240, frames=8)
        rng = np.random.default_rng(0)
        with small_disk(tmp_path / "disk", kilobytes=64) as disk:
            with pytest.raises(StorageError, match="the disk is full"):
                writer = open_writer(name, disk / "x", info)
                try:
                    for index in range(8):
                        noise = rng.random((240, 320, 4), np.float32)
                        writer.write(DeliverFrame(index, noise[..., 3].copy(), noise[..., :3].copy()))
                except StorageError:
                    writer.abort()
                    raise
                writer.close()
            assert list(disk.iterdir()) == []

    def test_a_folder_that_is_not_one_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises((StorageError, NotADirectoryError, FileExistsError)):
            open_writer("alpha", tmp_path / "file" / "alpha.mp4", clip())
