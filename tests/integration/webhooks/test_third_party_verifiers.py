"""Sent webhooks are verified by the libraries that receivers use.

Those of Standard Webhooks, Svix, OpenAI and Replicate, in Python and in JavaScript.
"""

import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from openai import OpenAI
from replicate.webhook import Webhooks, WebhookSigningSecret

from generation.webhooks.asymmetric import SigningKey, new_signing_key
from generation.webhooks.signature import new_secret
from tests.integration.webhooks.conftest import MakeSender, delivery
from tests.integration.webhooks.receiver import answering, receiver
from tests.services.node import node_with

NODE = ("standardwebhooks@1.1.1", "svix@2.5.0", "openai@7.57.0", "replicate@1.4.0")
BODY = '{"type":"job.succeeded","data":{"prompt":"雪山, naïve </script>"},"id":"evt_1"}'.encode()
#: A moment beyond what receivers tolerate.
TOO_FAR = timedelta(seconds=301)

Send = Callable[[datetime], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True)
class Case:
    """A request as a receiver may get it, and whether it is to believe it."""

    headers: Mapping[str, str]
    body: str
    secret: str
    good: bool = False


@pytest.fixture
async def cases(make_sender: MakeSender) -> dict[str, Case]:
    """One delivery as it came from the sender, and everything that can be wrong with it."""
    new, old = new_secret(), new_secret()
    sender = make_sender(keys=[SigningKey(new_signing_key())])

    async def sent(at: datetime) -> dict[str, str]:
        async with receiver(answering()) as there:
            await sender.send(delivery(there.url, body=BODY), [new, old], at)
        (request,) = there.requests
        assert request.body == BODY
        assert len(request.headers["webhook-signature"].split(" ")) == 3
        return request.headers

    now = datetime.now(UTC)
    fresh, body = await sent(now), BODY.decode()
    found = {
        "as it was sent": Case(fresh, body, new, good=True),
        "during a rotation": Case(fresh, body, old, good=True),
        "too old": Case(await sent(now - TOO_FAR), body, new),
        # A second on top, for the clock goes on while this is sent and verified.
        "too early": Case(await sent(now + TOO_FAR + timedelta(seconds=30)), body, new),
        "a byte changed": Case(fresh, body.replace("naïve", "naive"), new),
        "another id": Case(fresh | {"webhook-id": "evt_2"}, body, new),
        "another time": Case(
            fresh | {"webhook-timestamp": str(int(fresh["webhook-timestamp"]) + 1)}, body, new
        ),
        "another secret": Case(fresh, body, new_secret()),
    }
    for header in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        rest = {name: value for name, value in fresh.items() if name != header}
        found[f"without {header}"] = Case(rest, body, new)
    return found


def by_standardwebhooks(case: Case) -> None:
    verified = standardwebhooks.Webhook(case.secret).verify(case.body, dict(case.headers))
    assert verified == json.loads(BODY)


def by_svix(case: Case) -> None:
    svix.webhooks.Webhook(case.secret).verify(case.body, dict(case.headers))


def by_openai(case: Case) -> None:
    client = OpenAI(api_key="none")
    client.webhooks.verify_signature(case.body, case.headers, secret=case.secret)
    event: Any = client.webhooks.unwrap(case.body, case.headers, secret=case.secret)
    assert event.id == "evt_1"


def by_replicate(case: Case) -> None:
    Webhooks.validate(
        headers=dict(case.headers),
        body=case.body,
        secret=WebhookSigningSecret(key=case.secret),
        tolerance=300,
    )


PYTHON = [by_standardwebhooks, by_svix, by_openai, by_replicate]


@pytest.mark.parametrize("verify", PYTHON)
def test_python(cases: dict[str, Case], verify: Callable[[Case], None]) -> None:
    for name, case in cases.items():
        if case.good:
            verify(case)
            continue
        with pytest.raises(Exception) as refusal:
            verify(case)
        assert not isinstance(refusal.value, AssertionError), f"{name} was believed"


SCRIPT = """
import { readFileSync } from "node:fs";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";
import OpenAI from "openai";
import { validateWebhook } from "replicate";

const openai = new OpenAI({ apiKey: "none" });
const recent = (c) => Math.abs(Date.now() / 1000 - c.headers["webhook-timestamp"]) <= 300;
const verifiers = {
  standardwebhooks: async (c) => { new Standard(c.secret).verify(c.body, c.headers); return true; },
  svix: async (c) => { new Svix(c.secret).verify(c.body, c.headers); return true; },
  openai: async (c) => {
    await openai.webhooks.verifySignature(c.body, c.headers, c.secret);
    return (await openai.webhooks.unwrap(c.body, c.headers, c.secret)).id === "evt_1";
  },
  // Leaves the time to its caller.
  replicate: async (c) => recent(c) && await validateWebhook({
    id: c.headers["webhook-id"],
    timestamp: c.headers["webhook-timestamp"],
    signature: c.headers["webhook-signature"],
    body: c.body,
    secret: c.secret,
  }),
};
const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
const believed = {};
for (const [library, verify] of Object.entries(verifiers)) {
  believed[library] = {};
  for (const [name, one] of Object.entries(cases)) {
    believed[library][name] = await verify(one).catch(() => false);
  }
}
console.log(JSON.stringify(believed));
"""


def test_javascript(cases: dict[str, Case], tmp_path: Any) -> None:
    node = node_with(*NODE)
    file = tmp_path / "cases.json"
    file.write_text(
        json.dumps(
            {
                name: {"headers": dict(case.headers), "body": case.body, "secret": case.secret}
                for name, case in cases.items()
            }
        )
    )
    believed = json.loads(node.run(SCRIPT, str(file)))
    expected = {name: case.good for name, case in cases.items()}
    for library in ("standardwebhooks", "svix", "openai", "replicate"):
        assert believed[library] == expected, library


async def test_a_key_pair_signs_besides_the_secrets(make_sender: MakeSender) -> None:
    key, secret = SigningKey(new_signing_key()), new_secret()
    async with receiver(answering()) as there:
        sender = make_sender(keys=[key])
        await sender.send(delivery(there.url, body=BODY), [secret], datetime.now(UTC))
    (request,) = there.requests
    symmetric, asymmetric = request.headers["webhook-signature"].split(" ")
    assert symmetric.startswith("v1,")
    public = Ed25519PublicKey.from_public_bytes(base64_of(key.public.removeprefix("whpk_")))
    signed = f"evt_1.{request.headers['webhook-timestamp']}.".encode() + request.body
    signature = base64_of(asymmetric.removeprefix("v1a,"))
    public.verify(signature, signed)
    with pytest.raises(InvalidSignature):
        public.verify(signature, signed + b" ")


def base64_of(text: str) -> bytes:
    return binascii.a2b_base64(text)
