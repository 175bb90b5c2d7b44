"""The buttons of a finished task: how callers name them, and which of them open a window.

A button is pressed by its custom id, copied verbatim from the task that shows it. Labels differ
between proxies (text, an emoji, nothing), so that a button can also be named after what its id says
it does.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import chain

from generation.contract.status import Action

#: What callers may call a button whatever its label, and the custom ids that are meant.
ALIASES: Mapping[str, re.Pattern[str]] = {
    name: re.compile(f"MJ::(?:{pattern})", re.IGNORECASE)
    for name, pattern in {
        **{f"u{n}": rf"JOB::(?:upsample|video_virtual_upscale)::{n}::" for n in range(1, 5)},
        **{f"v{n}": rf"JOB::variation::{n}::" for n in range(1, 5)},
        "reroll": r"JOB::reroll::|Picread::Retry",
        "vary_strong": r"JOB::high_variation::",
        "vary_subtle": r"JOB::low_variation::",
        "vary_region": r"Inpaint::",
        "inpaint": r"Inpaint::",
        "upscale_subtle": r"JOB::upsample_\w*subtle::",
        "upscale_creative": r"JOB::upsample_\w*creative::",
        "upscale_2x": r"JOB::upsample_\w*2x\w*::",
        "upscale_4x": r"JOB::upsample_\w*4x\w*::",
        "zoom_out_2x": r"Outpaint::50::",
        "zoom_out_1_5x": r"Outpaint::75::",
        "custom_zoom": r"CustomZoom::",
        **{f"pan_{side}": rf"JOB::pan_{side}::" for side in ("left", "right", "up", "down")},
        "animate_high": r"JOB::animate_high::",
        "animate_low": r"JOB::animate_low::",
        "animate_manual": r"JOB::video::.*manual",
        "extend_high": r"JOB::animate_high_extend::",
        "extend_low": r"JOB::animate_low_extend::",
        **{f"imagine_{n}": rf"Job::(?:PicReader|PromptAnalyzer)::{n}(?:::|$)" for n in range(1, 6)},
        "favorite": r"BOOKMARK",
    }.items()
}


class Window(Enum):
    """Whether pressing a button opens a window that waits for a prompt or a mask."""

    NEVER = "never"
    #: Where the Midjourney account works in remix mode, or the request asks for it.
    IN_REMIX = "in remix"
    REGION = "region"  #: always, for a mask
    ZOOM = "zoom"  #: always, for a prompt that says how far
    PROMPT = "prompt"  #: always, for a prompt


_WINDOWS = tuple(
    (re.compile(f"MJ::(?:{pattern})", re.IGNORECASE), window)
    for pattern, window in (
        (r"Inpaint::", Window.REGION),
        (r"CustomZoom::", Window.ZOOM),
        (r"Job::(?:PicReader|PromptAnalyzer)::|JOB::video::.*manual", Window.PROMPT),
        (r"JOB::(?:upsample|video_virtual_upscale)|Outpaint::|BOOKMARK|Picread::", Window.NEVER),
    )
)
_ALL_PROMPTS = re.compile(r"MJ::Job::PicReader::all", re.IGNORECASE)


#: What a relay knows of a button: these words within what its id does, or just that.
_RELAYED_WORDS = ("upsample", "variation", "pan", "reroll")
_RELAYED = frozenset({"Outpaint", "CustomZoom", "Inpaint"})


def is_offered(custom_id: str, *, relayed: bool) -> bool:
    """Return whether one job can press the button, through a relay if there is one.

    new-api looks at what follows `MJ::JOB::` or `MJ::`, and refuses a button that it does not know.
    """
    if makes_several_tasks(custom_id):
        return False
    if not relayed:
        return True
    _, kind, does, *_ = (*custom_id.split("::"), "", "")
    done = does if kind == "JOB" else kind
    return done in _RELAYED or any(word in done for word in _RELAYED_WORDS)


def window_of(custom_id: str) -> Window:
    """Which window a button opens; one that is not known might in remix mode."""
    windows = (window for pattern, window in _WINDOWS if pattern.match(custom_id))
    return next(windows, Window.IN_REMIX)


def makes_several_tasks(custom_id: str) -> bool:
    """Whether pressing it makes a task for each prompt of a description, under one answer."""
    return bool(_ALL_PROMPTS.match(custom_id))


def is_custom_id(name: str) -> bool:
    """Whether this names a button as the upstream does; every such id has parts."""
    return "::" in name


def find_button(actions: Sequence[Action], name: str) -> Action | None:
    """The button of that label or alias: as it is spelt, or but for case, blanks and signs."""
    slug = _slug(name)
    alias = ALIASES.get(slug)
    by_label = (each for each in actions if _plain(each.label) == _plain(name))
    by_slug = (each for each in actions if slug and _slug(each.label) == slug)
    by_id = (each for each in actions if alias and alias.match(each.custom_id))
    return next(chain(by_label, by_slug, by_id), None)


def names_of(actions: Sequence[Action]) -> str:
    """The buttons in words: labels, with an alias beside those that nobody can type."""
    return ", ".join(map(_name_of, actions))


def _name_of(action: Action) -> str:
    if _slug(action.label) and action.label != action.custom_id:
        return action.label
    aliases = (name for name, pattern in ALIASES.items() if pattern.match(action.custom_id))
    alias = next(aliases, None)
    return f"{action.label} ({alias})" if alias else action.label


def _plain(label: str) -> str:
    """Without blanks around it and without the mark that asks for an emoji's coloured form."""
    return label.replace("\ufe0f", "").strip()


def _slug(label: str) -> str:
    return re.sub(r"[\W_]+", "_", label.casefold()).strip("_")
