"""Polls several jobs until each has ended."""

import heapq
import time
from collections.abc import Callable, Sequence

from genq import Client, GenqError, Job
from genq.job import Document
from genq.poll_interval import poll_pause

from ops.cli.connection import cli_error
from ops.cli.exit_codes import CliError


class JobWatcher:
    """Waits for jobs for at most `timeout` seconds; calls `show` with each response."""

    def __init__(
        self,
        client: Client,
        job_ids: Sequence[str],
        timeout: float | None,
        show: Callable[[Document], None],
    ) -> None:
        self._client = client
        self._job_ids = tuple(dict.fromkeys(job_ids))
        self._show = show
        #: The last response about each job.
        self.latest: dict[str, Document] = {}
        self._began = time.monotonic()
        self._until = None if timeout is None else self._began + timeout

    def until_ended(self) -> dict[str, Document]:
        """Return the jobs that ended in time, by id, in the given order."""
        ended: dict[str, Document] = {}
        due = [(self._began, job_id) for job_id in self._job_ids]
        while due:
            at, job_id = heapq.heappop(due)
            time.sleep(max(0, at - time.monotonic()))
            job = self._get(job_id)
            self._show(job.document)
            self.latest[job_id] = job.document
            now = time.monotonic()
            if job.ended:
                ended[job_id] = job.document
            elif self._until is None or now < self._until:
                at = now + poll_pause(now - self._began, job.retry_after)
                # Poll each job a last time when the timeout passes.
                heapq.heappush(due, (at if self._until is None else min(at, self._until), job_id))
        return {job_id: ended[job_id] for job_id in self._job_ids if job_id in ended}

    def _get(self, job_id: str) -> Job:
        try:
            return self._client.get(job_id)
        except GenqError as error:
            stop = cli_error(error, self._client.url)
            raise CliError(f"{job_id}: {stop}", stop.code) from None
