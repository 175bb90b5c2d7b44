"""The fields of Suno's endpoints, and the operation that a body asks for."""

from collections.abc import Callable, Mapping
from typing import Any

#: Whether a finished song, or a task, of this id exists.
Knows = Callable[[str], bool]

#: The operation for each value of `task` in a body.
_TASKS = {
    "extend": "extend",
    "upload_extend": "extend",
    "cover": "cover",
    "infill": "infill",
    "artist_consistency": "persona_music",
    "gen_stem": "stems",
}
#: The field with the song that an operation continues.
_SONGS = {
    "extend": "continue_clip_id",
    "cover": "cover_clip_id",
    "infill": "continue_clip_id",
    "stems": "continue_clip_id",
    "persona_music": "artist_clip_id",
    "concat": "clip_id",
}
_TEXTS = ("gpt_description_prompt", "prompt", "title", "tags", "style", "url")


def operation_of_songs(body: Mapping[str, Any]) -> str:
    """The operation that a body for songs asks for."""
    if named := _TASKS.get(str(body.get("task") or "")):
        return named
    if body.get("clip_id"):
        return "concat"
    return "extend" if body.get("continue_clip_id") else "music"


def prompt_of(body: Mapping[str, Any]) -> str:
    """All texts of a body; knobs may stand in any of them."""
    said = (body.get(name) for name in _TEXTS)
    return " ".join(each for each in said if isinstance(each, str) and each)


def complaint(operation: str, body: Mapping[str, Any], knows: Knows, *, by_task: bool) -> str:
    """The first error of a body; "" for a valid one. `by_task`: a song is named with its task."""
    if wrong := next((name for name in _TEXTS if not isinstance(body.get(name, ""), str)), ""):
        return f"json: cannot unmarshal into Go struct field .{wrong} of type string"
    if operation == "lyrics" and not body.get("prompt"):
        return "prompt_empty"
    if operation == "music" and not prompt_of(body):
        return "prompt_empty"
    if operation == "upload" and not body.get("url"):
        return "url is empty"
    if operation == "infill" and not _is_section(body):
        return "infill_start_s and infill_end_s are required"
    field = _SONGS.get(operation)
    return "" if field is None else _complaint_of_song(operation, field, body, knows, by_task)


def _complaint_of_song(
    operation: str, field: str, body: Mapping[str, Any], knows: Knows, by_task: bool
) -> str:
    song = body.get(field)
    if not isinstance(song, str) or not song:
        return f"{field} is empty"
    needs_task = operation == "extend" and by_task and body.get("task") != "upload_extend"
    if needs_task and not body.get("task_id"):
        return "task_id is empty"
    task = body.get("task_id")
    named = [song, *([str(task)] if task else [])]
    return "" if all(map(knows, named)) else "task_origin_not_exist"


def _is_section(body: Mapping[str, Any]) -> bool:
    start, end = body.get("infill_start_s"), body.get("infill_end_s")
    return isinstance(start, int | float) and isinstance(end, int | float) and start < end
