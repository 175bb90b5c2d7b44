"""Metrics: values, access, and what they must not contain."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from generation.access.permissions import Access, Scope
from generation.contract.errors import AccountBlocked, ErrorCode
from generation.contract.errors import Scope as RefusalScope
from generation.job import Billed, Job, JobState
from generation.lifecycle import enter_wait_queue
from generation.stations.key_health import KeyHealth, RetryWaits
from generation.stations.key_updates import after_answer
from tests.api.serving import ORDER, Caller, Served
from tests.api.test_refused_orders import problem
from tests.services.waiting import wait_for
from tests.unit.jobs import a_submit, at

LABELS = ("state", "station", "key", "table")
PATIENCE = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))


def reading(watcher: Caller) -> dict[tuple[str, ...], float]:
    """Return the samples by name and label values."""
    answer = watcher.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {
        (
            sample.name,
            *(sample.labels[name] for name in LABELS if name in sample.labels),
        ): sample.value
        for family in families
        for sample in family.samples
    }


def bought(job: Job) -> Job:
    sent = job.move(
        JobState.SUBMITTING, at().now, station="relay", key="main", billed=Billed.UNKNOWN
    )
    return sent.move(JobState.RUNNING, at().now, upstream_id="up_1", billed=Billed.YES)


def test_metrics_count_what_happened(served_on_both: Served) -> None:
    caller = served_on_both.caller()
    watcher = served_on_both.caller(access=Access(scopes=frozenset({Scope.METRICS})))
    jobs = [caller.order()["id"] for _ in range(3)]
    caller.change(jobs[0], bought)
    caller.post(f"/v1/jobs/{jobs[1]}/cancel")
    figures = reading(watcher)
    assert figures["genq_upstream_submits_total",] == 1
    assert figures["genq_jobs_submitted_total",] == 1
    assert figures["genq_jobs", "queued"] == 1
    assert figures["genq_jobs", "running"] == 1
    assert figures["genq_jobs_ended_total", "canceled"] == 1
    assert figures["genq_key_in_use", "relay", "main"] == 1
    assert figures["genq_key_blocked", "relay", "main"] == 0
    assert 0 < figures["genq_queue_oldest_seconds",] < 60
    assert figures["genq_deliveries_due",] == 0


def test_metrics_name_no_tenant_job_or_secret(served: Served) -> None:
    caller, watcher = served.caller("a-tenant-with-a-name"), served.admin()
    job_id = caller.order(metadata={"customer": "4711"})["id"]
    text = watcher.get("/metrics").text
    for secret in ("a-tenant-with-a-name", job_id, "4711", caller.key, "paper boat"):
        assert secret not in text


def test_metrics_need_the_metrics_scope(caller: Caller) -> None:
    assert problem(caller.get("/metrics"), 403, "insufficient_scope")
    anybody = caller.api.http.get("/metrics")
    assert problem(anybody, 401, "unauthenticated")


def blocked(account: KeyHealth) -> KeyHealth:
    refused = AccountBlocked("balance is 0", code=ErrorCode.OUT_OF_CREDITS)
    return after_answer(account, refused, a_submit(), datetime.now(UTC), PATIENCE)


def test_a_key_out_of_credit_is_reported_and_the_api_stays_ready(served: Served) -> None:
    served.in_store(lambda store: store.accounts.change(("relay", "main"), blocked))
    answer = served.http.get("/readyz")
    assert answer.status_code == 200
    check = answer.json()["checks"]["keys"]
    assert (check["ok"], check["required"]) == (False, False)
    assert "station relay refuses key main (out_of_credits)" in check["detail"]
    assert reading(served.admin())["genq_key_blocked", "relay", "main"] == 1
    served.in_store(lambda store: store.accounts.change(("proxy", "main"), blocked))
    assert served.http.get("/readyz").status_code == 503, "nothing can be bought at all"


def test_a_job_shows_its_queue_position(caller_on_both: Caller) -> None:
    caller = caller_on_both
    usual, urgent = caller.order()["id"], caller.order(priority=7)["id"]
    for job_id in (usual, urgent):
        caller.change(job_id, lambda job: enter_wait_queue(job, "relay/main", "it is full", at()))
    shown = {job_id: caller.get(f"/v1/jobs/{job_id}").json() for job_id in (usual, urgent)}
    assert (shown[urgent]["position"], shown[usual]["position"]) == (1, 2)
    assert (shown[urgent]["priority"], shown[usual]["priority"]) == (7, 0)
    assert shown[usual]["reason"] == "it is full"
    before = caller.get(f"/v1/jobs/{usual}").headers["etag"]
    caller.api.in_store(lambda store: store.accounts.change(("relay", "main"), blocked))
    now = caller.get(f"/v1/jobs/{usual}", headers={"if-none-match": before})
    assert now.status_code == 200
    assert "key main at station relay is blocked" in now.json()["reason"]
    caller.api.in_store(
        lambda store: store.accounts.change(
            ("relay", "main"), lambda _: KeyHealth.of(("relay", "main"))
        )
    )
    for priority in (11, -11, "7", 1.5, None):
        answer = caller.post("/v1/jobs", ORDER | {"priority": priority})
        found = problem(answer, 422, "invalid_request")
        assert found["errors"][0]["pointer"] == "#/priority"


def unmodelled(account: KeyHealth) -> KeyHealth:
    """Return the key after one model was refused for two jobs."""
    refused = AccountBlocked("verify your organization", scope=RefusalScope.MODEL)
    now = datetime.now(UTC)
    for job_id in ("job_1", "job_2"):
        sent = replace(a_submit(job_id, "v9"), at=now)
        account = after_answer(account, refused, sent, now, PATIENCE)
    return replace(account, look_after=now + timedelta(minutes=4))


def test_limitations_of_a_key_are_reported_and_the_api_stays_ready(served: Served) -> None:
    for name in (("relay", "main"), ("proxy", "main")):
        served.in_store(lambda store, name=name: store.accounts.change(name, unmodelled))
    answer = served.http.get("/readyz")
    assert answer.status_code == 200
    detail = answer.json()["checks"]["keys"]["detail"]
    assert "station relay refuses key main for one model of kling (auth)" in detail
    assert "station relay refuses to be asked about tasks of key main until" in detail
    text = served.admin().get("/metrics").text
    assert 'genq_key_model_blocked{code="auth",key="main",model="kling/v9",station="relay"}' in text
    assert reading(served.admin())["genq_key_looks_paused", "relay", "main"] == 1
    assert reading(served.admin())["genq_key_blocked", "relay", "main"] == 0


def running_at(station: str) -> Callable[[Job], Job]:
    def run(job: Job) -> Job:
        where = {"station": station, "key": "main", "dialect": "kling.relay"}
        sent = job.move(JobState.SUBMITTING, at().now, **where)
        return sent.move(JobState.RUNNING, at().now, upstream_id="up_1")

    return run


def test_a_job_that_cannot_be_polled_says_why(caller_on_both: Caller) -> None:
    caller = caller_on_both
    here, gone = caller.order()["id"], caller.order()["id"]
    caller.change(here, running_at("relay"))
    caller.change(gone, running_at("sold"))
    reason = "station 'sold' is not in the settings; put it back to go on"
    assert caller.get(f"/v1/jobs/{gone}").json()["reason"] == reason
    assert caller.get(f"/v1/jobs/{gone}/explain").json()["waits_because"] == reason
    caller.api.in_store(lambda store: store.accounts.change(("relay", "main"), unmodelled))
    paused = "station relay refuses to be asked with key main until"

    def shown() -> bool:
        return caller.get(f"/v1/jobs/{here}").json()["reason"].startswith(paused)

    wait_for(shown, timedelta(seconds=20), "the pause to be shown")
