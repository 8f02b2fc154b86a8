"""Every delivery format is decoded again: alpha, colours, sizes, against exact references."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import OpenEXR
import pytest

from pipeline.deliver import DeliverFrame
from pipeline.formats import FORMATS, open_writer
from pipeline.formats import alpha as alpha_format
from pipeline.formats import prores as prores_format
from pipeline.info import Colour
from pipeline.planes import Yuv420, view, yuv_matrix
from pipeline.transfer import linearise
from tests.media_out import (
    AUDIO,
    BT709,
    FILES,
    FRAMES,
    HLG,
    LAYERS,
    clip,
    decode_layers,
    decoded,
    deliver,
    exr_pixels,
    ffmpeg_program,
    frame,
    make_source,
    probe,
)


class TestPictures:
    @pytest.mark.parametrize("size", [(64, 48), (63, 47), (1, 1), (17, 2)])
    def test_alpha_mp4_keeps_its_bound(self, tmp_path: Path, size: tuple[int, int]) -> None:
        info = clip(width=size[0], height=size[1])
        for index, picture in enumerate(decoded(deliver("alpha", tmp_path, info))):
            luma = (view(picture, 0).astype(float) - 16) / 219
            error = np.abs(luma[: size[1], : size[0]] - frame(info, index).alpha)
            assert error.max() <= alpha_format.MAX_ERROR + 1e-6
            assert (view(picture, 1) == 128).all()

    def test_alpha_mp4_keeps_its_bound_on_noise(self, tmp_path: Path) -> None:
        info, rng = clip(), np.random.default_rng(1)
        noise = [rng.random((48, 64), np.float32) * (rng.random((48, 64)) < 0.2) for _ in range(FRAMES)]
        writer = open_writer("alpha", tmp_path / "alpha.mp4", info)
        for index, alpha in enumerate(noise):
            writer.write(DeliverFrame(index, alpha.astype(np.float32)))
        for picture, alpha in zip(decoded(writer.close()), noise, strict=True):
            assert np.abs((view(picture, 0) - 16.0) / 219 - alpha).max() <= alpha_format.MAX_ERROR + 1e-6

    @pytest.mark.parametrize("name", ["alpha", "foreground"])
    def test_odd_sizes_are_padded_and_declared_in_mp4(self, tmp_path: Path, name: str) -> None:
        info = clip(width=63, height=47)
        path = deliver(name, tmp_path, info)
        with av.open(str(path)) as container:
            assert "63x47, at the top left of 64x48" in container.metadata["comment"]
        luma = view(decoded(path)[5], 0).astype(int)
        assert luma.shape == (48, 64)
        assert np.abs(luma[:, 63] - luma[:, 62]).max() <= 3

    @pytest.mark.parametrize("size", [(63, 47), (1, 1), (3, 64)])
    @pytest.mark.parametrize("name", LAYERS)
    def test_odd_sizes_stay_where_they_can(self, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
        info = clip(width=size[0], height=size[1], frames=3)
        layers = decode_layers(name, deliver(name, tmp_path, info), info)
        assert [layer.shape for layer in layers] == [(size[1], size[0], 4)] * 3

    @pytest.mark.parametrize("premultiplied", [False, True])
    @pytest.mark.parametrize(("name", "colour_bound", "alpha_bound"), [
        ("prores", 0.02, prores_format.MAX_ERROR),
        ("webm", 0.12, 0.04),
        ("png", 0.5 / 255, 0.5 / 255),
        ("exr", 2e-3, 2e-3),
    ])  # fmt: skip
    def test_colours_and_alpha(
        self, tmp_path: Path, name: str, colour_bound: float, alpha_bound: float, premultiplied: bool
    ) -> None:
        info = clip()
        layers = decode_layers(name, deliver(name, tmp_path, info, premultiplied=premultiplied), info)
        assert len(layers) == FRAMES
        for index, layer in enumerate(layers):
            wanted = frame(info, index)
            assert wanted.foreground is not None
            colours = linearise(wanted.foreground, "bt709") if name == "exr" else wanted.foreground
            if premultiplied:
                colours = colours * wanted.alpha[..., None]
            assert np.abs(layer[..., 3] - wanted.alpha).max() <= alpha_bound + 1e-6
            assert np.abs(layer[..., :3] - colours).max() <= colour_bound + 1e-6
            opaque, clear = wanted.alpha == 1, wanted.alpha == 0
            if name != "webm":
                assert (layer[opaque, 3] == 1).all()
                assert (layer[clear, 3] == 0).all()

    def test_the_conventions(self) -> None:
        assert {name: spec.premultiplied for name, spec in FORMATS.items()} == {
            "alpha": None,
            "foreground": False,
            "prores": False,
            "webm": False,
            "png": False,
            "exr": True,
        }

    @pytest.mark.parametrize(("colour", "depth"), [(BT709, 8), (HLG, 10)])
    def test_foreground(self, tmp_path: Path, colour: Colour, depth: int) -> None:
        info = clip(colour=colour, bit_depth=depth, pixel_format="yuv420p" if depth == 8 else "yuv420p10le")
        pictures = decoded(deliver("foreground", tmp_path, info))
        assert pictures[0].format.name == info.pixel_format
        matrix = yuv_matrix(colour, depth)
        for index, picture in enumerate(pictures):
            wanted = frame(info, index).foreground
            assert wanted is not None
            luma = wanted @ matrix[0, :3] + matrix[0, 3]
            # HEVC's fast preset blurs this noiseless ramp a little more than H.264's
            assert np.abs(view(picture, 0) - luma).mean() < (1 if depth == 8 else 6)

    @pytest.mark.parametrize("range_", ["limited", "full"])
    @pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
    @pytest.mark.parametrize(
        ("pixel_format", "depth", "bound"), [("yuv420p", 8, (0.99, 1.6)), ("yuv420p10le", 10, (0.51, 0.51))]
    )
    def test_conversion_against_h273(
        self, range_: str, matrix: str, pixel_format: str, depth: int, bound: tuple[float, float]
    ) -> None:
        rgb = np.random.default_rng(3).random((106, 40, 3), np.float32)  # more than one strip
        rgb[:8, :8], rgb[8:16, :8], rgb[:8, 8:16] = 1, 0, (0, 0, 1)
        red, blue = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}[matrix]
        luma = rgb @ np.array([red, 1 - red - blue, blue])
        chroma = np.dstack([(rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)])
        wide = np.pad(chroma, ((0, 0), (1, 0), (0, 0)), mode="edge")  # sited left: 1 2 1 around even columns
        across = (wide[:, :-1:2] + 2 * wide[:, 1::2] + chroma[:, 1::2]) / 4
        half = (across[::2] + across[1::2]) / 2
        peak, unit = (1 << depth) - 1, 1 << (depth - 8)
        if range_ == "full":
            codes = [luma * peak, *(np.minimum(half[..., i] * peak + 128 * unit, peak) for i in (0, 1))]
        else:
            codes = [(luma * 219 + 16) * unit, *((half[..., i] * 224 + 128) * unit for i in (0, 1))]
        picture = Yuv420(40, yuv_matrix(Colour(range=range_, matrix=matrix), depth), pixel_format)(rgb)
        assert np.abs(view(picture, 0) - codes[0]).max() <= bound[0]
        for plane in (1, 2):
            assert np.abs(view(picture, plane) - codes[plane]).max() <= bound[1]

    @pytest.mark.parametrize("depth", [8, 10])
    def test_png_is_as_deep_as_the_source(self, tmp_path: Path, depth: int) -> None:
        info = clip(bit_depth=depth, sample_aspect_ratio=Fraction(4, 3), colour=HLG)
        path = deliver("png", tmp_path, info, premultiplied=True) / "000000.png"
        picture: Any = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert picture.dtype == (np.uint8 if depth == 8 else np.uint16)
        data = path.read_bytes()
        assert b"cICP" + bytes([9, 18, 0, 1]) in data
        assert b"pHYs" + (3).to_bytes(4, "big") + (4).to_bytes(4, "big") in data
        assert b"Colours are premultiplied" in data

    def test_exr_header(self, tmp_path: Path) -> None:
        info = clip(sample_aspect_ratio=Fraction(4, 3))
        _, header = exr_pixels(deliver("exr", tmp_path, info) / "000012.exr")
        assert header["framesPerSecond"] == Fraction(24000, 1001)
        assert header["pixelAspectRatio"] == pytest.approx(4 / 3)
        assert header["chromaticities"][:2] == pytest.approx((0.64, 0.33))
        assert header["compression"] == OpenEXR.ZIP_COMPRESSION
        assert header["comments"] == "Premultiplied alpha, linear light"

    @pytest.mark.parametrize(
        ("transfer", "code", "light"),
        [
            ("bt709", 0.5, 0.2597),  # ITU-R BT.709, inverse of 1.2
            ("bt709", 0.04, 0.04 / 4.5),
            ("unspecified", 0.5, 0.2597),
            ("iec61966-2-1", 0.5, 0.2140),
            ("linear", 0.3, 0.3),
            ("arib-std-b67", 0.75, 1.0),  # ITU-R BT.2408: reference white
            ("arib-std-b67", 0.5, 1 / 12 / 0.26496256),
            ("smpte2084", 0.58069, 1.0),
            ("smpte2084", 1.0, 10_000 / 203),
            ("smpte240m", 1.0, 1.0),
            ("bt470bg", 0.5, 0.5**2.8),
        ],
    )
    def test_linear_light(self, transfer: str, code: float, light: float) -> None:
        assert linearise(np.full((2, 2, 3), code, np.float32), transfer)[0, 0, 0] == pytest.approx(light, rel=1e-3)


class TestSecondOpinion:
    """The ffmpeg program, an older version of the libraries, reads the same."""

    @pytest.mark.parametrize("name", FILES)
    def test_ffprobe(self, tmp_path: Path, name: str) -> None:
        info = clip(audio=AUDIO)
        path = deliver(name, tmp_path, info, audio_source=make_source(tmp_path / "source.mov"))
        answer = probe(path, "v:0")
        assert (answer["width"], answer["height"]) == (64, 48)
        assert answer["nb_read_frames"] == str(FRAMES)
        assert answer["r_frame_rate"] == "24000/1001"
        for field in ("color_space", "color_transfer", "color_primaries"):
            assert answer[field] == "bt709"
        assert answer["color_range"] == "tv"

    def test_layers(self, tmp_path: Path) -> None:
        info = clip()
        for name, decoder, pixel_format, bound in (
            ("prores", [], "rgba64le", 2e-3),
            ("webm", ["-c:v", "libvpx-vp9"], "rgba", 0.04),
        ):
            path = deliver(name, tmp_path, info)
            raw = subprocess.run(
                [
                    ffmpeg_program(),
                    "-v",
                    "error",
                    *decoder,
                    "-i",
                    path,
                    "-f",
                    "rawvideo",
                    "-pix_fmt",
                    pixel_format,
                    "-",
                ],
                capture_output=True,
                check=True,
            ).stdout
            kind: Any = np.uint16 if pixel_format == "rgba64le" else np.uint8
            layers: Any = np.frombuffer(raw, kind).reshape(FRAMES, 48, 64, 4) / np.iinfo(kind).max
            for index in range(FRAMES):
                assert np.abs(layers[index, ..., 3] - frame(info, index).alpha).max() < bound

    @pytest.mark.parametrize("name", ["png", "exr"])
    def test_sequences(self, tmp_path: Path, name: str) -> None:
        path = deliver(name, tmp_path, clip()) / f"000003.{name}"
        assert probe(path, "v:0")["width"] == 64
