"""A job's message as Celery's worker holds it."""

from typing import Any, cast

import structlog
from celery.worker.request import Request
from celery.worker.state import revoked

log = structlog.get_logger(__name__)

#: Ids that Celery's `revoke` command has named to this process.
revoked_ids = cast(Any, revoked)
ADVICE = "cancel the job instead: genq cancel JOB, or POST /v1/jobs/JOB/cancel"


class JobRequest(Request):
    """A request that is served even if its id was revoked.

    A job's task has the job's id, so Celery would discard every message of the job for hours, and
    the job would stay queued without a reason. Jobs are canceled through the API, which stores the
    cancellation in the row.
    """

    def revoked(self) -> bool:
        if self.id in revoked_ids:
            revoked_ids.discard(self.id)
            log.warning("revoke_ignored", job_id=self.id, advice=ADVICE)
        return False

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """`revoke --terminate`: a submit in progress may be paid for, so it is not interrupted."""
        del pool, signal
        log.warning("terminate_ignored", job_id=self.id, advice=ADVICE)
