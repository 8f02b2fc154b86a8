"""What a session has to hand out, of both kinds: deliverables under the original file's name, and zips of them.

entries.py     Result: one deliverable
matting.py     those of matting sessions
tracking.py    those of tracking sessions
archive.py     a zip of several, made while it is sent
"""

from __future__ import annotations

from results.archive import zipped
from results.entries import Result

__all__ = ["Result", "zipped"]
