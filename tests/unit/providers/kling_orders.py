"""Kling's orders as tests name them, with pictures that are real."""

from typing import Any

from pydantic import ValidationError

from generation.contract.call import Call
from generation.contract.operation import Operation, Order, Parent
from generation.contract.status import Asset, AssetType, Succeeded
from generation.providers import find

JOB_ID = "job_01JZ8Q4W7Y6T5R4E3W2Q1A0S9D"
PICTURE = "https://cdn.test.invalid/a.png"
VIDEO = "https://cdn.test.invalid/v.mp4"
SOUND = "https://cdn.test.invalid/s.mp3"


def operation(name: str, dialect: str = "kling.v1") -> Operation[Any]:
    found = find("kling", name, dialect)
    assert found is not None, f"{dialect} has no {name}"
    return found


def submitted(
    name: str,
    fields: dict[str, Any],
    *,
    dialect: str = "kling.v1",
    parent: Parent | None = None,
    callback_url: str | None = None,
) -> Call:
    """The call that an order makes."""
    spoken = operation(name, dialect)
    request = spoken.request.model_validate(fields)
    return spoken.build_submit(request, Order(JOB_ID, callback_url, parent=parent))


def complaints(name: str, fields: dict[str, Any], dialect: str = "kling.v1") -> dict[str, str]:
    """Message by path of the field at fault; empty where the request is fine."""
    try:
        operation(name, dialect).request.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


def parent(
    name: str,
    *assets: Asset,
    details: dict[str, Any] | None = None,
    given: dict[str, Any] | None = None,
) -> Parent:
    """A finished job to follow."""
    return Parent(name, "task-1", {}, given or {}, Succeeded(assets, details=details or {}))


def video(upstream_id: str | None, role: str = "result") -> Asset:
    return Asset(type=AssetType.VIDEO, url=VIDEO, role=role, upstream_id=upstream_id)


def sound(upstream_id: str | None) -> Asset:
    return Asset(type=AssetType.AUDIO, url=SOUND, upstream_id=upstream_id)
