"""The house's import layers, read from the source: imports go downwards only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    {"app", "run"},
    {"pages", "cli"},
    {"app_logic", "cotracker_logic"},
    {"results", "projects"},
    {"matting_runner", "tracking_runner"},
    {"runner_base", "tracking_export"},
    {"session_store", "tracking_session_store", "queue_logic", "integrations", "engines", "pipeline"},
    {"session_base"},
    {"config", "errors", "json_store", "atomic", "machine", "zip_stream", "log"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
WIDGETS = {"nicegui"}
HEAVY = {"torch", "torchvision", "transformers", "diffusers"}
NEURAL_ROOMS = {"neural", "sam", "matanyone", "videomama", "cotracker"}
"""Of engines/: loaded with the engines whose insides they are; their rows of the table are not."""
LOOK_UP_BY_NAME = {
    "engines/registry.py",
    "engines/devices.py",
    "engines/neural/loading.py",
    "engines/sam/finder.py",
    "engines/sam/session.py",
    "pipeline/formats/__init__.py",
    "tracking_export/__init__.py",
    "cli/doctor.py",
}
FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if path.relative_to(ROOT).with_suffix("").parts[0] in LEVEL  # not tests, benchmarks, scripts, .venv
]


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            names.add("<relative>")
    return names


def test_there_is_something_to_read() -> None:
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    room = path.relative_to(ROOT).with_suffix("").parts[0]
    for name in imports(ast.parse(path.read_text())) & set(LEVEL):
        assert name == room or LEVEL[name] > LEVEL[room] or LEVEL[room] == len(LAYERS) - 1, (
            f"{room} must not import {name}"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_keep_to_their_libraries(path: Path) -> None:
    room = path.relative_to(ROOT).with_suffix("").parts[0]
    found = imports(ast.parse(path.read_text()))
    assert "<relative>" not in found, "import by full name"
    assert room in {"app", "pages"} or not found & WIDGETS
    body = ast.parse(path.read_text()).body
    at_top = {name for node in body if isinstance(node, ast.Import | ast.ImportFrom) for name in imports(node)}
    is_inside = path.parent.name in NEURAL_ROOMS and path.name not in {"rows.py", "costs.py", "params.py"}
    assert not at_top & HEAVY or path.name.endswith("_engine.py") or is_inside, "heavy libraries load on first use"
    assert "importlib" not in found or str(path.relative_to(ROOT)) in LOOK_UP_BY_NAME


def test_lowest_layer_stays_small() -> None:
    """Modules of the lowest layer may use each other, but not in a circle."""
    graph = {name: imports(ast.parse((ROOT / f"{name}.py").read_text())) & LAYERS[-1] - {name} for name in LAYERS[-1]}
    while graph:
        free = [name for name, used in graph.items() if not used & set(graph)]
        assert free, f"circular imports among {sorted(graph)}"
        for name in free:
            del graph[name]
