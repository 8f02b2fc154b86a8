"""What every kind of session shares: a folder with a state, a lock, saves that are merged, a folder of such folders."""

from __future__ import annotations

from session_base.disk import set_aside, sizes, tree_bytes
from session_base.lock import busy
from session_base.merge import Mergeable
from session_base.records import SIDECAR, Delivered, EngineChoice, RunRecord, digest, sidecar_path
from session_base.session import StoredSession
from session_base.store import SessionFolders, checked_name, new_id, safe_name

__all__ = [
    "SIDECAR",
    "Delivered",
    "EngineChoice",
    "Mergeable",
    "RunRecord",
    "SessionFolders",
    "StoredSession",
    "busy",
    "checked_name",
    "digest",
    "new_id",
    "safe_name",
    "set_aside",
    "sidecar_path",
    "sizes",
    "tree_bytes",
]
