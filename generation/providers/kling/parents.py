"""What a follow-up takes from the job it follows: ids the vendor gave to its files and sessions.

The caller may name such an id instead. Where neither does, or both and they differ, the order is
`Rejected` before anything is sent.
"""

from collections.abc import Iterable

from generation.contract.errors import Rejected
from generation.contract.operation import Parent
from generation.contract.status import AssetType
from generation.providers.kit import json_reader as wire


def video_id(given: str | None, parent: Parent | None, field: str = "video_id") -> str:
    """The vendor's id of the video to work on."""
    return _chosen(given, parent, _file_ids(parent, AssetType.VIDEO), field, "Kling video id")


def audio_id(given: str | None, parent: Parent | None, field: str = "audio_id") -> str:
    """The vendor's id of the sound to use."""
    return _chosen(given, parent, _file_ids(parent, AssetType.AUDIO), field, "Kling audio id")


def session_id(given: str | None, parent: Parent | None) -> str:
    """The session that an earlier call opened."""
    return _chosen(given, parent, _facts(parent, "session_id"), "session_id", "session")


def voice_id(parent: Parent | None) -> str:
    """The voice that the parent made."""
    return _made(parent, _entries(parent, "voices", "voice_id"), "voice")


def element_id(parent: Parent | None) -> str:
    """The element that the parent made."""
    return _made(parent, _entries(parent, "elements", "element_id"), "element")


def face_ids(parent: Parent | None) -> list[str]:
    """The faces that the parent found."""
    return _entries(parent, "faces", "face_id")


def _chosen(
    given: str | None, parent: Parent | None, offered: list[str], field: str, what: str
) -> str:
    if parent is None:
        if given is None:
            raise Rejected(f"{field}: no {what} is given, and no parent that has one")
        return given
    if not offered:
        raise Rejected(f"parent: the {parent.operation} job holds no {what}")
    if given is None:
        return offered[0]
    if given not in offered:
        raise Rejected(f"{field}: {given} is not the parent's; leave {field} or the parent out")
    return given


def _made(parent: Parent | None, offered: list[str], what: str) -> str:
    if parent is None:
        raise Rejected(f"parent: name the job that made the {what}")
    return _chosen(None, parent, offered, "parent", what)


def _file_ids(parent: Parent | None, medium: AssetType) -> list[str]:
    """What was ordered comes before its copies and by-products."""
    if parent is None:
        return []
    files = [asset for asset in parent.result.assets if asset.type is medium]
    files.sort(key=lambda asset: asset.role != "result")
    return [asset.upstream_id for asset in files if asset.upstream_id]


def _facts(parent: Parent | None, name: str) -> list[str]:
    return _texts([parent.result.details.get(name)]) if parent else []


def _entries(parent: Parent | None, names: str, name: str) -> list[str]:
    entries = parent.result.details.get(names) if parent else None
    if not isinstance(entries, list):
        return []
    return _texts(entry.get(name) for entry in wire.mappings(entries))


def _texts(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]
