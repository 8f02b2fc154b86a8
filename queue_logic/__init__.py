"""One queue for every kind of job; knows no runner and no page.

job.py          Job, JobState, Order: what a job is
queue.py        JobQueue: the list that users edit; file.py keeps it in workspace/queue.json
owner.py        QueueLock: one process at a time runs the queue
runner.py       QueueRunner: starts jobs, follows them, enforces limits, recovers after a crash
events.py       what happens to jobs, for those who observe the runner
executor.py     the interface to whatever runs an order; messages.py is all that travels
job_log.py      JobLogs, JobLog: a log of its own for each job
local.py        LocalExecutor: a process of its own for each job; worker.py is what runs in it
inline.py       InlineExecutor: at once and in this process
process.py      who a process is, whether it is still there, how to end it
interactive.py  Interactive: what a user waits for, before the job on the same device
"""

from __future__ import annotations

from queue_logic.events import Event, Observer
from queue_logic.executor import Channel, Execution, Executor, Handler
from queue_logic.file import read_jobs
from queue_logic.inline import InlineExecutor
from queue_logic.interactive import Interactive
from queue_logic.job import Job, JobProgress, JobState, Needs, Order
from queue_logic.job_log import JobLog, JobLogs, Line, log_path
from queue_logic.local import LocalExecutor
from queue_logic.owner import Owner, QueueLock, current_owner
from queue_logic.process import ProcessRecord
from queue_logic.queue import JobQueue
from queue_logic.runner import Limits, QueueRunner

__all__ = [
    "Channel",
    "Event",
    "Execution",
    "Executor",
    "Handler",
    "InlineExecutor",
    "Interactive",
    "Job",
    "JobLog",
    "JobLogs",
    "JobProgress",
    "JobQueue",
    "JobState",
    "Limits",
    "Line",
    "LocalExecutor",
    "Needs",
    "Observer",
    "Order",
    "Owner",
    "ProcessRecord",
    "QueueLock",
    "QueueRunner",
    "current_owner",
    "log_path",
    "read_jobs",
]
