"""Publishes the moves of jobs to Flower."""

import os
from datetime import datetime

from celery import Celery

from generation.celery_messages import EventStamp
from generation.flower_events import job_event
from generation.job import Job
from generation.queue import Nudger


class FlowerPublisher:
    """Publishes from one process, through the nudger and on its event loop.

    Events go with the nudger's messages: a thread for them, as in Celery, would compete for the
    interpreter's lock with the requests of the API.
    """

    def __init__(self, nudger: Nudger, app: Celery, hostname: str) -> None:
        self._nudger = nudger
        self._stamp = EventStamp(app, hostname, os.getpid())

    def show(self, job: Job, now: datetime) -> None:
        """Show the job's state in Flower. Never blocks and never fails."""
        if (event := job_event(job, now)) is not None:
            self._nudger.publish(self._stamp.stamped(*event, now))
