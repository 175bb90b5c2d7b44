"""OpenAI's form and Chat Open at the sandbox, asked by genq."""

from typing import Any

import httpx
import pytest

from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    QueueFull,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.contract.operation import Operation, Order
from generation.contract.reply import Reply
from generation.contract.status import AssetType, Failed, Succeeded
from generation.providers import find
from generation.providers.openai import OPERATIONS
from generation.stations.station import Dialect
from ops.sandbox.handle import SandboxHandle

RELAY, CHATOPEN = "openai.relay", "openai.chatopen"
KEYS = {
    RELAY: {"authorization": "Bearer sk-tests"},
    CHATOPEN: {
        "x-request-req-accesskeyid": "sk-tests",
        "x-request-req-accesskeysecret": "secret",
    },
}
PICTURE = "https://images.test.invalid/cat.png"

every_operation = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda each: f"{each.dialect}:{each.name}"
)
every_dialect = pytest.mark.parametrize("dialect", KEYS)


def openai(name: str, dialect: str = RELAY) -> Operation[Any]:
    operation = find("openai", name, dialect)
    assert operation is not None
    return operation


def submit(
    client: httpx.Client,
    operation: Operation[Any],
    fields: dict[str, Any],
    key: dict[str, str] | None = None,
) -> Any:
    request = operation.request.model_validate(fields)
    call = operation.build_submit(request, Order("job-1"))
    path = Dialect(dialect=operation.dialect).path(call.path, submit=True)
    headers = KEYS[operation.dialect] | (key or {})
    answer = client.request(call.method, path, json=call.json, headers=headers)
    reply = Reply(answer.status_code, answer.content, dict(answer.headers))
    return operation.parse_submit(reply)


@every_operation
def test_every_example_is_answered_at_once(
    operation: Operation[Any], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = submit(client, operation, dict(operation.example))
    assert isinstance(answer, Succeeded)
    [made] = sandbox.tasks()
    assert (made["operation"], sandbox.paid(made["id"])) == (operation.name, 1)
    if operation.name == "chat":
        assert answer.assets == ()
        assert "1 picture(s) seen. You said: " in answer.texts[0]
        return
    [asset] = answer.assets
    assert (asset.type, asset.role) == (AssetType.IMAGE, "result")
    served = client.get(asset.url)
    assert (served.status_code, served.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", ["chat", "image_by_chat"])
def test_a_stream_and_a_whole_answer_are_the_same(
    name: str, stream: bool, client: httpx.Client
) -> None:
    prompt = "画一只猫" if name == "image_by_chat" else "What is a lighthouse for?"
    answer = submit(client, openai(name), {"prompt": prompt, "stream": stream})
    assert isinstance(answer, Succeeded)
    assert prompt in answer.texts[0]
    assert len(answer.assets) == (name == "image_by_chat")
    assert answer.details["finish_reason"] == "stop"
    assert answer.details["usage"]["total_tokens"] == 2 * len(prompt)


def test_pictures_are_seen_in_both_forms(client: httpx.Client) -> None:
    for model in ("gpt-4o", "gpt-4o-all"):
        fields = {"model": model, "prompt": "And these?", "images": [PICTURE, f"{PICTURE}?2"]}
        assert submit(client, openai("chat"), fields).texts[0].startswith("2 picture(s) seen.")


def test_a_tool_is_called(client: httpx.Client) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": dict[str, Any]()}}
    fields = {"prompt": "Will it rain?", "tools": [tool], "tool_choice": "required"}
    for stream in (True, False):
        answer = submit(client, openai("chat"), {**fields, "stream": stream})
        [call] = answer.details["tool_calls"]
        assert call["function"] == {"name": "weather", "arguments": "{}"}
        assert '"name": "weather"' in answer.texts[0]


@every_dialect
@pytest.mark.parametrize(
    ("knob", "outcome"),
    [
        ("throttle", (Throttled, ErrorCode.RATE_LIMITED)),
        ("queue-full", (QueueFull, ErrorCode.QUEUE_FULL)),
        ("auth", (AccountBlocked, ErrorCode.AUTH)),
        ("no-credit", (AccountBlocked, ErrorCode.OUT_OF_CREDITS)),
        ("moderated", (Rejected, ErrorCode.MODERATED)),
        ("invalid", (Rejected, ErrorCode.INVALID_REQUEST)),
        ("html", (Rejected, ErrorCode.UNSUPPORTED)),
        ("bad-gateway", (InDoubt, ErrorCode.IN_DOUBT)),
        ("no-id", (UnrecognizedReply, ErrorCode.BAD_RESPONSE)),
    ],
)
def test_every_refusal_is_understood(
    dialect: str,
    knob: str,
    outcome: tuple[type[Fault], ErrorCode],
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    kind, code = outcome
    with pytest.raises(kind) as raised:
        submit(client, openai("chat", dialect), {"prompt": f"a boat [{knob}]"})
    assert raised.value.code is code
    charged = knob in ("bad-gateway", "no-id")
    assert sandbox.stats()["paid_submits"] == charged


@every_dialect
def test_a_wrong_key_and_an_empty_account_are_told_apart(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(no_credit_keys=["poor"], blocked_keys=["blocked"])
    name = next(iter(KEYS[dialect]))
    scheme = "Bearer " if dialect == RELAY else ""
    for key, code in (("poor", ErrorCode.OUT_OF_CREDITS), ("blocked", ErrorCode.AUTH)):
        with pytest.raises(AccountBlocked) as raised:
            submit(client, openai("chat", dialect), {"prompt": "hi"}, {name: scheme + key})
        assert raised.value.code is code


def test_a_secret_is_needed_beside_the_access_key(client: httpx.Client) -> None:
    with pytest.raises(AccountBlocked):
        submit(
            client,
            openai("chat", CHATOPEN),
            {"prompt": "hi"},
            {"x-request-req-accesskeysecret": ""},
        )


@every_operation
@pytest.mark.parametrize(
    ("knob", "code"),
    [
        ("moderated-late", ErrorCode.MODERATED),
        ("fail=no paint left", ErrorCode.UPSTREAM_FAILED),
        ("no-url", ErrorCode.ASSET_MISSING),
    ],
)
def test_every_failure_is_understood(
    operation: Operation[Any], knob: str, code: ErrorCode, client: httpx.Client
) -> None:
    fields = {**operation.example, "prompt": f"画一只猫 [{knob}]"}
    try:
        answer = submit(client, operation, fields)
    except Fault as fault:
        answer = fault
    if operation.dialect == CHATOPEN and operation.name == "chat" and knob == "no-url":
        assert isinstance(answer, UnrecognizedReply)  # an envelope without an answer
    elif operation.dialect == CHATOPEN and knob == "moderated-late":
        assert isinstance(answer, Rejected)
        assert answer.code is code
    else:
        assert isinstance(answer, Failed)
        assert answer.code is code
        assert "paint" not in knob or "no paint left" in answer.message
