"""What a session has to hand out, of both kinds: deliverables under the original file's name, and zips of them.

entries.py     Result: one deliverable
matting.py     those of matting sessions
tracking.py    those of tracking sessions
several.py     those of several sessions of any kind, and the choice of some
archive.py     a zip of results, made while it is sent
sessions.py    a session of whichever kind, with what it has delivered
cloud.py       what is sent to the cloud, and the links to what is up
uploaded.py    what is up, handed out or not, and that deleted again
upload_job.py  that as a job of the queue
"""

from __future__ import annotations

from results.archive import bundled, zipped
from results.entries import Result

__all__ = ["Result", "bundled", "zipped"]
