"""Findings of `genq check` about keys: blocked, not pollable, missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from generation.contract.errors import AccountBlocked, Scope
from generation.job import JobState
from generation.stations.key_health import KeyHealth, RetryWaits
from generation.stations.key_updates import after_answer
from generation.store import Store
from ops.cli.check.finding import Level
from ops.cli.check.keys import key_findings
from tests.unit.jobs import a_job, a_submit

PATIENCE = RetryWaits(timedelta(seconds=5), timedelta(seconds=300))
MAIN = ("relay", "main")


def in_trouble(account: KeyHealth) -> KeyHealth:
    now = datetime.now(UTC)
    for job_id in ("job_1", "job_2"):
        sent = replace(a_submit(job_id, "v9"), at=now)
        fault = AccountBlocked("verify your organization", scope=Scope.MODEL)
        account = after_answer(account, fault, sent, now, PATIENCE)
    return replace(account, look_after=now + timedelta(minutes=4))


async def test_blocked_unpollable_and_missing_keys_are_reported(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    try:
        await store.accounts.change(MAIN, in_trouble)
        for number, station in enumerate(("relay", "sold", "sold")):
            running = a_job(JobState.RUNNING, station=station, key="main", upstream_id=f"t{number}")
            await store.jobs.insert(running)
        held, unwatched, gone = await key_findings(store, [MAIN])
    finally:
        await store.close()
    assert {each.subject for each in (held, unwatched)} == {"key relay/main"}
    assert {each.level for each in (held, unwatched)} == {Level.WARNING}
    assert "blocked for kling/v9 since" in held.message
    assert "verify your organization" in held.message
    assert "cannot be polled before" in unwatched.message
    assert (gone.subject, gone.level) == ("key sold/main", Level.PROBLEM)
    assert gone.message.startswith("2 unfinished jobs belong to it")
