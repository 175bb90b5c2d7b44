"""
What every store must do with webhook endpoints, their secrets and their failures.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from generation.job import Webhook
from generation.store import Store, TooManyEndpoints, new_key
from generation.store.webhooks.delivery_log import LogFilters
from generation.webhooks.endpoint import RegisteredEndpoint
from generation.webhooks.health import EndpointHealth
from generation.webhooks.notices import endpoint_test_event
from generation.webhooks.secrets import OldSecret
from tests.unit.jobs import NOON, a_job
from tests.unit.webhooks.endpoints import an_endpoint

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def fresh(store: Store, endpoint: RegisteredEndpoint) -> RegisteredEndpoint:
    found = await store.endpoints.get(endpoint.id, endpoint.tenant)
    assert found is not None
    return found


async def test_an_endpoint_comes_back_as_it_was_put_in(store: Store) -> None:
    endpoint = an_endpoint(
        description="Ärzte & 画",
        events=("job.succeeded", "endpoint.disabled"),
        metadata={"customer": "42"},
        headers={"X-Key": "hunter2"},
        concurrency=3,
        rate=2.5,
        ordered=True,
        enabled=False,
        disabled_reason="410",
        disabled_at=NOON,
        old_secrets=(OldSecret("whsec_old", NOON + HOUR),),
        health=EndpointHealth(first_failure_at=NOON, failing_since=NOON + HOUR, alerted=70),
    )
    await store.endpoints.add(endpoint)
    assert await fresh(store, endpoint) == endpoint
    assert await store.endpoints.of_tenant("acme") == [endpoint]
    assert await store.endpoints.get(endpoint.id, "somebody else") is None
    assert await store.endpoints.of_tenant("somebody else") == []
    assert "hunter2" not in repr(endpoint)
    assert "whsec_" not in repr(endpoint)


async def test_a_change_meets_the_endpoint_as_it_is(store: Store) -> None:
    endpoint = an_endpoint(description="")
    await store.endpoints.add(endpoint)

    def longer(before: RegisteredEndpoint) -> RegisteredEndpoint:
        return replace(before, description=before.description + "x")

    await asyncio.gather(*(store.endpoints.change(endpoint.id, "acme", longer) for _ in range(20)))
    assert (await fresh(store, endpoint)).description == "x" * 20
    assert await store.endpoints.change(endpoint.id, "somebody else", longer) is None
    assert not await store.endpoints.delete(endpoint.id, "somebody else")
    assert await store.endpoints.delete(endpoint.id, "acme")
    assert not await store.endpoints.delete(endpoint.id, "acme")


async def test_there_are_so_many_for_a_tenant_and_no_more(store: Store) -> None:
    for _ in range(50):
        await store.endpoints.add(an_endpoint())
    with pytest.raises(TooManyEndpoints, match="50 endpoints"):
        await store.endpoints.add(an_endpoint())
    await store.endpoints.add(an_endpoint(tenant="somebody else"))


async def test_a_test_goes_to_one_endpoint_whatever_it_asked_for(store: Store) -> None:
    one, other = an_endpoint(events=("job.failed",)), an_endpoint()
    for endpoint in (one, other):
        await store.endpoints.add(endpoint)
    delivery = await store.endpoints.test(one, endpoint_test_event(one, NOON))
    assert (delivery.endpoint_id, delivery.job_id) == (one.id, None)
    (claimed,) = await store.deliveries.claim(NOON, 10, NOON + HOUR)
    assert claimed.delivery.body == delivery.body
    assert b'"type":"endpoint.test"' in delivery.body
    assert one.secret.encode() not in delivery.body


async def test_five_days_of_failures_disable_an_endpoint_and_that_is_told(store: Store) -> None:
    failing = an_endpoint()
    listening = an_endpoint()
    uninterested = an_endpoint(events=("job.failed",))
    for endpoint in (failing, listening, uninterested):
        await store.endpoints.add(endpoint)
    start = NOON + timedelta(hours=13)
    alerts: list[int] = []
    for at in (NOON, start, *(start + DAY * days / 10 for days in range(1, 51))):
        change = await store.endpoints.failed(failing, at)
        assert change is not None
        before, after = change
        if after.health.alerted != before.health.alerted:
            alerts.append(after.health.alerted)
    assert alerts == [50, 70, 90]
    ended = await fresh(store, failing)
    assert (ended.enabled, ended.disabled_at) == (False, start + 5 * DAY)
    assert "five days" in ended.disabled_reason
    assert await store.endpoints.failed(failing, start + 6 * DAY) is None
    assert not await store.endpoints.disable(failing, start + 6 * DAY, "again")

    told = await store.delivery_log.page("acme", LogFilters(), limit=10)
    assert [(each.endpoint_id, each.event_type) for each in told] == [
        (listening.id, "endpoint.disabled")
    ]
    await store.events.place()
    (event,) = await store.events.after("acme", 0, 10)
    assert (event.head.type, event.head.job_id) == ("endpoint.disabled", None)
    assert failing.id.encode() in event.body


async def test_one_success_and_nothing_is_remembered(store: Store) -> None:
    endpoint = an_endpoint()
    await store.endpoints.add(endpoint)
    await store.endpoints.failed(endpoint, NOON)
    assert (await fresh(store, endpoint)).health.first_failure_at == NOON
    await store.endpoints.succeeded(endpoint)
    assert await fresh(store, endpoint) == endpoint


async def test_the_webhook_secret_of_an_api_key_is_rotated(store: Store) -> None:
    key = await store.keys.add("acme", new_key(), "whsec_0", NOON)
    rotate = store.keys.rotate_webhook_secret
    assert await rotate(key.id, "whsec_1", NOON, DAY)
    assert await rotate(key.id, "whsec_2", NOON + HOUR, DAY)
    hook = Webhook(url="https://example.test/", events=("job.queued",))
    await store.jobs.insert(a_job(api_key_id=key.id, webhook=hook))
    for at, secrets in (
        (NOON + 2 * HOUR, ("whsec_2", "whsec_1", "whsec_0")),
        (NOON + DAY + HOUR / 2, ("whsec_2", "whsec_1")),
        (NOON + 2 * DAY, ("whsec_2",)),
    ):
        (claimed,) = await store.deliveries.claim(at, 10, at)
        assert claimed.secrets == secrets
    await store.keys.revoke(key.id, NOON)
    assert not await rotate(key.id, "whsec_3", NOON, DAY), "a revoked key stays as it is"
    assert not await rotate("key_none", "whsec_3", NOON, DAY)
