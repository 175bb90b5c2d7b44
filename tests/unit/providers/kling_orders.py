"""Kling's orders as tests name them, with pictures that are real."""

import base64
import struct
import zlib
from typing import Any

from pydantic import ValidationError

from generation.call import Call
from generation.operation import Operation, Order, Parent
from generation.providers import find
from generation.status import Asset, AssetType, Succeeded

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


def png(width: int, height: int, extra: int = 0) -> bytes:
    """A whole black picture, and `extra` bytes of nothing."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"zzZz", bytes(extra)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def jpeg(width: int, height: int) -> bytes:
    """The beginning of a JPEG: a comment, fill bytes, a restart mark, and a progressive frame."""
    comment = b"\xff\xfe\x00\x04hi"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + comment + b"\xff\xff\xff\xd0" + frame + b"\xff\xda\x00\x02"


def packed(content: bytes) -> str:
    return base64.b64encode(content).decode()
