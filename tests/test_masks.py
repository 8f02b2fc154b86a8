from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from errors import MaskError, StorageError, StoreError
from pipeline import masks
from pipeline.masks import MaskFolder, load_mask_image
from tests.media_out import small_disk

Mask = NDArray[np.uint8]


def disc(height: int = 40, width: int = 60, radius: float = 12) -> Mask:
    y, x = np.mgrid[:height, :width]
    return np.where(np.hypot(x - width // 2, y - height // 2) <= radius, np.uint8(255), np.uint8(0))


def written(path: Path, image: NDArray[np.generic]) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


class TestFolder:
    def test_round_trip_and_listing(self, tmp_path: Path) -> None:
        folder = MaskFolder(tmp_path / "7" / "keyframes")
        assert folder.indices() == []
        soft = cv2.GaussianBlur(disc(), (0, 0), 2)
        for index in (12, 3, 1234567):
            folder.write(index, soft)
        assert folder.indices() == [3, 12, 1234567]
        assert folder.path(3).name == "000003.png"
        assert np.array_equal(folder.read(12), soft)
        assert (3 in folder, 4 in folder) == (True, False)
        folder.remove(3)
        folder.remove(3)
        assert folder.indices() == [12, 1234567]

    def test_the_same_mask_gives_the_same_bytes(self, tmp_path: Path) -> None:
        folder = MaskFolder(tmp_path)
        files = [folder.write(index, disc(), durable=index == 0).read_bytes() for index in (0, 1)]
        assert files[0] == files[1]

    def test_what_is_missing_or_damaged(self, tmp_path: Path) -> None:
        folder = MaskFolder(tmp_path)
        with pytest.raises(KeyError):
            folder.read(0)
        for content in (b"", b"not a png"):
            folder.path(0).write_bytes(content)
            with pytest.raises(StoreError, match=r"000000\.png is damaged"):
                folder.read(0)

    def test_other_arrays_are_refused(self, tmp_path: Path) -> None:
        for wrong in (disc().astype(bool), np.zeros((4, 4, 3), np.uint8)):
            with pytest.raises(ValueError, match="uint8"):
                MaskFolder(tmp_path).write(0, wrong)

    def test_clean_removes_what_a_killed_writer_left(self, tmp_path: Path) -> None:
        folder = MaskFolder(tmp_path)
        folder.write(0, disc())
        (tmp_path / "000001.png.partial").write_bytes(b"half")
        folder.clean()
        assert [path.name for path in tmp_path.iterdir()] == ["000000.png"]

    def test_a_full_disk_is_said_and_leaves_nothing(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (300, 400), np.uint8)
        with small_disk(tmp_path / "disk", kilobytes=64) as disk:
            with pytest.raises(StorageError, match="the disk is full"):
                MaskFolder(disk).write(0, noise)
            assert list(disk.iterdir()) == []


class TestUserMasks:
    def test_grey_rgb_and_16_bit_are_the_same(self, tmp_path: Path) -> None:
        soft = cv2.GaussianBlur(disc(), (0, 0), 2)
        files = [
            written(tmp_path / "grey.png", soft),
            written(tmp_path / "rgb.tif", cv2.cvtColor(soft, cv2.COLOR_GRAY2BGR)),
            written(tmp_path / "deep.png", soft.astype(np.uint16) * 257),
            written(tmp_path / "float.tiff", soft.astype(np.float32) / 255),
        ]
        for path in files:
            assert np.array_equal(load_mask_image(path, (60, 40)), soft), path.name

    def test_alpha_that_says_something_is_the_mask(self, tmp_path: Path) -> None:
        colours = np.full((40, 60, 3), 90, np.uint8)
        path = written(tmp_path / "cut.png", np.dstack([colours, disc()]))
        assert np.array_equal(load_mask_image(path), disc())

    def test_alpha_that_says_nothing_is_not(self, tmp_path: Path) -> None:
        grey = cv2.cvtColor(disc(), cv2.COLOR_GRAY2BGR)
        path = written(tmp_path / "opaque.png", np.dstack([grey, np.full((40, 60), 255, np.uint8)]))
        assert np.array_equal(load_mask_image(path), disc())

    def test_a_painted_colour_counts_as_inside(self, tmp_path: Path) -> None:
        red = np.dstack([np.zeros_like(disc()), np.zeros_like(disc()), disc()])
        assert np.array_equal(load_mask_image(written(tmp_path / "red.png", red)), disc())

    @pytest.mark.parametrize("grey", [False, True])
    def test_palettes(self, tmp_path: Path, grey: bool) -> None:
        image = pytest.importorskip("PIL.Image")
        picture = image.fromarray(disc() // 255 if not grey else disc(), mode="P")
        ramp = [level for value in range(256) for level in (value, value, value)]
        picture.putpalette(ramp if grey else [0, 0, 0, 128, 0, 0])  # as DAVIS colours its labels
        picture.save(tmp_path / "palette.png")
        assert np.array_equal(load_mask_image(tmp_path / "palette.png"), disc())

    def test_one_bit_and_zeros_and_ones(self, tmp_path: Path) -> None:
        bits = tmp_path / "bits.png"
        assert cv2.imwrite(str(bits), disc(), [cv2.IMWRITE_PNG_BILEVEL, 1])
        ones = written(tmp_path / "ones.png", disc() // 255)
        for path in (bits, ones):
            assert np.array_equal(load_mask_image(path), disc())

    def test_names_beyond_ascii(self, tmp_path: Path) -> None:
        path = tmp_path / "máscara 面具.png"
        path.write_bytes(masks.encode_mask(disc()))
        assert np.array_equal(load_mask_image(path), disc())

    def test_what_cannot_be_used_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "empty.png").touch()
        (tmp_path / "text.png").write_text("hello")
        written(tmp_path / "small.png", disc())
        broken = masks.encode_mask(disc())
        (tmp_path / "broken.png").write_bytes(broken[:40])
        huge = broken[:16] + (60_000).to_bytes(4, "big") * 2 + broken[24:]
        (tmp_path / "huge.png").write_bytes(huge)
        for name, words in {
            "missing.png": "no such mask",
            "": "is a folder",
            "empty.png": "is empty",
            "text.png": "not an image",
            "broken.png": "not an image|cannot be decoded",
            "huge.png": "too large: 60000x60000",
            "small.png": "is 60x40, the video is 64x48",
        }.items():
            with pytest.raises(MaskError, match=words) as caught:
                load_mask_image(tmp_path / name, (64, 48))
            assert "\n" not in str(caught.value)


class TestOperations:
    def test_nothing_changes_its_input(self) -> None:
        mask = disc()
        for result in (
            masks.grow(mask, 3),
            masks.grow(mask, -3),
            masks.grow(mask, 0),
            masks.feather(mask, 4),
            masks.feather(mask, 0),
            masks.smooth(mask, 4),
            masks.fill_holes(mask),
            masks.remove_specks(mask, 5),
            masks.union([mask]),
        ):
            assert result.dtype == np.uint8
            assert result.shape == mask.shape
            result[:] = 7
        assert np.array_equal(mask, disc())

    def test_grow_and_shrink_move_the_edge(self) -> None:
        for pixels in (-4, -1, 1, 5):
            expected = np.pi * (12 + pixels) ** 2
            assert abs((masks.grow(disc(), pixels) > 127).sum() - expected) < 0.12 * expected

    def test_a_subject_cut_by_the_frame_stays_at_its_edge(self) -> None:
        mask = np.zeros((30, 30), np.uint8)
        mask[:, :15] = 255
        shrunk = masks.grow(mask, -3)
        assert (shrunk[:, :12] == 255).all()
        assert (shrunk[:, 12:] == 0).all()

    def test_feather_is_as_wide_as_asked_and_leaves_the_edge_in_place(self) -> None:
        mask = np.zeros((21, 61), np.uint8)
        mask[:, :30] = 255
        row = masks.feather(mask, 6)[10].astype(int)
        assert (row[:23] > 240).all()
        assert (row[37:] < 15).all()
        assert abs(row[29] + row[30] - 255) <= 2

    def test_smooth_takes_spikes_and_keeps_the_disc(self) -> None:
        mask = disc(80, 80, 25)
        spiky = mask.copy()
        spiky[39:41, :] = 255
        smoothed = masks.smooth(spiky, 12)
        assert smoothed[40, 3] == 0
        assert ((smoothed > 127) != (mask > 127)).mean() < 0.02
        assert ((smoothed > 5) & (smoothed < 250)).sum() < 4 * 2 * np.pi * 25  # the edge is not left blurred

    def test_fill_holes_by_size_and_not_at_the_border(self) -> None:
        mask = np.full((40, 40), 255, np.uint8)
        mask[10:12, 10:12] = 0  # 4 pixels
        mask[20:30, 20:30] = 60  # 100 pixels
        mask[0:5, 30:35] = 0  # open to the frame's edge
        filled = masks.fill_holes(mask)
        assert filled[10:30, 10:30].min() == 255
        assert (filled[0:5, 30:35] == 0).all()
        some = masks.fill_holes(mask, largest=4)
        assert some[11, 11] == 255
        assert some[25, 25] == 60

    def test_fill_holes_of_full_and_empty(self) -> None:
        for value in (0, 255):
            mask = np.full((8, 8), value, np.uint8)
            assert np.array_equal(masks.fill_holes(mask), mask)
            assert np.array_equal(masks.remove_specks(mask, 10), mask)

    def test_remove_specks_with_their_fringe(self) -> None:
        mask = cv2.GaussianBlur(disc(60, 60, 14), (0, 0), 1)
        speck = mask.copy()
        speck[2:4, 2:4] = 255
        speck[4, 2:5] = 40
        assert np.array_equal(masks.remove_specks(speck, 10), mask)
        assert np.array_equal(masks.remove_specks(speck, 4), speck)

    def test_union_takes_the_larger(self) -> None:
        first, second = np.full((2, 2), 10, np.uint8), np.array([[0, 20], [255, 5]], np.uint8)
        assert masks.union(iter([first, second])).tolist() == [[10, 20], [255, 10]]
        with pytest.raises(ValueError, match="no masks"):
            masks.union([])
