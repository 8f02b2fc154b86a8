"""Finding by text through a clip: what is kept of it, what is made of it, and the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from engines.base import FrameSource, Instance
from errors import Cancelled, PromptError, ResourceError, StoreError
from matting_runner import check_prompts, create_session, find, load_info, run_matting
from matting_runner.find import adopt, find_in_video, found_before, last_findings
from matting_runner.mask_stages import read_keyframes
from session_store import FramePrompts, MattingSession, PointPrompt, SessionStore, clean
from tests.conftest import Answer, assert_error, disc, write_clip

Cli = Callable[..., Answer]
FRAMES = 40
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="neural engines are not installed: just setup")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES, audio=False)


class Scripted:
    """An engines.base.InstanceFinder that knows the clip: 1 is the disc, 2 a corner now and then, 3 a single pixel."""

    runs: ClassVar[list[tuple[str, int, int]]] = []
    ended: ClassVar[list[bool]] = []

    def find(self, source: FrameSource, text: str, start: int, stop: int) -> Iterator[tuple[int, list[Instance]]]:
        self.runs.append((text, start, stop))
        try:
            for index in range(start, stop):
                assert source.read(index).shape[:2] == disc(0).shape
                yield index, self._seen(text, index)
        finally:
            self.ended.append(True)

    def _seen(self, text: str, index: int) -> list[Instance]:
        if text == "nothing":
            return []
        found = [Instance(1, np.where(disc(index) > 127, 255, 0).astype(np.uint8), 0.9 if index == 20 else 0.5)]
        corner, pixel = np.zeros_like(disc(0)), np.zeros_like(disc(0))
        corner[:8, : 8 + index % 3] = 255
        pixel[-1, -1] = 255
        found += [Instance(2, corner, 0.7)] if 4 <= index < 15 and index != 7 else []
        return found + ([Instance(3, pixel, 1.0)] if index == 39 else [])


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(find, "create_finder", lambda name, params: Scripted())
    monkeypatch.setattr(find, "_check_room", lambda *_: None)
    Scripted.runs, Scripted.ended = [], []
    return Scripted


@pytest.fixture
def session(tmp_path: Path, clip: Path) -> MattingSession:
    return create_session(SessionStore(tmp_path / "sessions"), clip)


def test_each_instance_is_told_with_its_best_frame(session: MattingSession) -> None:
    seen: list[Any] = []
    one, two, three = find_in_video(session, "disc", on_progress=seen.append)
    assert (one.id, one.first, one.last, one.best, one.frames, one.score) == (1, 0, 39, 20, 40, 0.9)
    assert (two.first, two.last, two.best, two.frames, two.box) == (4, 14, 5, 10, (0, 0, 9, 7))
    assert (three.first, three.last, three.area, three.box) == (39, 39, 1, (95, 63, 95, 63))
    assert [progress.done for progress in seen[-FRAMES:]] == list(range(1, FRAMES + 1))
    files = {str(path.relative_to(session.folder / "found")) for path in (session.folder / "found").rglob("*.png")}
    assert files == {"1/000000.png", "1/000020.png", "1/000039.png", "2/000005.png", "3/000039.png"}


def test_what_is_picked_becomes_objects_that_a_run_goes_on_with(session: MattingSession) -> None:
    found = find_in_video(session, "a disc", (0, 36))
    disc_item, corner = adopt(session, found, [1, 2, 1], ["round"])
    assert (disc_item.name, corner.name) == ("round", "a disc 2")
    assert sorted(disc_item.keyframes) == [0, 20, 35] and sorted(corner.keyframes) == [5]
    assert {keyframe.origin for keyframe in disc_item.keyframes.values()} == {"mask"}
    opened = SessionStore(session.folder.parent).open(session.state.id)
    assert np.array_equal(read_keyframes(opened)[20][disc_item.id] > 0, disc(20) > 127)
    opened.state.formats = ["alpha"]
    assert run_matting(opened).frames == FRAMES


def test_the_same_search_is_known_and_another_is_not(session: MattingSession) -> None:
    assert found_before(session, "disc") is None
    found = find_in_video(session, "disc")
    assert found_before(session, "disc") == found == found_before(session, "disc", (0, FRAMES))
    assert found_before(session, "dog") is None and found_before(session, "disc", (0, 9)) is None
    other = find.finder_choice(session.state).model_copy(update={"params": {"threshold": 0.2}})
    assert found_before(session, "disc", choice=other) is None
    (session.folder / "found" / "found.json").write_text("{")
    assert found_before(session, "disc") is None


def test_a_search_takes_the_place_of_the_one_before(session: MattingSession) -> None:
    find_in_video(session, "disc")
    assert find_in_video(session, "nothing") == []
    assert found_before(session, "nothing") == []
    assert not list((session.folder / "found").rglob("*.png"))


def test_a_stopped_search_leaves_what_was_found_before(session: MattingSession, scripted: type[Scripted]) -> None:
    find_in_video(session, "disc")
    stop = iter([False] * (FRAMES // 2) + [True] * 99)
    with pytest.raises(Cancelled, match="begins again"):
        find_in_video(session, "dog", should_stop=lambda: next(stop))
    known = last_findings(session)
    assert known is not None and known.text == "disc" and scripted.ended == [True, True]


def test_what_makes_no_sense_is_told(session: MattingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PromptError, match="outside the clip"):
        find_in_video(session, "disc", (10, 99))
    found = find_in_video(session, "disc")
    with pytest.raises(PromptError, match="no instance 7 was found; there is: 1, 2, 3"):
        adopt(session, found, [1, 7])
    (session.folder / "found" / "2" / "000005.png").unlink()
    with pytest.raises(StoreError, match="search again"):
        adopt(session, found, [1, 2])
    assert session.state.objects == []
    monkeypatch.undo()
    monkeypatch.setattr(find, "create_finder", lambda name, params: Scripted())
    monkeypatch.setattr("runner_base.room.memory_available", lambda: 10**8)
    monkeypatch.setattr("runner_base.room.memory_used", lambda: 10**8)
    with pytest.raises(ResourceError, match="GB of memory"):
        find_in_video(session, "disc")


def test_a_text_alone_says_what_belongs_to_an_object(session: MattingSession) -> None:
    item = session.add_object()
    item.prompts[0] = FramePrompts(text="disc")
    check_prompts(session.state.objects, load_info(session))
    item.prompts[0] = FramePrompts(points=[PointPrompt(x=1, y=1, positive=False)])
    with pytest.raises(PromptError, match="no positive point"):
        check_prompts(session.state.objects, load_info(session))


@pytest.mark.slow
def test_clean_removes_what_was_found_once_a_session_is_finished(session: MattingSession) -> None:
    found = find_in_video(session, "disc")
    assert "found" not in clean(session)
    adopt(session, found, [1])
    session.state.formats = ["alpha"]
    run_matting(session)
    assert clean(session)["found"] > 0 and not (session.folder / "found").exists()


def test_the_command_finds_shows_and_picks(cli: Cli, clip: Path, scripted: type[Scripted]) -> None:
    first = cli("find", clip, "--text", "disc", "--range", "0:36", "--json")
    assert first.code == 0 and [entry["id"] for entry in first.json["found"]] == [1, 2]
    number = first.json["session_id"]
    again = cli("find", number, "--text", "disc", "--range", "0:36")
    assert "2 instances of 'disc'" in again.out and "--range 0:36 --pick 1" in again.out
    assert scripted.runs == [("disc", 0, 36)]
    picked = cli("find", number, "--text", "disc", "--range", "0:36", "--pick", "2,1", "--json")
    assert [entry["name"] for entry in picked.json["objects"]] == ["disc 2", "disc 1"]
    assert len(scripted.runs) == 1
    assert "no 'nothing' was found" in cli("find", number, "--text", "nothing").out


def test_the_command_tells_what_is_wrong(cli: Cli, clip: Path, workspace: Path) -> None:
    assert_error(cli("find", clip, "--text", "disc", "--pick", "one"), 3, "--pick 1,3")
    assert_error(cli("find", clip, "--text", "disc", "--range", "30:99"), 3, "outside the clip")
    assert_error(cli("find", "no-such-session", "--text", "disc"), 4, "no-such-session")
    assert_error(cli("find", clip, "--text", "disc", "--param", "colour=red"), 3, "has no parameter 'colour'")
    assert list(SessionStore(workspace / "sessions").ids()) == []


@needs_torch
def test_without_weights_the_command_says_how_to_get_them(
    cli: Cli, clip: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from config import get_settings
    from engines import registry

    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path / "none"))
    get_settings.cache_clear()
    monkeypatch.setattr(find, "create_finder", registry.create_finder)
    assert_error(cli("find", clip, "--text", "disc"), 5, "./start.sh download-models sam3")
    assert list(SessionStore(workspace / "sessions").ids()) == []


@needs_torch
@pytest.mark.slow
def test_the_command_finds_by_a_tiny_network(
    cli: Cli, clip: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from config import get_settings
    from engines import registry
    from tests.sam3_material import save_tiny_sam3

    save_tiny_sam3(tmp_path / "models" / "sam3")
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path / "models"))
    get_settings.cache_clear()
    monkeypatch.setattr(find, "create_finder", registry.create_finder)
    answer = cli("find", clip, "--text", "dog", "--range", "0:12", "--param", "threshold=0", "--pick", "1", "--json")
    assert answer.code == 0, answer
    assert answer.json["found"] and answer.json["objects"][0]["keyframes"]
