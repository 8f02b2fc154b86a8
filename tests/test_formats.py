"""Every delivery format is decoded again: frames, times, size, colour, alpha, sound, and nothing when it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from errors import ParameterError, StorageError
from pipeline.colour import read_colour
from pipeline.deliver import DeliverFrame
from pipeline.formats import FORMATS, open_writer
from pipeline.formats import alpha as alpha_format
from pipeline.formats import prores as prores_format
from pipeline.info import AudioInfo, Colour, VideoInfo
from pipeline.planes import view, yuv420, yuv_matrix
from pipeline.transfer import linearise
from tests.media_out import ffmpeg_program, small_disk

BT709 = Colour(range="limited", primaries="bt709", transfer="bt709", matrix="bt709")
HLG = Colour(range="limited", primaries="bt2020", transfer="arib-std-b67", matrix="bt2020nc")
FILES = ("alpha", "foreground", "prores", "webm")
LAYERS = ("prores", "webm", "png", "exr")
FRAMES = 13
SAMPLE_RATE = 48000


def clip(**changes: Any) -> VideoInfo:
    facts: dict[str, Any] = {
        "width": 64,
        "height": 48,
        "frames": FRAMES,
        "exact": True,
        "rate": Fraction(24000, 1001),
        "time_base": Fraction(1, 24000),
        "codec": "h264",
        "pixel_format": "yuv420p",
        "colour": BT709,
    }
    return VideoInfo(**(facts | changes))


def frame(info: VideoInfo, index: int) -> DeliverFrame:
    """Smooth colours behind a soft disc that moves."""
    y, x = np.mgrid[: info.height, : info.width].astype(np.float32)
    distance = np.hypot(x - info.width / 3 - index, y - info.height / 2)
    alpha = np.clip((info.height / 3 - distance) / 8 + 0.5, 0, 1)
    red, green = x / info.width, y / info.height
    blue = 0.5 + 0.4 * np.sin((x + y) / 12 + index / 4)
    return DeliverFrame(index, alpha.astype(np.float32), np.dstack([red, green, blue]).astype(np.float32))


def deliver(name: str, target: Path, info: VideoInfo, start: int = 0, stop: int | None = None, **options: Any) -> Path:
    writer = open_writer(name, target / FORMATS[name].file_name, info, start=start, stop=stop, **options)
    for index in range(start, info.frames if stop is None else stop):
        writer.write(frame(info, index))
    return writer.close()


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def times(path: Path) -> list[Fraction]:
    return [picture.pts * picture.time_base for picture in decoded(path)]


def decode_layers(name: str, path: Path, info: VideoInfo) -> list[NDArray[np.float64]]:
    """Return R'G'B'A (linear light for EXR) float [H, W, 4] of each frame of a format with alpha."""
    if name == "png":
        pictures = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted(path.glob("*.png"))]
        return [cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA) / np.iinfo(picture.dtype).max for picture in pictures]
    if name == "exr":
        return [exr_pixels(file)[0] for file in sorted(path.glob("*.exr"))]
    pictures = decoded(path) if name == "prores" else decode_vp9_alpha(path)
    return [to_rgba(picture, info) for picture in pictures]


def exr_pixels(path: Path) -> tuple[NDArray[np.float64], dict[str, Any]]:
    with OpenEXR.File(str(path)) as file:
        return file.channels()["RGBA"].pixels.astype(np.float64), dict(file.header())


def decode_vp9_alpha(path: Path) -> list[av.VideoFrame]:
    """Decode with libvpx, which knows the alpha plane; FFmpeg's own decoder leaves it out."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    return pictures + list(decoder.decode(None))


def to_rgba(picture: av.VideoFrame, info: VideoInfo) -> NDArray[np.float64]:
    """Convert planes by the inverse of H.273's matrix, in floats; chroma is only repeated."""
    depth = picture.format.components[0].bits
    planes = [view(picture, plane).astype(np.float64) for plane in range(4)]
    planes[1:3] = [
        plane
        if plane.shape == planes[0].shape
        else cv2.resize(plane, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)[: info.height, : info.width]
        for plane in planes[1:3]
    ]
    matrix = yuv_matrix(info.colour, depth).astype(np.float64)
    rgb = (np.dstack(planes[:3]) - matrix[:, 3]) @ np.linalg.inv(matrix[:, :3]).T
    return np.dstack([rgb, planes[3] / ((1 << depth) - 1)])


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


class TestTimes:
    @pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(12, 5)])
    @pytest.mark.parametrize("name", ["alpha", "foreground", "prores"])
    def test_a_constant_rate_stays_exact(self, tmp_path: Path, name: str, rate: Fraction) -> None:
        path = deliver(name, tmp_path, clip(rate=rate))
        assert times(path) == [index / rate for index in range(FRAMES)]
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.average_rate == rate
            assert stream.duration * stream.time_base == FRAMES / rate

    @pytest.mark.parametrize("name", ["alpha", "foreground", "prores"])
    def test_a_variable_rate_is_kept_frame_by_frame(self, tmp_path: Path, name: str) -> None:
        ticks = (0, 3003, 6006, 6757, 9009, 18018, 18019, 21021, 24024, 30030, 33033, 36036, 39039)
        info = clip(times=ticks, time_base=Fraction(1, 90000), rate=Fraction(90000 * FRAMES, 39039 + 3000))
        path = deliver(name, tmp_path, info)
        assert times(path) == [Fraction(tick, 90000) for tick in ticks]
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        lengths = [packet.duration * packet.time_base for packet in packets]
        assert lengths[:-1] == [Fraction(b - a, 90000) for a, b in zip(ticks, ticks[1:], strict=False)]
        assert lengths[-1] == Fraction(3000, 90000)

    def test_a_range_of_a_variable_rate_begins_at_zero(self, tmp_path: Path) -> None:
        ticks = tuple(index * index * 100 for index in range(FRAMES))
        path = deliver("alpha", tmp_path, clip(times=ticks, time_base=Fraction(1, 1000)), 3, 7)
        assert times(path) == [Fraction(tick - 900, 1000) for tick in ticks[3:7]]

    def test_webm_is_within_half_a_millisecond(self, tmp_path: Path) -> None:
        path = deliver("webm", tmp_path, clip())
        for index, time in enumerate(times(path)):
            assert abs(time - index * Fraction(1001, 24000)) <= Fraction(1, 2000)
        with av.open(str(path)) as container:
            assert container.streams.video[0].average_rate == Fraction(24000, 1001)

    @pytest.mark.parametrize("name", ["png", "exr"])
    def test_sequences_are_numbered_by_source_frame(self, tmp_path: Path, name: str) -> None:
        path = deliver(name, tmp_path, clip(), 4, 7)
        assert [file.name for file in sorted(path.iterdir())] == [f"00000{index}.{name}" for index in (4, 5, 6)]

    def test_sequences_of_a_variable_rate_come_with_timecodes(self, tmp_path: Path) -> None:
        ticks = tuple(index * index for index in range(FRAMES))
        path = deliver("png", tmp_path, clip(times=ticks, time_base=Fraction(1, 100)), 2, 5)
        lines = (path / "timecodes.txt").read_text().splitlines()
        assert lines == ["# timestamp format v2", "0.000000", "50.000000", "120.000000"]


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
        rgb = np.random.default_rng(3).random((32, 40, 3), np.float32)
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
        picture = yuv420(rgb, yuv_matrix(Colour(range=range_, matrix=matrix), depth), pixel_format)
        assert np.abs(view(picture, 0) - codes[0]).max() <= bound[0]
        for plane in (1, 2):
            assert np.abs(view(picture, plane) - codes[plane]).max() <= bound[1]

    @pytest.mark.parametrize("depth", [8, 10])
    def test_png_is_as_deep_as_the_source(self, tmp_path: Path, depth: int) -> None:
        info = clip(bit_depth=depth, sample_aspect_ratio=Fraction(4, 3), colour=HLG)
        path = deliver("png", tmp_path, info, premultiplied=True) / "000000.png"
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
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
            if name == "webm":  # VP9 has no word for it and PyAV no way to the container's
                assert "pixels are 8:9" in container.metadata["COMMENT"]
            else:
                assert container.streams.video[0].sample_aspect_ratio == Fraction(8, 9)

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


AUDIO = AudioInfo(codec="aac", sample_rate=SAMPLE_RATE, channels=2)


def make_source(
    path: Path,
    *,
    codec: str = "aac",
    beeps: tuple[float, ...] = (0.3,),
    seconds: float = 0.6,
    late: float = 0.0,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a file with sound only, silent but for 20 ms beeps; its clock begins `late` seconds in."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.zeros_like(time)
    for beep in beeps:
        wave[(time >= beep) & (time < beep + 0.02)] = 0.5
    wave *= np.sin(2 * np.pi * 3000 * time)
    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=SAMPLE_RATE, layout="stereo")
        for begin in range(0, len(wave), 1024):
            block = np.ascontiguousarray(np.tile(wave[begin : begin + 1024], (2, 1)).astype(np.float32))
            audio = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
            audio.sample_rate, audio.pts = SAMPLE_RATE, begin + round(late * SAMPLE_RATE)
            audio.time_base = Fraction(1, SAMPLE_RATE)
            container.mux(stream.encode(audio))
        container.mux(stream.encode(None))
    return path


def hear(path: Path) -> tuple[list[float], float, str]:
    """Return when beeps begin, when the sound ends, and its codec."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate, samples = stream.codec_context.sample_rate, []
        resampler = av.AudioResampler("fltp", "mono", rate)
        first = None
        for audio in container.decode(stream):
            first = audio.pts * audio.time_base if first is None else first
            samples += [piece.to_ndarray()[0] for piece in resampler.resample(audio)]
        wave = np.abs(np.concatenate(samples))
        codec = stream.codec_context.name
    loud = np.flatnonzero(wave > 0.15) / rate + float(first or 0)
    begins = [float(at) for at, before in zip(loud, [-1, *loud], strict=False) if at - before > 0.1]
    return begins, len(wave) / rate + float(first or 0), codec


class TestSound:
    @pytest.mark.parametrize(("name", "codec"), [("foreground", "aac"), ("prores", "pcm_s24le"), ("webm", "opus")])
    def test_it_stays_in_sync(self, tmp_path: Path, name: str, codec: str) -> None:
        path = deliver(name, tmp_path, clip(audio=AUDIO), audio_source=make_source(tmp_path / "source.mov"))
        begins, end, found = hear(path)
        assert found.removeprefix("lib") == codec
        assert begins == pytest.approx([0.3], abs=0.005)
        assert end == pytest.approx(0.6, abs=0.03)

    @pytest.mark.parametrize("name", ["foreground", "prores", "webm"])
    @pytest.mark.parametrize(("late", "start"), [(0.0, 0.1), (0.1, 0.0), (0.1, 0.15)])
    def test_a_late_picture_or_late_sound(self, tmp_path: Path, name: str, late: float, start: float) -> None:
        source = make_source(tmp_path / "source.mkv", late=late)
        info = clip(audio=AUDIO, start=Fraction(start).limit_denominator(1000))
        begins, _, _ = hear(deliver(name, tmp_path, info, audio_source=source))
        assert begins == pytest.approx([0.3 + late - start], abs=0.005)

    @pytest.mark.parametrize("name", ["foreground", "prores", "webm"])
    def test_a_range_cuts_it(self, tmp_path: Path, name: str) -> None:
        source = make_source(tmp_path / "source.mov", beeps=(0.05, 0.3, 0.5))
        path = deliver(name, tmp_path, clip(audio=AUDIO), 4, 10, audio_source=source)
        begins, end, _ = hear(path)
        begin = 4 * 1001 / 24000
        assert begins == pytest.approx([0.3 - begin], abs=0.005)
        assert end == pytest.approx(6 * 1001 / 24000, abs=0.03)
        assert times(path)[0] == 0

    def test_far_into_a_long_clip(self, tmp_path: Path) -> None:
        source = make_source(tmp_path / "source.mov", beeps=(1.0, 14.3, 14.8), seconds=16)
        info = clip(audio=AUDIO, frames=400, rate=Fraction(25))
        begins, _, _ = hear(deliver("prores", tmp_path, info, 350, 365, audio_source=source))
        assert begins == pytest.approx([0.3], abs=0.005)

    def test_packets_are_copied_where_mp4_takes_the_codec(self, tmp_path: Path) -> None:
        source = make_source(tmp_path / "source.mov")
        path = deliver("foreground", tmp_path, clip(audio=AUDIO), audio_source=source)

        def payloads(file: Path) -> list[bytes]:
            with av.open(str(file)) as container:
                return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

        assert payloads(path) == payloads(source)

    @pytest.mark.parametrize(("codec", "suffix"), [("pcm_s16le", ".wav"), ("flac", ".mkv"), ("libopus", ".mkv")])
    def test_other_codecs_become_aac(self, tmp_path: Path, codec: str, suffix: str) -> None:
        source = make_source(tmp_path / f"source{suffix}", codec=codec)
        begins, end, found = hear(deliver("foreground", tmp_path, clip(audio=AUDIO), audio_source=source))
        assert found == "aac"
        assert begins == pytest.approx([0.3], abs=0.005)
        assert end == pytest.approx(0.6, abs=0.03)

    def test_a_transport_stream(self, tmp_path: Path) -> None:
        source = make_source(tmp_path / "source.ts")
        with av.open(str(source)) as container:
            stream = container.streams.audio[0]
            start = stream.start_time * stream.time_base
        info = clip(audio=AUDIO, start=start)
        begins, _, _ = hear(deliver("foreground", tmp_path, info, audio_source=source))
        assert begins == pytest.approx([0.3], abs=0.025)  # without an edit list the encoder's priming stays

    @pytest.mark.parametrize("name", ["foreground", "prores", "webm"])
    def test_silent_sources_are_fine(self, tmp_path: Path, name: str) -> None:
        path = deliver(name, tmp_path, clip(), audio_source=make_source(tmp_path / "source.mov"))
        with av.open(str(path)) as container:
            assert not container.streams.audio


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
            kind = np.uint16 if pixel_format == "rgba64le" else np.uint8
            layers = np.frombuffer(raw, kind).reshape(FRAMES, 48, 64, 4) / np.iinfo(kind).max
            for index in range(FRAMES):
                assert np.abs(layers[index, ..., 3] - frame(info, index).alpha).max() < bound

    @pytest.mark.parametrize("name", ["png", "exr"])
    def test_sequences(self, tmp_path: Path, name: str) -> None:
        path = deliver(name, tmp_path, clip()) / f"000003.{name}"
        assert probe(path, "v:0")["width"] == 64


def probe(path: Path, stream: str) -> dict[str, Any]:
    program = ffmpeg_program("ffprobe")
    answer = subprocess.run(
        [program, "-v", "error", "-count_frames", "-select_streams", stream, "-show_streams", "-of", "json", path],
        capture_output=True,
        check=True,
    )
    return dict(json.loads(answer.stdout)["streams"][0])
