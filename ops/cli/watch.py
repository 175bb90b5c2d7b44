"""Asking about several jobs until each has ended: gently, and in no order but theirs."""

import heapq
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import quote

from generation.job import TERMINAL
from ops.cli.client import PATIENCE, Answer, Api, Document
from ops.cli.ending import Stop
from ops.cli.pacing import next_question

#: An API that is away, for a restart perhaps, is waited for as well.
PATIENCE_WHILE_WAITING = timedelta(seconds=60)


def job_path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


class Watch:
    """Jobs that are waited for, for at most `timeout` seconds; each answer is given to `show`."""

    def __init__(
        self,
        api: Api,
        job_ids: Sequence[str],
        timeout: float | None,
        show: Callable[[Document], None],
    ) -> None:
        self._api = api
        self._job_ids = tuple(dict.fromkeys(job_ids))
        self._show = show
        self._began = time.monotonic()
        self._until = None if timeout is None else self._began + timeout

    def until_ended(self) -> dict[str, Document]:
        """The jobs that ended in time, by id, in the order in which they were named."""
        ended: dict[str, Document] = {}
        due = [(self._began, job_id) for job_id in self._job_ids]
        while due:
            at, job_id = heapq.heappop(due)
            time.sleep(max(0, at - time.monotonic()))
            answer = self._ask(job_id)
            self._show(answer.document)
            now = time.monotonic()
            if answer.document["state"] in TERMINAL:
                ended[job_id] = answer.document
            elif self._until is None or now < self._until:
                at = now + next_question(now - self._began, answer.retry_after)
                # When time is up each is asked about once more.
                heapq.heappush(due, (at if self._until is None else min(at, self._until), job_id))
        return {job_id: ended[job_id] for job_id in self._job_ids if job_id in ended}

    def _ask(self, job_id: str) -> Answer:
        try:
            return self._api.get(job_path(job_id), patience=self._patience())
        except Stop as stop:
            raise Stop(f"{job_id}: {stop}", stop.code) from None

    def _patience(self) -> timedelta:
        if self._until is None:
            return PATIENCE_WHILE_WAITING
        left = timedelta(seconds=max(0, self._until - time.monotonic()))
        return max(PATIENCE, min(left, PATIENCE_WHILE_WAITING))
