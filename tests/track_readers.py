"""Readers of what the exports write, each from the format's description and none from the code that writes it."""

from __future__ import annotations

import re
from typing import Any

Rows = dict[int, tuple[float, float]]
Named = list[tuple[str, Rows]]


def ae_blocks(text: str) -> tuple[dict[str, str], dict[str, list[list[str]]]]:
    """Return the header and {block's title: rows of cells} of After Effects keyframe data."""
    lines = text.split("\n")
    assert lines[0] == "Adobe After Effects 8.0 Keyframe Data"
    assert lines[-2:] == ["End of Keyframe Data", ""]
    header: dict[str, str] = {}
    blocks: dict[str, list[list[str]]] = {}
    title = ""
    for line in lines[1:-2]:
        if line.startswith("\t"):
            cells = line.split("\t")[1:]
            if title:
                blocks[title].append(cells)
            else:
                header[cells[0]] = cells[1]
        elif line:
            title = line
            blocks[title] = []
    return header, blocks


def ae_values(rows: list[list[str]]) -> dict[int, tuple[float, ...]]:
    return {int(row[0]): tuple(map(float, row[1:])) for row in rows[1:]}


def tcl(text: str) -> list[Any]:
    """Read Tcl's lists: braces nest, quotes hold text, the rest are words."""
    position = 0

    def read(closing: bool) -> list[Any]:
        nonlocal position
        items: list[Any] = []
        while position < len(text):
            character = text[position]
            if character.isspace():
                position += 1
            elif character == "{":
                position += 1
                items.append(read(True))
            elif character == "}":
                assert closing, "a brace too many"
                position += 1
                return items
            elif character == '"':
                end = text.index('"', position + 1)
                items.append(text[position + 1 : end])
                position = end + 1
            else:
                word = re.compile(r'[^\s{}"]+').match(text, position)
                assert word
                items.append(word[0])
                position = word.end()
        assert not closing, "a brace is missing"
        return items

    return read(False)


def nuke_curve(words: list[str]) -> dict[int, float]:
    """Read a curve: x<frame> sets the frame, and the distance of the last two is the step to the next value."""
    assert words[0] == "curve"
    keys: dict[int, float] = {}
    frame, step, fresh, last = 0, 1, False, 0
    for word in words[1:]:
        if word == "K":
            continue
        if word.startswith("x"):
            frame, fresh = int(word[1:]), True
            continue
        if fresh:
            step = frame - last if keys else 1
            fresh = False
        else:
            frame += step
        keys[frame] = float(word)
        last = frame
    return keys


def nuke_nodes(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (class, {knob: value}) of every node."""
    items = tcl(text[text.index("push $cut_paste_input") :].replace("push $cut_paste_input", ""))
    nodes = []
    for kind, body in zip(items[::2], items[1::2], strict=True):
        nodes.append((kind, dict(zip(body[::2], body[1::2], strict=True))))
    return nodes


class Lua:
    """A table of Lua as Fusion writes it: constructors before braces are dropped, `ordered() {` too."""

    TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*(?:\.\w+)?)|([{}\[\]=,()]))')

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            found = self.TOKEN.match(text, at)
            assert found, text[at : at + 40]
            self.tokens.append(found[0].strip())
            at = found.end()
        self.at = 0

    def take(self, expected: str = "") -> str:
        token = self.tokens[self.at]
        assert not expected or token == expected, (token, expected)
        self.at += 1
        return token

    def value(self) -> Any:
        token = self.take()
        if token.startswith('"'):
            return re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1])) if m[1].isdigit() else m[1], token[1:-1])
        if re.match(r"-?\d", token):
            return float(token)
        if token == "{":
            return self.table()
        if token in {"true", "false"}:
            return token == "true"
        if self.tokens[self.at] == "(":
            self.take("(")
            self.take(")")
        self.take("{")
        return {"": token, **self.table()}

    def table(self) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        while self.tokens[self.at] != "}":
            key: Any = len([name for name in result if isinstance(name, int)]) + 1
            if self.tokens[self.at] == "[":
                self.take("[")
                key = (int(self.take()),)
                self.take("]")
                self.take("=")
            elif self.tokens[self.at + 1] == "=":
                key = self.take()
                self.take("=")
            assert key not in result, f"{key} twice"
            result[key] = self.value()
            if self.tokens[self.at] == ",":
                self.take(",")
        self.take("}")
        return result


def fusion_tools(text: str) -> dict[str, Any]:
    reader = Lua(text)
    tools: dict[str, Any] = reader.value()["Tools"]
    assert reader.at == len(reader.tokens)
    return tools


def fusion_path(tools: dict[str, Any], name: str) -> Rows:
    """Return {frame: (x, y)} of an XYPath, in Fusion's own units."""
    assert tools[name][""] == "XYPath"
    axes = []
    for axis in "XY":
        spline = tools[tools[name]["Inputs"][axis]["SourceOp"]]
        assert all(key["Flags"] == {"Linear": True} for key in spline["KeyFrames"].values())
        axes.append({frame: key[1] for (frame,), key in spline["KeyFrames"].items()})
    return {frame: (axes[0][frame], axes[1][frame]) for frame in axes[0]}


def shake(text: str) -> Named:
    tracks: Named = []
    for line in text.split("\n"):
        if line.startswith("TrackName "):
            tracks.append((line.split(" ", 1)[1], {}))
        elif line.strip() and not line.startswith("   Frame"):
            frame, x, y, _ = line.split()
            tracks[-1][1][int(float(frame))] = (float(x), float(y))
    return tracks


def equalizer(text: str) -> Named:
    lines = iter(text.split("\n"))
    tracks: Named = []
    for _ in range(int(next(lines))):
        name = next(lines)
        assert next(lines) == "0"
        rows = [next(lines).split() for _ in range(int(next(lines)))]
        tracks.append((name, {int(frame): (float(x), float(y)) for frame, x, y in rows}))
    assert list(lines) == [""]
    return tracks


def pftrack(text: str) -> Named:
    assert text.count("\n") == text.count("\r\n")
    lines = iter(text.split("\r\n"))
    tracks: Named = []
    for line in lines:
        if not line:
            continue
        name = re.fullmatch(r'"([^"]*)"', line)
        assert name, line
        assert next(lines) == "1"
        rows = [next(lines).split() for _ in range(int(next(lines)))]
        tracks.append((name[1], {int(frame): (float(x), float(y)) for frame, x, y, _ in rows}))
    return tracks


def syntheyes(text: str) -> tuple[Named, dict[tuple[str, int], int]]:
    tracks: Named = []
    codes = {}
    for line in text.split("\n")[:-1]:
        name, frame, u, v, code = line.split(" ")
        if not tracks or tracks[-1][0] != name:
            tracks.append((name, {}))
        tracks[-1][1][int(frame)] = (float(u), float(v))
        codes[name, int(frame)] = int(code)
    return tracks, codes
