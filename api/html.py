"""
Pieces of HTML.
"""

import json
import re
from html import escape

_CODE = re.compile(r"`([^`]+)`")


def details(title: str, value: object) -> str:
    """A value to unfold: JSON, or a text as it is."""
    shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<details><summary>{text(title)}</summary><pre>{text(shown)}</pre></details>"


def paragraphs(words: str) -> str:
    return "".join(f"<p>{rich(each)}</p>" for each in words.split("\n\n") if each)


def rich(words: str) -> str:
    """Words with `code` in them."""
    return _CODE.sub(r"<code>\1</code>", text(words))


def text(words: object) -> str:
    return escape(str(words))
