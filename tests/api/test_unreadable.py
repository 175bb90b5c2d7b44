"""What callers and operators are told of a row that cannot be read."""

from sqlalchemy import update

from generation.store import Store
from generation.store.schema import jobs
from ops.cli.check.services import row_findings
from tests.api.serving import ORDER, Served
from tests.api.system.test_metrics import reading
from tests.api.test_refused_orders import problem


def test_one_job_that_cannot_be_read(served_on_both: Served) -> None:
    served, caller = served_on_both, served_on_both.caller()
    keyed = {"Idempotency-Key": "once"}
    poison = caller.request("POST", "/v1/jobs", json=ORDER, headers=keyed).json()["id"]
    well = caller.order()["id"]

    async def damage(store: Store) -> None:
        async with store.database.writing() as connection:
            change = update(jobs).where(jobs.c.id == poison)
            await connection.execute(change.values(state="paused"))

    served.in_store(damage)
    assert [job["id"] for job in caller.get("/v1/jobs").json()["data"]] == [well]
    for answer in (
        caller.get(f"/v1/jobs/{poison}"),
        caller.get(f"/v1/jobs/{poison}/explain"),
        caller.post(f"/v1/jobs/{poison}/cancel"),
        caller.request("POST", "/v1/jobs", json=ORDER, headers=keyed),
    ):
        told = problem(answer, 500, "unreadable")
        assert poison in told["detail"]
        assert "genq check" in told["detail"]
    stranger = served.caller()
    for path in (f"/v1/jobs/{poison}", f"/v1/jobs/{poison}/explain"):
        problem(stranger.get(path), 404, "not_found")
    assert caller.get(f"/v1/jobs/{well}").status_code == 200
    events = caller.get("/v1/events").json()["data"]
    assert {event["data"]["id"] for event in events} == {well}
    assert served.http.get("/problems/unreadable").status_code == 200

    ready = served.http.get("/readyz")
    assert ready.status_code == 200, "it holds up nothing else"
    assert ready.json()["checks"]["rows"]["ok"] is False
    assert "1 of jobs" in ready.json()["checks"]["rows"]["detail"]
    assert reading(served.admin())["genq_unreadable_rows", "jobs"] == 1
    (finding,) = served.in_store(row_findings)
    assert finding.level == "problem"
    assert poison in finding.message
