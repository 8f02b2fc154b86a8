"""Whoever runs the queue tells of it: logs, notices in Feishu, metrics.

watch.py        Watch: all observers of the queue's runner, for the app and for run-queue
notices.py      Notices: cards about jobs, sent in the background and kept whether they were
kept.py         what was sent and what was not: workspace/notices.json
facts.py        a job -> what its card says
thumbnail.py    a session -> a small JPEG of it
links.py        where a session's page is reached from other machines
metrics.py      Metrics: what Prometheus reads
health.py       Health: whether the app can work
"""

from __future__ import annotations

from app_logic.watch.watch import Watch

__all__ = ["Watch"]
