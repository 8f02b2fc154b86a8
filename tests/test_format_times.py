"""Presentation times and sound of every delivery format, decoded again."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import pytest

from tests.media_out import AUDIO, FRAMES, clip, deliver, hear, make_source, times


class TestTimes:
    @pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(12, 5)])
    @pytest.mark.parametrize("name", ["alpha", "foreground", "prores"])
    def test_a_constant_rate_stays_exact(self, tmp_path: Path, name: str, rate: Fraction) -> None:
        path = deliver(name, tmp_path, clip(rate=rate))
        assert times(path) == [index / rate for index in range(FRAMES)]
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.average_rate == rate
            assert cast(Any, stream.duration) * stream.time_base == FRAMES / rate

    @pytest.mark.parametrize("name", ["alpha", "foreground", "prores"])
    def test_a_variable_rate_is_kept_frame_by_frame(self, tmp_path: Path, name: str) -> None:
        ticks = (0, 3003, 6006, 6757, 9009, 18018, 18019, 21021, 24024, 30030, 33033, 36036, 39039)
        info = clip(times=ticks, time_base=Fraction(1, 90000), rate=Fraction(90000 * FRAMES, 39039 + 3000))
        path = deliver(name, tmp_path, info)
        assert times(path) == [Fraction(tick, 90000) for tick in ticks]
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        lengths = [cast(Any, packet.duration) * packet.time_base for packet in packets]
        assert lengths[:-1] == [Fraction(b - a, 90000) for a, b in itertools.pairwise(ticks)]
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
            start = cast(Any, stream.start_time) * stream.time_base
        info = clip(audio=AUDIO, start=start)
        begins, _, _ = hear(deliver("foreground", tmp_path, info, audio_source=source))
        assert begins == pytest.approx([0.3], abs=0.025)  # without an edit list the encoder's priming stays

    @pytest.mark.parametrize("name", ["foreground", "prores", "webm"])
    def test_silent_sources_are_fine(self, tmp_path: Path, name: str) -> None:
        path = deliver(name, tmp_path, clip(), audio_source=make_source(tmp_path / "source.mov"))
        with av.open(str(path)) as container:
            assert not container.streams.audio
