"""Everything that the app shows is there in English and in Chinese, and nothing is there for nothing."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import errors
from app_logic.editor import UNDO_TEXTS
from app_logic.track_editor import TRACK_UNDO_TEXTS
from config import SECTIONS, Settings
from engines.registry import ENGINES
from engines.weights_table import WEIGHTS
from errors import MediaError
from matting_runner import Stage
from pages.keys import KEYS, TRACK_KEYS
from pages.texts import choose, translate
from pages.texts.chinese import CHINESE
from pages.texts.messages import MESSAGES, in_chinese
from pipeline.formats import FORMATS
from pipeline.probe import probe
from queue_logic import JobState
from session_store import busy
from tracking_export import TRACK_FORMATS
from tracking_runner import STAGES

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for path in (ROOT / "pages").rglob("*.py") if "texts" not in path.parts)
SAME = {
    "Alpha",
    "SAM 2.1",
    "SAM 3",
    "MatAnyone",
    "VideoMaMa",
    "CoTracker 3",
    "GrabCut",
    "Alpha, MP4",
    "ProRes 4444, QuickTime",
    "JSON",
}
"""What Chinese editors call by its English name."""
NAMED = {"model", "device", "precision"}
"""Parameters whose values are names, the same in every language."""
UNSEEN = {
    "app.py", "pages/web/media.py", "pages/web/files.py",
}  # fmt: skip
"""Files with messages that nobody reads in the page: before it exists, or to programs."""
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}


def keys_in(node: ast.expr) -> Iterator[str]:
    """Yield the literals that a call's first argument may be; those that only look something up are not shown."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from [*keys_in(node.body), *keys_in(node.orelse)]
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from keys_in(value)


def written() -> set[str]:
    """Return every text that the source hands to `t`, and every one in a list for it."""
    found: set[str] = set()
    for path in PAGES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t" and node.args:
                found.update(keys_in(node.args[0]))
        names = re.findall(r"^(\w+_TEXTS)\b", path.read_text(encoding="utf-8"), re.M)
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)) if names else None
        for name in names:
            found.update(getattr(module, name))
    return found


def tables() -> set[str]:
    """Return the texts of the registry, the formats, the keys, job states, stages and undo."""
    found = (
        {text for _, _, text in (*KEYS, *TRACK_KEYS)}
        | {*UNDO_TEXTS, *TRACK_UNDO_TEXTS}
        | {state.value for state in JobState}
    )
    found |= {stage.value for stage in Stage} | set(STAGES) | {"px²", "px", "frames"}
    for spec in ENGINES:
        found |= {spec.title, spec.help}
        for param in spec.params:
            found |= {param.name.replace("_", " ").capitalize(), param.help, param.unit}
            found |= {choice for choice in param.choices if param.name not in NAMED or choice == "auto"}
    found |= {text for row in FORMATS.values() for text in (row.title, row.help)}
    found |= {text for row in TRACK_FORMATS.values() for text in (row.title, row.help)}
    found |= {entry.terms for entry in WEIGHTS}
    found |= {*SECTIONS, *(field.description or "" for field in Settings.model_fields.values())}
    return found - {""}


def test_every_text_is_translated_and_none_is_left_over() -> None:
    needed = written() | tables()
    assert len(needed) > 150
    assert sorted(needed - set(CHINESE)) == []
    assert sorted(set(CHINESE) - needed) == []


@pytest.mark.parametrize("table", [CHINESE, MESSAGES], ids=["texts", "messages"])
def test_chinese_is_chinese(table: dict[str, str]) -> None:
    plain = [text for text, chinese in table.items() if not re.search(r"[一-鿿]", chinese)]
    assert set(plain) <= SAME


def test_placeholders_are_the_same_on_both_sides() -> None:
    for text, chinese in CHINESE.items():
        assert sorted(re.findall(r"\{\w*\}", text)) == sorted(re.findall(r"\{\w*\}", chinese)), text
    for template, chinese in MESSAGES.items():
        places = set(re.findall(r"\{(\d+)\}", chinese))
        assert places <= {str(place) for place in range(template.count("{}"))}, template


def template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return "{}"


def raised() -> Iterator[tuple[str, str]]:
    """Yield (file, template) of every message of an error that a user of the page can meet."""
    for room in (
        "app_logic",
        "session_store",
        "session_base",
        "queue_logic",
        "matting_runner",
        "tracking_runner",
        "tracking_session_store",
        "tracking_export",
        "pipeline",
        "engines",
        "results",
        "runner_base",
        "integrations",
        "json_store.py",
        "zip_stream.py",
        "results",
        "projects",
    ):
        place = ROOT / room
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                    continue
                if node.func.id in {*ERRORS, "notice"} and name not in UNSEEN:
                    yield name, template(node.args[0])


def test_every_message_is_translated() -> None:
    found = [(name, text) for name, text in raised() if text.replace("{}", "").strip()]
    assert len(found) > 60
    assert [(name, text) for name, text in found if text not in MESSAGES] == []


def test_what_jobs_log_is_translated() -> None:
    """The page shows the lines of a job's log; `worker` and what runs below it write them."""
    rooms = ("queue_logic", "runner_base", "matting_runner", "tracking_runner", "engines", "integrations", "results")
    calls = [
        node
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("LOG.") and node.args
    ]
    said = {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}
    assert {"needs", "uploaded"} <= said
    assert said - CHINESE.keys() - {"an observer failed"} == set(), "an observer's is in app.log"


def test_no_message_is_left_over() -> None:
    """Each template is in the source as a text, with its placeholders as they may be."""
    rooms = {path.parent for path in ROOT.glob("*/*.py")} - {ROOT / name for name in ("tests", "pages")}
    paths = [*ROOT.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))]
    source = "\n".join(ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) for path in paths).replace("\\'", "'")
    for text in MESSAGES:
        for part in filter(lambda part: len(part) > 3, text.split("{}")):
            assert part.strip() in source or part.partition(" run.py")[0].strip() in source, text


def test_messages_come_out_in_chinese_with_their_values() -> None:
    message = str(busy("20260101-aa"))
    assert in_chinese(message) == "项目 20260101-aa 正由另一进程处理；请等待、取消其任务或停止该命令"
    nested = (
        "it gave no sign of life for 600 s and was ended; what was committed is kept, to go on: run.py queue retry 7"
    )
    assert in_chinese(nested) == "600 秒没有动静，已被结束；已完成的部分会保留，点击“重试”继续"
    assert in_chinese("something new") == "something new"
    assert in_chinese("mask {0} is empty") == "遮罩 {0} 为空"


@pytest.mark.parametrize("data", [
    b"", b"nothing of a video " * 40, b"#EXTM3U\n", b"\x89PNG\r\n\x1a\n" + bytes(200),
    (1 << 20).to_bytes(4, "big") + b"mdat",
], ids=["empty", "text", "playlist", "image", "no index"])  # fmt: skip
def test_what_an_upload_lacks_is_said_in_chinese(tmp_path: Path, data: bytes) -> None:
    """With the media library's own reason at the end, and the name as it is."""
    path = tmp_path / "1.mp4"
    path.write_bytes(data)
    with pytest.raises(MediaError) as caught:
        probe(path)
    chinese = in_chinese(str(caught.value))
    assert chinese.startswith("1.mp4 ")
    assert not re.search(r"[A-Za-z]{4}", chinese.replace("moov", "")), chinese


@pytest.mark.parametrize(
    ("header", "setting", "by_hand", "chosen"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", None, "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "", None, "en"),
        ("fr, zh-TW;q=0.3", "", None, "zh"),
        ("zh;q=0", "", None, "en"),
        ("", "", None, "en"),
        ("zh;q=oops,;;,", "", None, "en"),
        ("zh", "en", None, "en"),
        ("zh", "en", "zh", "zh"),
        ("en", "", "klingon", "en"),
    ],
)
def test_the_language_is_chosen(header: str, setting: str, by_hand: str | None, chosen: str) -> None:
    assert choose(header, setting, by_hand) == chosen


def test_english_is_the_fallback() -> None:
    assert translate("Propagate", "zh") == "传播"
    assert translate("not in the table", "zh") == "not in the table"
    assert translate("Propagate", "en") == "Propagate"


SHOWING = {"label", "button", "tooltip", "notify", "tab", "checkbox", "switch", "expansion", "menu_item"}
NAMES = {"SplazMatte"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_show_no_bare_text(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SHOWING
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and node.func.attr != "tab":
                assert first.value in NAMES, f"{path.name}: {first.value!r} is not translated"
