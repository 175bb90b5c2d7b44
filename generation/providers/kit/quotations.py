"""Text without quotations, which may contain a prompt, a file name or a value."""

import re

#: More of a text is not read: stations pass whole pages on.
LONGEST = 4000

#: Pairs of marks. An apostrophe is a mark only at the edge of a word.
_QUOTED = re.compile(
    r"\"[^\"]*\"|“[^”]*”|‘[^’]*’|`[^`]*`|「[^」]*」|『[^』]*』|«[^»]*»"
    r"|(?<!\w)'.*?'(?!\w)",
    re.DOTALL,
)
#: A quotation that the end of the text cuts off.
_CUT_OFF = re.compile(r"(?:[“「『«`]|(?<![\w\"])\"(?=\w)|(?<!\w)['‘](?=\w)).*", re.DOTALL)


def outside_quotations(text: str) -> str:
    """Return the text's beginning with an ellipsis per quotation; all of it if all is quoted."""
    text = text[:LONGEST]
    outside = _CUT_OFF.sub("…", _QUOTED.sub("…", text))
    return outside if any(map(str.isalnum, outside)) else text
