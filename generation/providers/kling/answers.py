"""Calls that are answered with their result instead of a task: faces and sessions, cut-outs, lists.

Each reader takes the `data` of an answer that does not complain and gives its result, or None where
`data` has another shape; then it may be a task after all. A reader raises `Rejected` where `data`
says that nothing came of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from generation.contract.errors import Rejected
from generation.contract.status import Asset, AssetType, Succeeded
from generation.providers.kit import json_reader as wire
from generation.providers.kling.library import shelved
from generation.providers.kling.results import billing_in, files_of, voice_samples

Reader = Callable[[Any], Succeeded | None]

#: A number that is not 0. A word would be a task's.
_REFUSAL = re.compile(r"-?0*[1-9][0-9]{0,9}")

_FACTS_OF_A_VIDEO = ("fps", "original_duration", "width", "height", "total_frame")

#: More of a mask than this is a picture of it, and not for a record.
_LONGEST_MASK = 20_000


def faces(data: Any) -> Succeeded | None:
    """`identify_face`: a session, and a picture of each face with the times at which it is seen."""
    found = wire.mapping(data)
    session_id = wire.identifier(found.get("session_id"))
    if not session_id or not isinstance(found.get("face_data"), list):
        return None
    entries = [
        entry for entry in wire.mappings(found.get("face_data")) if wire.text(entry.get("face_id"))
    ]
    described = [
        {
            "face_id": wire.text(entry.get("face_id")),
            "start_time": wire.number_text(entry.get("start_time")),
            "end_time": wire.number_text(entry.get("end_time")),
        }
        for entry in entries
    ]
    return Succeeded(
        tuple(asset for entry in entries for asset in _face(entry)),
        (f"session {session_id}: {len(entries)} face(s)",),
        details={"session_id": session_id, "faces": described, **billing_in([found])},
        upstream_id=session_id,
    )


def selection(data: Any) -> Succeeded | None:
    """A session to change a video in, after each call in it: what is selected, and how it looks.

    Raises `Rejected` where the video or the selection was refused (`status` is not 0).
    """
    found = wire.mapping(data)
    session_id = wire.identifier(found.get("session_id"))
    code = wire.number_text(found.get("status"))
    if ("session_id" in found or "res" in found) and _REFUSAL.fullmatch(code):
        raise Rejected(
            f"the video or the selection was refused with status {code}", upstream_code=code
        )
    if not session_id:
        return None
    result = wire.mapping(found.get("res"))
    facts = {
        name: said for name in _FACTS_OF_A_VIDEO if (said := wire.number_text(found.get(name)))
    }
    frame = wire.number_text(result.get("frame_index"))
    masks = [_mask(entry) for entry in wire.mappings(result.get("rle_mask_list"))]
    details = {"session_id": session_id, **facts, **billing_in([found])}
    text = f"session {session_id}"
    if frame:
        details |= {"frame_index": frame, "masks": masks}
        text += f": {len(masks)} selected in frame {frame}"
    return Succeeded(
        tuple(_session_files(found, result)), (text,), details=details, upstream_id=session_id
    )


def cut_outs(data: Any) -> Succeeded | None:
    """`image_recognize`: each kind of thing it found, cut out; the kind is the asset's role."""
    found = wire.mapping(data)
    entries = wire.mappings(wire.mapping(found.get("task_result")).get("images"))
    if not entries or not all(wire.text(entry.get("type")) for entry in entries):
        return None
    seen = [entry for entry in entries if entry.get("is_contain") is not False]
    kinds = [wire.text(entry.get("type")) for entry in seen]
    return Succeeded(
        tuple(asset for entry in seen for asset in _cut_out(entry)),
        (f"found {', '.join(kinds)}" if kinds else "found nothing",),
        details={"found": kinds, **billing_in([found])},
        upstream_id=wire.first_identifier(found, "task_id") or None,
    )


def voices(data: Any) -> Succeeded | None:
    """`preset_voices`: a page of the vendor's voices with their samples."""
    return _page(data, "voices", "voice_id")


def elements(data: Any) -> Succeeded | None:
    """`preset_elements`: a page of the vendor's elements."""
    return _page(data, "elements", "element_id")


def _page(data: Any, name: str, id_name: str) -> Succeeded | None:
    if not isinstance(data, list):
        return None
    entries = [
        entry
        for listed in wire.mappings(cast(Any, data))
        for entry in _listed(listed, name, id_name)
    ]
    if not entries and data:
        return None
    shelf = shelved({name: entries})
    samples = tuple(sample for entry in entries for sample in voice_samples(entry))
    return Succeeded(samples, (f"{len(entries)} {name}", *shelf.texts), details=shelf.details)


def _listed(listed: Mapping[str, Any], name: str, id_name: str) -> Iterator[Mapping[str, Any]]:
    """Entries come bare, or as the results of the tasks that made them."""
    made = wire.mappings(wire.mapping(listed.get("task_result")).get(name))
    for entry in made or (listed,):
        if wire.identifier(entry.get(id_name)):
            yield entry


def _face(entry: Mapping[str, Any]) -> Iterator[Asset]:
    if url := wire.url(entry.get("face_image")):
        yield Asset(
            type=AssetType.IMAGE, url=url, role="face", upstream_id=wire.text(entry.get("face_id"))
        )


def _cut_out(entry: Mapping[str, Any]) -> Iterator[Asset]:
    role = wire.text(entry.get("type"))[:40]
    for file in files_of(entry, AssetType.IMAGE):
        yield Asset(type=file.type, url=file.url, role=role, expires_at=file.expires_at)


def _session_files(found: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[Asset]:
    files = (
        (found.get("normalized_video"), AssetType.VIDEO, "normalized"),
        (result.get("video"), AssetType.VIDEO, "preview"),
        (result.get("video_cover"), AssetType.IMAGE, "cover"),
        (result.get("tracking_output"), AssetType.FILE, "mask"),
    )
    for value, medium, role in files:
        if url := wire.url(value):
            yield Asset(type=medium, url=url, role=role)


def _mask(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Which object, and where: run lengths, as the vendor codes them."""
    mask = wire.mapping(entry.get("rle_mask"))
    counts = wire.text(mask.get("counts"))
    size: Any = mask.get("size")
    sides = cast(list[Any], size)[:2] if isinstance(size, list) else []
    return {
        "object_id": wire.number_text(entry.get("object_id")),
        "size": [wire.number_text(side) for side in sides],
        "counts": counts if len(counts) <= _LONGEST_MASK else "",
    }
