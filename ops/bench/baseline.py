"""The baseline: the submit path without storing or publishing anything.

Same server, same route to the endpoint, same checks, same response. The difference to genq is the
cost of durability, of the message to the worker and of the Flower event.
"""

from collections.abc import Sequence
from datetime import datetime

import uvicorn

from api.app import Api, create_app
from api.jobs.admission import Admission
from generation import gc_tuning as garbage
from generation.job import Job
from generation.settings import Settings
from generation.store import IdempotencyKey, InsertResult


class NonStoringAdmission(Admission):
    """Accepts jobs and stores none."""

    async def store_and_announce(
        self, new: Sequence[Job], key: IdempotencyKey | None, now: datetime
    ) -> InsertResult:
        del key, now
        return InsertResult(new)


def baseline_app(settings: Settings) -> Api:
    app = create_app(settings)
    container = app.state.container
    container.admission = NonStoringAdmission(
        settings, container.store.jobs, container.reader, container.nudger, container.flower
    )
    return app


def serve(settings: Settings) -> None:
    application = baseline_app(settings)
    garbage.settle()
    uvicorn.run(
        application,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    serve(Settings())
