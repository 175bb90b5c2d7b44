"""Signatures: published vectors, the public library, and invalid secrets."""

import base64
import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from generation.webhooks.signature import check_secret, new_secret, sign

BODY = '{"type":"job.succeeded","data":{"prompt":"雪山, naïve"}}'.encode()


@pytest.mark.parametrize(
    ("secret", "event_id", "timestamp", "body", "signature"),
    [
        pytest.param(
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1731705121,
            b'{"event_type":"ping","data":{"success":true}}',
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
            id="svix documentation",
        ),
        pytest.param(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            id="standard webhooks libraries",
        ),
    ],
)
def test_published_vectors(
    secret: str, event_id: str, timestamp: int, body: bytes, signature: str
) -> None:
    assert sign([secret], event_id, timestamp, body) == signature


def verified(secret: str, header: str, timestamp: int, event_id: str = "evt_1") -> object:
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": header,
    }
    return Webhook(secret).verify(BODY, headers)


def test_the_public_library_accepts_it() -> None:
    secret, now = new_secret(), int(time.time())
    assert verified(secret, sign([secret], "evt_1", now, BODY), now) == json.loads(BODY)


def test_during_a_rotation_either_secret_verifies_and_no_other() -> None:
    new, old, now = new_secret(), new_secret(), int(time.time())
    header = sign([new, old], "evt_1", now, BODY)
    assert [part.partition(",")[0] for part in header.split(" ")] == ["v1", "v1"]
    assert verified(new, header, now) == verified(old, header, now) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        verified(new_secret(), header, now)


def test_another_id_or_time_does_not_verify() -> None:
    secret, now = new_secret(), int(time.time())
    header = sign([secret], "evt_1", now, BODY)
    with pytest.raises(WebhookVerificationError):
        verified(secret, header, now + 1)
    with pytest.raises(WebhookVerificationError):
        verified(secret, header, now, event_id="evt_2")


def test_new_secrets_are_long_random_and_acceptable() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        check_secret(secret)
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def of_size(size: int) -> str:
    return "whsec_" + base64.b64encode(b"x" * size).decode()


@pytest.mark.parametrize("size", [24, 32, 64])
def test_permitted_sizes(size: int) -> None:
    check_secret(of_size(size))


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (of_size(23), "holds 23"),
        (of_size(65), "holds 65"),
        (of_size(32).removeprefix("whsec_"), "begins with 'whsec_'"),
        ("whsk_" + of_size(32).removeprefix("whsec_"), "begins with 'whsec_'"),
        ("whsec_", "make a new one"),
        (of_size(32).rstrip("="), "standard base64 with its padding"),
        ("whsec_not*base64*at*all*not*base64*at", "standard base64"),
        ("whsec_" + "é" * 40, "standard base64"),
        ("", "begins with 'whsec_'"),
    ],
)
def test_invalid_secrets_are_refused_without_being_quoted(secret: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        check_secret(secret)
    payload = secret.partition("_")[2]
    assert not payload or payload not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_nothing_is_signed_without_a_secret_or_with_an_ambiguous_id() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        sign([], "evt_1", 1, BODY)
    with pytest.raises(ValueError, match="no dot"):
        sign([new_secret()], "evt.1", 1, BODY)
    with pytest.raises(ValueError, match="base64"):
        sign([new_secret(), "whsec_?"], "evt_1", 1, BODY)
