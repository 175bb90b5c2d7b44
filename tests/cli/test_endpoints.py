"""Webhook endpoints and deliveries on the command line and in Python, against a real API."""

from datetime import UTC, datetime, timedelta

import genq
import pytest

from ops.cli.exit_codes import ExitCode
from tests.cli.conftest import KEY, Deployment
from tests.cli.script import Genq

HOOK = "https://hooks.example.com/genq"


@pytest.fixture
def caller(deployment: Deployment) -> Genq:
    return deployment.caller


def test_an_endpoint_from_creation_to_deletion(caller: Genq) -> None:
    made = caller(
        *("endpoints", "create", HOOK, "--event", "job.failed", "--metadata", "shop=one"),
        *("--header", "X-Token=a=b", "--rate", "2.5", "--ordered", "--description", "the till"),
    )
    assert made.code == ExitCode.OK, made.err
    assert "whsec_" in made.out
    assert "is shown only once" in made.err
    (listed,) = caller("endpoints", "list", "--json").json
    assert listed["url"] == HOOK
    assert (listed["events"], listed["metadata"]) == (["job.failed"], {"shop": "one"})
    assert (listed["rate"], listed["ordered"]) == (2.5, True)
    endpoint_id = listed["id"]

    rotated = caller("endpoints", "rotate-secret", endpoint_id, "--overlap", "1h", "--json")
    assert rotated.json["secret"].startswith("whsec_")

    changed = caller("endpoints", "set", endpoint_id, "--to", HOOK + "/2", "--unordered", "--json")
    assert (changed.json["url"], changed.json["ordered"]) == (HOOK + "/2", False)
    assert changed.json["events"] == ["job.failed"]
    nothing = caller("endpoints", "set", endpoint_id)
    assert (nothing.code, "no field to change" in nothing.sentence) == (ExitCode.USAGE, True)

    sent = caller("endpoints", "test", endpoint_id)
    delivery_id = sent.out.split()[0]
    assert delivery_id.startswith("dlv_")
    assert delivery_id in caller("deliveries", "list", "--endpoint", endpoint_id).out
    assert caller("deliveries", "resend", delivery_id, "--json").json["id"] == delivery_id
    assert "endpoint.test" in caller("deliveries", "get", delivery_id).out

    assert "disabled by its owner" in caller("endpoints", "disable", endpoint_id).out
    refused = caller("endpoints", "recover", endpoint_id, "--since", "1h")
    assert (refused.code, "disabled" in refused.sentence) == (ExitCode.REFUSED, True)
    assert "enabled" in caller("endpoints", "enable", endpoint_id).out
    for again in ("recover", "replay"):
        answer = caller("endpoints", again, endpoint_id, "--since", "1m", "--json")
        assert answer.json["queued"] >= 0, answer.err
    assert "the till" in caller("endpoints", "get", endpoint_id).out
    assert caller("endpoints", "delete", endpoint_id).out == f"deleted {endpoint_id}\n"
    assert "there are no endpoints yet" in caller("endpoints", "list").out


def test_an_invalid_endpoint_is_rejected_with_advice(caller: Genq) -> None:
    answer = caller("endpoints", "create", "http://127.0.0.1/", "--event", "job.exploded")
    assert (answer.code, answer.out) == (ExitCode.REFUSED, "")
    assert "must be one of" in answer.sentence
    wrong = caller("endpoints", "replay", "whe_1", "--since", "yesterday")
    assert (wrong.code, wrong.sentence) == (
        ExitCode.USAGE,
        "genq: --since must be a time such as 10m, 2h, 1d, 2026-01-31T12:00:00Z",
    )


async def test_python_clients_manage_endpoints(deployment: Deployment) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    with genq.Client(deployment.api_url, KEY) as client:
        made = client.endpoints.create(HOOK, events=("job.failed",), metadata={"nobody": "has"})
        assert (made.events, made.enabled) == (("job.failed",), True)
        assert made.secret is not None
        assert made.secret not in repr(made)
        assert client.endpoints.get(made.id).secret is None
        assert client.endpoints.replay(made.id, since) == 0
        tested = client.endpoints.test(made.id)
        found = list(client.endpoints.deliveries(limit=1, endpoint=made.id))
        assert [each["id"] for each in found] == [tested["id"]]
    async with genq.AsyncClient(deployment.api_url, KEY) as client:
        rotated = await client.endpoints.rotate_secret(made.id, "1h")
        assert rotated.secret not in {None, made.secret}
        assert [each.id for each in await client.endpoints.list()] == [made.id]
        assert await client.endpoints.cancel_pending(made.id) <= 1
        disabled = await client.endpoints.change(made.id, enabled=False)
        assert disabled.disabled_reason == "disabled by its owner"
        with pytest.raises(genq.Refused, match="disabled"):
            await client.endpoints.recover(made.id, since)
        assert (await client.endpoints.stats(made.id))["endpoint"] == made.id
        found = [each async for each in client.endpoints.deliveries(endpoint=made.id)]
        assert [each["id"] for each in found] == [tested["id"]]
        await client.endpoints.delete(made.id)
        with pytest.raises(genq.NotFound):
            await client.endpoints.get(made.id)
