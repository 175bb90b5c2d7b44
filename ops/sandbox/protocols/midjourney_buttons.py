"""The buttons of a finished Midjourney task, and the task that each of them creates."""

import re
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from ops.sandbox.protocols.midjourney_work import Makes, MidjourneyWork, Wants, texts_of, work_of
from ops.sandbox.tasks import SandboxTask

#: Label, emoji, and the custom id, in which `{job}` stands for the job's own id.
Row = tuple[str, str, str]

_PICKS: tuple[Row, ...] = tuple(
    (f"U{n}", "", f"MJ::JOB::video_virtual_upscale::{n}::{{job}}") for n in range(1, 5)
)
_REROLL: Row = ("", "🔄", "MJ::JOB::reroll::0::{job}::SOLO")
_ROWS: dict[Makes, tuple[Row, ...]] = {
    Makes.GRID: (
        *((f"U{n}", "", f"MJ::JOB::upsample::{n}::{{job}}") for n in range(1, 5)),
        _REROLL,
        *((f"V{n}", "", f"MJ::JOB::variation::{n}::{{job}}") for n in range(1, 5)),
    ),
    Makes.PICTURE: (
        ("Upscale (Subtle)", "", "MJ::JOB::upsample_v7_2x_subtle::1::{job}::SOLO"),
        ("Upscale (Creative)", "", "MJ::JOB::upsample_v7_2x_creative::1::{job}::SOLO"),
        ("Vary (Subtle)", "🪄", "MJ::JOB::low_variation::1::{job}::SOLO"),
        ("Vary (Strong)", "🪄", "MJ::JOB::high_variation::1::{job}::SOLO"),
        ("Vary (Region)", "🖌️", "MJ::Inpaint::1::{job}::SOLO"),
        ("Zoom Out 2x", "🔍", "MJ::Outpaint::50::1::{job}::SOLO"),
        ("Zoom Out 1.5x", "🔍", "MJ::Outpaint::75::1::{job}::SOLO"),
        ("Custom Zoom", "🔍", "MJ::CustomZoom::{job}"),
        ("", "⬅️", "MJ::JOB::pan_left::1::{job}::SOLO"),
        ("", "➡️", "MJ::JOB::pan_right::1::{job}::SOLO"),
        ("", "⬆️", "MJ::JOB::pan_up::1::{job}::SOLO"),
        ("", "⬇️", "MJ::JOB::pan_down::1::{job}::SOLO"),
        ("Animate (High motion)", "", "MJ::JOB::animate_high::1::{job}::SOLO"),
        ("Animate (Low motion)", "", "MJ::JOB::animate_low::1::{job}::SOLO"),
        ("", "❤️", "MJ::BOOKMARK::{job}"),
    ),
    Makes.DESCRIPTION: (
        *(("", f"{n}️⃣", f"MJ::Job::PicReader::{n}") for n in range(1, 5)),
        ("", "🔄", "MJ::Picread::Retry"),
    ),
    Makes.SHORTER: tuple(("", f"{n}️⃣", f"MJ::Job::PromptAnalyzer::{n}") for n in range(1, 4)),
    Makes.PREVIEWS: (*_PICKS, _REROLL),
    Makes.VIDEO: (
        ("Extend (High)", "", "MJ::JOB::animate_high_extend::1::{job}"),
        ("Extend (Low)", "", "MJ::JOB::animate_low_extend::1::{job}"),
    ),
}


class ButtonPress(NamedTuple):
    """The effect of a button."""

    work: MidjourneyWork
    #: The input it waits for if the request asks for remix.
    in_remix: Wants
    #: The prompt of the new task.
    prompt: str
    #: Whether relays know the button.
    relayed: bool
    #: Whether it only marks its parent and creates no task.
    marks: bool


class _Rule(NamedTuple):
    action: str
    makes: Makes
    wants: Wants = Wants.NOTHING
    in_remix: Wants = Wants.NOTHING
    relayed: bool = True
    marks: bool = False


_REMIX = Wants.PROMPT
_RULES: tuple[tuple[re.Pattern[str], _Rule], ...] = tuple(
    (re.compile(f"MJ::{pattern}"), rule)
    for pattern, rule in (
        (r"JOB::upsample", _Rule("UPSCALE", Makes.PICTURE)),
        (r"JOB::variation::", _Rule("VARIATION", Makes.GRID, in_remix=_REMIX)),
        (r"JOB::high_variation::", _Rule("HIGH_VARIATION", Makes.GRID, in_remix=_REMIX)),
        (r"JOB::low_variation::", _Rule("LOW_VARIATION", Makes.GRID, in_remix=_REMIX)),
        (r"JOB::reroll::", _Rule("REROLL", Makes.GRID, in_remix=_REMIX)),
        (r"Inpaint::", _Rule("INPAINT", Makes.GRID, Wants.MASK)),
        (r"Outpaint::", _Rule("ZOOM", Makes.GRID)),
        (r"CustomZoom::", _Rule("CUSTOM_ZOOM", Makes.GRID, Wants.ZOOM)),
        (r"JOB::pan_", _Rule("PAN", Makes.GRID, in_remix=_REMIX)),
        (r"JOB::video_virtual_upscale::", _Rule("UPSCALE", Makes.VIDEO, relayed=False)),
        (r"JOB::animate_\w+_extend::", _Rule("VIDEO", Makes.PREVIEWS, relayed=False)),
        (r"JOB::animate_", _Rule("VIDEO", Makes.PREVIEWS, in_remix=_REMIX, relayed=False)),
        (
            r"Job::(PicReader|PromptAnalyzer)::",
            _Rule("IMAGINE", Makes.GRID, Wants.PROMPT, relayed=False),
        ),
        (r"Picread::Retry", _Rule("DESCRIBE", Makes.DESCRIPTION, relayed=False)),
        (r"BOOKMARK::", _Rule("BOOKMARK", Makes.GRID, relayed=False, marks=True)),
    )
)


def buttons_of(task: SandboxTask) -> list[dict[str, object]]:
    """The buttons of a succeeded task, in the form of the task object."""
    return [
        {"customId": custom_id, "emoji": emoji, "label": label, "type": 2, "style": 2}
        for label, emoji, custom_id in _rows(task)
    ]


def press(parent: SandboxTask, custom_id: str) -> ButtonPress | None:
    """The effect of this button of this task; None if the task has no such button."""
    if not any(custom_id == own for _, _, own in _rows(parent)):
        return None
    rule = next(rule for pattern, rule in _RULES if pattern.match(custom_id))
    makes, action = rule.makes, rule.action
    if action == "REROLL" and work_of(parent).makes is Makes.PREVIEWS:
        makes, action = Makes.PREVIEWS, "VIDEO"
    return ButtonPress(
        work=MidjourneyWork(action, makes, rule.wants),
        in_remix=rule.in_remix,
        prompt=_prompt(parent, custom_id),
        relayed=rule.relayed,
        marks=rule.marks,
    )


def custom_id_of(parent: SandboxTask, action: str, index: int) -> str:
    """The button that has the same effect as a `change`."""
    job = job_of(parent)
    return {
        "UPSCALE": f"MJ::JOB::upsample::{index}::{job}",
        "VARIATION": f"MJ::JOB::variation::{index}::{job}",
    }.get(action, f"MJ::JOB::reroll::0::{job}::SOLO")


def job_of(task: SandboxTask) -> str:
    """Midjourney's own id of a task's job."""
    return str(uuid5(NAMESPACE_URL, task.id))


def _rows(task: SandboxTask) -> list[Row]:
    rows, job = _ROWS.get(work_of(task).makes, ()), job_of(task)
    return [(label, emoji, custom_id.format(job=job)) for label, emoji, custom_id in rows]


def _prompt(parent: SandboxTask, custom_id: str) -> str:
    """The parent's prompt or, if the button chooses one of the parent's texts, that text."""
    texts = texts_of(parent)
    chosen = re.fullmatch(r"MJ::Job::\w+::(\d)", custom_id)
    return texts[int(chosen[1]) - 1] if chosen and texts else parent.submission.prompt
