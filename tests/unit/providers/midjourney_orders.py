"""Midjourney's orders as tests make them: which request, after which parent, and what is sent."""

from collections.abc import Mapping
from typing import Any

from generation.contract.call import Call
from generation.contract.operation import Operation, Order, Parent
from generation.contract.reply import Reply
from generation.contract.status import Action, Asset, Succeeded
from generation.providers import find
from tests.pictures import JPEG, PNG

JOB = "01JZ8Q4W7Y6T5R4E3W2Q1A0S9D"
CALLBACK = "https://genq.test.invalid/callbacks/token"
URL = "https://files.test.invalid/a.png"
PNG_URI = f"data:image/png;base64,{PNG}"
JPEG_URI = f"data:image/jpeg;base64,{JPEG}"
SUBMIT_KEYS = {"state": JOB, "notifyHook": CALLBACK}


def operation(name: str, dialect: str = "midjourney.proxy") -> Operation[Any]:
    found = find("midjourney", name, dialect)
    assert found is not None
    return found


def parent(*actions: Action, assets: tuple[Asset, ...] = (), **details: Any) -> Parent:
    return Parent(
        operation="imagine",
        upstream_id="17",
        details={},
        input={},
        result=Succeeded(assets, ("x",), actions, details),
    )


def built(
    name: str,
    fields: Mapping[str, Any],
    followed: Parent | None = None,
    dialect: str = "midjourney.proxy",
) -> Call:
    ordered = operation(name, dialect)
    request = ordered.request.model_validate(fields)
    # The stored request is validated again before it is sent.
    stored = request.model_dump(mode="json", exclude_unset=True)
    assert ordered.request.model_validate(stored) == request
    return ordered.build_submit(request, Order(JOB, CALLBACK, parent=followed))


def body(name: str, fields: Mapping[str, Any], followed: Parent | None = None) -> dict[str, Any]:
    """What is sent beside what every task carries."""
    sent = dict(built(name, fields, followed).json or {})
    assert {each: sent.pop(each) for each in SUBMIT_KEYS} == SUBMIT_KEYS
    return sent


def reply(text: str) -> Reply:
    return Reply(200, text.encode())
