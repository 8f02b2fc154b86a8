"""What the table of formats says about one: plain data, importable without numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FormatSpec:
    """One row of the table of formats.

    Attributes:
        name: as on the command line.
        title: as in menus.
        file_name: the deliverable's name inside a session.
        target: 'module:function' that opens a writer, imported on first use.
        help: one or two lines for whoever chooses.
        folder: whether it is a folder of numbered files.
        foreground: whether it carries colours, so that frames need a foreground.
        alpha: whether it carries alpha.
        audio: whether it carries sound.
        premultiplied: its convention, where it carries colours; None where the question makes no sense.
    """

    name: str
    title: str
    file_name: str
    target: str
    help: str
    folder: bool = False
    foreground: bool = True
    alpha: bool = True
    audio: bool = False
    premultiplied: bool | None = False
