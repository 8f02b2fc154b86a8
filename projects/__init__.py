"""Project files: a session of either kind as one file, to go on with on another machine or in a newer version.

manifest.py    what a project file says of itself: versions, source, engines with weights, every member with its hash
contents.py    which files of a session go into it, and the state without what only this machine needs
engines.py     facts of engines and weights, and how this machine's differ from them
exporting.py   the file, made while it is sent or written
reading.py     ProjectFile: opens one without trusting it
checks.py      what a state from elsewhere must keep to: names that become paths, frames, numbers
pictures.py    the same for masks, arrays and the source, once they are here
importing.py   a new session of one: all of it, or nothing; placing.py its results

<name>.splazproject is a zip whose members are stored, not packed:

session/state.json, session/meta.json    as in the session's folder, and so are masks/, alpha/ and raw_*.npy
session/source.*                         the video, unless the file only refers to it
results/<format>/<file>                  deliverables, where they were asked for
sidecars/<format>.json                   how they were made
project.json                             Manifest, the last member
"""

from __future__ import annotations

from projects.exporting import Export, Wanted, file_name, plan_export, write_export
from projects.importing import Imported, Shown, import_project, show_project
from projects.manifest import SUFFIX, Manifest
from projects.reading import ProjectFile

__all__ = [
    "SUFFIX",
    "Export",
    "Imported",
    "Manifest",
    "ProjectFile",
    "Shown",
    "Wanted",
    "file_name",
    "import_project",
    "plan_export",
    "show_project",
    "write_export",
]
