"""Files that appear whole or not at all, also where a reader is in the way for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

import atomic


@pytest.mark.parametrize(("refusals", "allowed", "written"), [(3, 50, True), (3, 2, False), (1, 0, False)])
def test_a_rename_that_a_reader_refuses_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, allowed: int, written: bool
) -> None:
    """As Windows does; there a few tries are allowed, elsewhere a refusal means what it says."""
    target = tmp_path / "queue.json"
    target.write_text("old")
    rename, left = Path.replace, [refusals]

    def refuse(path: Path, other: Path) -> Path:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "is open", str(other))
        return rename(path, other)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(atomic, "_REFUSALS", allowed)
    monkeypatch.setattr(atomic, "_PAUSE", 0)
    if written:
        atomic.write_bytes(target, b"new")
    else:
        with pytest.raises(PermissionError):
            atomic.write_bytes(target, b"new")
    assert target.read_text() == ("new" if written else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["queue.json"]
