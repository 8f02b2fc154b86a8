"""What `probe` and `scan` find, and what they refuse."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from errors import Cancelled, MediaError
from pipeline.info import Colour
from pipeline.probe import probe, scan
from pipeline.timeline import Clock, constant_rate
from tests.media_in import SIZE, damage, picture, write_audio, write_cover, write_video

NTSC_FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts", "a.flv"])
@pytest.mark.parametrize("rate", [NTSC_FILM, Fraction(24), Fraction(25), NTSC, Fraction(60000, 1001)], ids=str)
def test_constant_rate_is_exact_in_every_container(tmp_path: Path, name: str, rate: Fraction) -> None:
    info = scan(write_video(tmp_path / name, 40, rate=rate, options={"preset": "ultrafast"}))
    assert (info.frames, info.rate, info.times, info.exact) == (40, rate, None, True)
    assert info.warnings == ()


def test_variable_rate_keeps_each_frame_s_time(tmp_path: Path) -> None:
    times = [0, 40, 80, 97, 200, 1700, 1701, 1800]
    path = write_video(tmp_path / "vfr.mkv", len(times), times=times, time_base=Fraction(1, 1000))
    info = scan(path)
    assert (info.times, info.time_base) == (tuple(times), Fraction(1, 1000))
    assert info.rate == Fraction(7, 1) / Fraction(1800, 1000)


def test_start_offset_is_kept_beside_times_from_zero(tmp_path: Path) -> None:
    info = scan(
        write_video(tmp_path / "late.mkv", 8, times=[500 + 40 * i for i in range(8)], time_base=Fraction(1, 1000))
    )
    assert (info.start, info.rate, info.times) == (Fraction(1, 2), Fraction(25), None)


def test_probe_tells_the_same_from_the_first_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 30, rate=NTSC)
    quick, whole = probe(path), scan(path)
    assert not quick.exact
    assert quick.model_copy(update={"exact": True, "seekable": True}) == whole


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_orientation(tmp_path: Path, degrees: int, flipped: bool) -> None:
    info = probe(write_video(tmp_path / "a.mp4", 2, rotation=(degrees, flipped)))
    assert (info.width, info.height) == (SIZE if degrees % 180 == 0 else SIZE[::-1])
    assert info.mirrored == flipped
    # PyAV turns counter-clockwise, then mirrors; ours mirrors, then turns clockwise.
    assert info.rotation == (degrees if flipped else -degrees) % 360


def test_odd_angle_goes_to_the_nearest_quarter_with_a_warning(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "a.mp4", 2, rotation=(-70, False)))
    assert info.rotation == 90
    assert any("odd angle" in warning for warning in info.warnings)


def test_pixel_aspect_turns_with_the_picture(tmp_path: Path) -> None:
    assert probe(write_video(tmp_path / "a.mp4", 2, aspect=Fraction(4, 3))).sample_aspect_ratio == Fraction(4, 3)
    turned = probe(write_video(tmp_path / "b.mp4", 2, aspect=Fraction(4, 3), rotation=(90, False)))
    assert turned.sample_aspect_ratio == Fraction(3, 4)


def test_colour_tags_depth_and_alpha(tmp_path: Path) -> None:
    tags = Colour(range="limited", primaries="bt2020", transfer="smpte2084", matrix="bt2020nc")
    hdr = probe(write_video(tmp_path / "hdr.mp4", 2, pixel_format="yuv420p10le", colour=tags))
    assert (hdr.colour, hdr.bit_depth, hdr.has_alpha) == (tags, 10, False)
    assert any("HDR (PQ)" in warning for warning in hdr.warnings)
    deep = probe(write_video(tmp_path / "deep.mov", 2, codec="prores_ks", pixel_format="yuva444p10le"))
    assert (deep.codec, deep.bit_depth, deep.has_alpha) == ("prores", 12, True)


def test_interlaced_is_flagged(tmp_path: Path) -> None:
    path = write_video(tmp_path / "i.mkv", 4, codec="mpeg2video", options={"flags": "+ildct+ilme", "field_order": "tt"})
    with av.open(str(path)) as container:
        interlaced = [frame.interlaced_frame for frame in container.decode(video=0)]
    assert scan(path).interlaced == any(interlaced)


def test_largest_default_track_and_never_a_cover(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=25) for _ in range(2)]
        for stream, width in zip(streams, (32, 96), strict=True):
            stream.width, stream.height, stream.pix_fmt = width, 64, "yuv420p"
        for stream, width in zip(streams, (32, 96), strict=True):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0, (width, 64)), "rgb24")))
            output.mux(stream.encode(None))
    info = probe(path)
    assert (info.width, info.stream) == (96, 1)
    assert any("2 video tracks" in warning for warning in info.warnings)


def test_size_change_keeps_the_first_size(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.ts", 5, options={"preset": "ultrafast"})
    second = write_video(tmp_path / "b.ts", 4, size=(96, 32), options={"preset": "ultrafast"})
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    info = scan(path)
    assert (info.width, info.height, info.frames) == (*SIZE, 9)
    assert any("changes its size; 4 frames" in warning for warning in info.warnings)


def test_damage_in_the_middle_is_skipped_and_told(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mkv", 60, codec="mjpeg", pixel_format="yuvj420p")
    info = scan(damage(tmp_path / "b.mkv", whole, every=500))
    assert 0 < info.frames <= 60
    assert info.damaged
    assert not info.seekable


def test_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mp4", 60, codec="mpeg4", container={"options": {"movflags": "faststart"}})
    cut = tmp_path / "b.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    info = scan(cut)
    assert 10 < info.frames < 60
    assert any("header announces 60 frames" in warning for warning in info.warnings)


def test_elementary_stream_without_timestamps(tmp_path: Path) -> None:
    info = scan(write_video(tmp_path / "a.h264", 20, rate=Fraction(30), options={"bf": "2"}))
    assert (info.frames, info.rate, info.times, info.start) == (20, Fraction(30), None, Fraction(0))
    assert any("no timestamps" in warning for warning in info.warnings)


@pytest.mark.parametrize(
    "name", ["-i.mp4", "a:b.mp4", "%03d.mp4", "ünï {x} *.mp4", "concat:a|b.mp4", "x" * 240 + ".mp4"]
)
def test_names_are_never_interpreted(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt" and set(name) & set(':*|"'):
        pytest.skip("not a file name on this system")
    write_video(tmp_path / "plain.mp4", 3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert scan(Path(name)).frames == 3


def test_symbolic_link(tmp_path: Path) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(write_video(tmp_path / "a.mp4", 3))
    assert scan(link).frames == 3


def test_location_is_not_carried(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as output:
        output.metadata["location"] = "+48.8584+002.2945/"
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), "rgb24")))
        output.mux(stream.encode(None))
    assert b"48.8584" in path.read_bytes()
    assert "48.8584" not in scan(path).model_dump_json()


def test_audio_is_described(small_clip: Path) -> None:
    audio = probe(small_clip).audio
    assert audio is not None
    assert (audio.codec, audio.sample_rate, audio.channels) == ("aac", 48000, 1)


def test_progress_and_cancel(small_clip: Path) -> None:
    seen: list[tuple[int, int]] = []
    info = scan(small_clip, lambda done, total: seen.append((done, total)))
    assert seen == [(i + 1, info.frames) for i in range(info.frames)]

    def stop(done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        scan(small_clip, stop)


CONTENTS = {
    "one byte": b"a",
    "zeros": bytes(5000),
    "text": b"hello world " * 100,
    "ebml": b"\x1a\x45\xdf\xa3\x9f",
    "riff": b"RIFF\xff\xff\xff\x7fAVI LIST",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_what_is_not_a_video_is_refused_with_libav_s_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"^file\.mp4 is not a video that can be read: \w+") as caught:
        probe(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_missing_index_is_named(tmp_path: Path, ending: str) -> None:
    whole = write_video(tmp_path / f"a{ending}", 30).read_bytes()
    fragment = b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix" + b"\0\0\0\x10moof\0\0\0\x08mfhd" + bytes(64)
    for content in (whole[: whole.rindex(b"moov") - 4], whole[:40], fragment):
        (tmp_path / "file.mp4").write_bytes(content)
        with pytest.raises(MediaError, match=r"^file\.mp4 has no index \('moov'\): .*Invalid data"):
            probe(tmp_path / "file.mp4")


def test_missing_empty_and_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for name, message in {"none.mp4": "no such file", "empty.mp4": r"empty \(0 bytes\)", "": "is a folder"}.items():
        with pytest.raises(MediaError, match=message):
            probe(tmp_path / name)
    with pytest.raises(MediaError, match="not a file name"):
        probe(Path("a\0b"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", Path("/dev/zero")):
        with pytest.raises(MediaError, match="device or pipe"):
            probe(path)


def test_playlists_never_open_other_files(tmp_path: Path) -> None:
    write_video(tmp_path / "secret.mp4", 3)
    playlists = {
        "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        "b.mp4": "ffconcat version 1.0\nfile secret.mp4\n",
        "c.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    }
    for name, text in playlists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(MediaError, match="is a playlist"):
            probe(tmp_path / name)


def test_other_media_are_named_for_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"has no video, only audio$"):
        probe(write_audio(tmp_path / "a.m4a"))
    with pytest.raises(MediaError, match="only audio and a cover picture"):
        probe(write_cover(tmp_path / "b.mp4"))
    import cv2

    for ending in (".png", ".jpg", ".bmp", ".tiff"):
        data = cv2.imencode(ending, picture(0))[1]
        (tmp_path / "still.mp4").write_bytes(data.tobytes())
        with pytest.raises(MediaError, match="is a still image, not a video"):
            probe(tmp_path / "still.mp4")


def test_nothing_decodable(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mkv", 5, codec="libvpx-vp9")
    data = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        for packet in container.demux(video=0):
            at = data.find(bytes(packet)) if packet.size else -1
            if at >= 0:
                data[at : at + packet.size] = bytes(packet.size)
    (tmp_path / "b.mkv").write_bytes(data)
    with pytest.raises(MediaError, match=r"no frame of it decodes \(vp9\): "):
        scan(tmp_path / "b.mkv")


def test_huge_dimensions_are_refused(tmp_path: Path) -> None:
    gif = bytearray(write_video(tmp_path / "a.gif", 2, codec="gif", pixel_format="rgb8").read_bytes())
    gif[6:10] = b"\xff\xff\xff\xff"
    (tmp_path / "b.gif").write_bytes(gif)
    with pytest.raises(MediaError, match="no frame of it decodes"):
        probe(tmp_path / "b.gif")


MS, FINE = Fraction(1, 1000), Fraction(1, 90000)


@pytest.mark.parametrize(
    ("rate", "base", "declared"),
    [
        (NTSC_FILM, MS, [Fraction(24)]),
        (Fraction(24), MS, [NTSC_FILM]),
        (NTSC, MS, []),
        (Fraction(30), MS, [Fraction(60), Fraction(1000)]),
        (Fraction(60000, 1001), MS, []),
        (Fraction(2997, 100), Fraction(1, 2997), []),
        (NTSC_FILM, FINE, [Fraction(24)]),
        (Fraction(18), MS, []),
        (Fraction(100, 3), Fraction(1, 100), []),
    ],
)
def test_rates_are_told_apart_through_rounded_ticks(rate: Fraction, base: Fraction, declared: list[Fraction]) -> None:
    ticks = np.array([round(i / (rate * base)) for i in range(200)])
    assert constant_rate(ticks, base, declared) == rate


def test_dropped_frame_and_jitter_are_not_a_constant_rate() -> None:
    ticks = np.arange(100) * 40
    ticks[50:] += 40
    assert constant_rate(ticks, MS, [Fraction(25)]) is None
    assert constant_rate(np.arange(100) * 3000 + (np.arange(100) % 2) * 50, FINE, [Fraction(30)]) is None


@pytest.mark.parametrize(
    ("stamps", "ticks"),
    [
        ([0, 40, None, 120, 160], [0, 40, 80, 120, 160]),
        ([None, None, 80, 120, 160, 210], [0, 40, 80, 120, 160, 210]),
        ([0, 40, 80, 80, 170], [0, 40, 80, 125, 170]),
        ([0, 40, 80, 120, 120], [0, 40, 80, 120, 160]),
        ([90_000, 90_040, 90_080, 0, 40, 80, 150], [0, 40, 80, 120, 160, 200, 270]),
        ([0, 40, 80, 1_000_000, 1_000_040, 1_000_090], [0, 40, 80, 120, 160, 210]),
        ([0, 1, 1, 2, 40], [0, 1, 2, 3, 41]),
    ],
)
def test_broken_timestamps_are_repaired(stamps: list[int | None], ticks: list[int]) -> None:
    clock = Clock(MS, [Fraction(25)], resets=True)
    for stamp in stamps:
        clock.add(stamp)
    timeline = clock.finish()
    times = timeline.times or tuple(round(i / (timeline.rate * MS)) for i in range(len(stamps)))
    assert list(times) == ticks
    assert timeline.repaired > 0
