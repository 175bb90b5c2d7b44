"""`/healthz`, `/readyz` and `/metrics`: for load balancers, people on call and Prometheus."""

from datetime import UTC, datetime
from typing import ClassVar, Literal

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from api.auth.dependencies import MetricsReader
from api.dependencies import InContainer
from api.http.openapi import response
from api.http.responses import NOT_KEPT, json_answer
from api.http.schemas import Document
from api.routing import new_router
from api.system.broker_metrics import read_broker
from api.system.health import CheckResult, optional
from api.system.metrics import StoreCollector
from generation.store import figures

METRICS_EXAMPLE = """\
# HELP genq_upstream_submits_total Submits that were accepted upstream, or may have been.
# TYPE genq_upstream_submits_total counter
genq_upstream_submits_total 1204.0
"""
AWAY = CheckResult(False, "The database does not answer in time.")

router = new_router("Health")


class Alive(Document):
    """This process answers."""

    EXAMPLE: ClassVar[object] = {"ok": True}

    ok: Literal[True]


class Check(Document):
    """The result of one check."""

    ok: bool
    required: bool = Field(description="Whether its failure makes the response a 503.")
    detail: str


class Readiness(Document):
    """Jobs are accepted."""

    EXAMPLE: ClassVar[object] = {
        "ready": True,
        "degraded": [],
        "checks": {"broker": optional(True, "The broker answers.").document()},
    }

    ready: bool
    degraded: list[str] = Field(description="Failed checks that are not required.")
    checks: dict[str, Check]


@router.get("/healthz", response_model=Alive)
async def get_health() -> Response:
    """Check that the process is alive.

    Independent of the database and the broker; see `/readyz`.
    """
    return json_answer({"ok": True})


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=response(
        503,
        "Jobs cannot be accepted.",
        model=Readiness,
        example={"ready": False, "degraded": [], "checks": {"store": AWAY.document()}},
    ),
)
async def get_readiness(container: InContainer) -> Response:
    """Check that jobs can be accepted.

    Checks the database, its schema, the broker, the workers and the stations, for two seconds at
    most. Each check says in a sentence what is wrong and what to do. Jobs are accepted and stored
    without a broker and without workers: those checks are not required, and `degraded` names them.
    """
    checks = await container.readiness.run()
    ready = all(check.ok for check in checks.values() if check.required)
    document = {
        "ready": ready,
        "degraded": [name for name, each in checks.items() if not each.ok and not each.required],
        "checks": {name: check.document() for name, check in checks.items()},
    }
    return json_answer(document, 200 if ready else 503, NOT_KEPT)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "The metrics.",
            "content": {"text/plain": {"example": METRICS_EXAMPLE}},
        }
    },
)
async def get_metrics(_: MetricsReader, container: InContainer) -> Response:
    """Get the metrics of the deployment.

    In Prometheus's text format, read from the database, so that every process returns the same.
    `genq_upstream_submits_total / genq_jobs_submitted_total` is the number of paid submits per job.
    """
    now = datetime.now(UTC)
    keys = {(station.name, key.name): key for station in container.stations for key in station.keys}
    found = await figures(container.store.database, keys, now)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(found, keys, now))
    registry.register(await read_broker(container.nudger))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=NOT_KEPT)
