"""Text without what it quotes, which may be anybody's words: a prompt, a file's name, a value."""

import re

#: Pairs of marks. An apostrophe is a mark only at the edge of a word.
_QUOTED = re.compile(
    r"\"[^\"]*\"|“[^”]*”|‘[^’]*’|`[^`]*`|「[^」]*」|『[^』]*』|«[^»]*»"
    r"|(?<!\w)'.*?'(?!\w)",
    re.DOTALL,
)
#: A quotation that the end of the text cuts off.
_CUT_OFF = re.compile(r"(?:[“「『«`]|(?<![\w\"])\"(?=\w)|(?<!\w)['‘](?=\w)).*", re.DOTALL)


def outside_quotations(text: str) -> str:
    """The text with an empty pair of marks for each quotation; the whole where all is quoted."""
    outside = _CUT_OFF.sub("''", _QUOTED.sub("''", text))
    return outside if any(map(str.isalnum, outside)) else text
