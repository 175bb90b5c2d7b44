"""Prompts as Midjourney reads them.

Its parameters are part of the text, and are read only as `--ar 16:9`. Chinese keyboards write `——ar
16：9`, and phones turn two hyphens into one dash: upstream these are words to draw, and the picture
is paid for without the parameter. They are written as they were meant, which the job shows in its
`input`; the rest of the prompt stays as it is.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from generation.contract import request

#: Dashes before any other word are prose.
_NAMES = frozenset(
    [
        "ar",
        "aspect",
        "bs",
        "c",
        "chaos",
        "cref",
        "cw",
        "draft",
        "end",
        "exp",
        "fast",
        "hd",
        "iw",
        "loop",
        "motion",
        "niji",
        "no",
        "oref",
        "ow",
        "p",
        "personalize",
        "profile",
        "q",
        "quality",
        "r",
        "raw",
        "relax",
        "repeat",
        "s",
        "seed",
        "sref",
        "stealth",
        "stop",
        "style",
        "stylize",
        "sv",
        "sw",
        "tile",
        "turbo",
        "v",
        "version",
        "video",
        "w",
        "weird",
        "zoom",
    ]
)
_PARAMETER = re.compile(
    r"(?<![\x21-\x7e])"  # behind a blank, at the beginning, or behind Chinese
    r"(?:--|——|――|––|－－|[—―–])"
    r"([A-Za-zＡ-Ｚａ-ｚ]+)"
    r"(?:\s+([0-9０-９]+(?:[:：.．][0-9０-９]+)?))?"
    r"(?=\s|$)"
)
#: The wide forms of all that parameters and their values are made of.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}


def readable(prompt: str) -> str:
    """The prompt with its parameters in the one form that is read."""
    return _PARAMETER.sub(_written, prompt)


def _written(found: re.Match[str]) -> str:
    name, value = found[1].translate(_NARROW), (found[2] or "").translate(_NARROW)
    if name.lower() not in _NAMES:
        return found[0]
    before = found.string[: found.start()]
    blank = " " if before and not before[-1].isspace() else ""
    return f"{blank}--{name} {value}" if value else f"{blank}--{name}"


Prompt = Annotated[request.Prompt, AfterValidator(readable)]
