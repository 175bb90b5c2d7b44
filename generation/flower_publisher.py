"""
Jobs as rows in Flower, told by whoever moves them: the news go to the broker with the messages to
workers. A thread of their own would hold the interpreter's lock against those who take orders.
"""

import os
from datetime import datetime
from typing import Any, cast

from celery import Celery
from celery.utils.time import utcoffset

from generation.flower_events import row_event
from generation.job import Job
from generation.queue import Nudger


class Rows:
    """One process's news of jobs for Flower. Lives on the nudger's loop."""

    def __init__(self, nudger: Nudger, app: Celery, hostname: str) -> None:
        self._nudger = nudger
        self._clock = cast(Any, app).clock
        #: In every event, as Celery's workers put it.
        self._sender = {"hostname": hostname, "pid": os.getpid()}

    def show(self, job: Job, now: datetime) -> None:
        """Show where the job stands now. Never waits and never fails."""
        event = row_event(job, now)
        if event is None:
            return
        kind, fields = event
        fields |= self._sender
        fields["type"] = kind
        fields["utcoffset"] = utcoffset()
        fields["timestamp"] = now.timestamp()
        fields["clock"] = self._clock.forward()
        self._nudger.publish(fields)
