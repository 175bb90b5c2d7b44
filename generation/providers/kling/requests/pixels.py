"""
How large a picture is, from the bytes of its file. PNG (ISO/IEC 15948 §11.2.2) and JPEG (ITU-T T.81
§B.2.2) say so near their beginning.
"""

from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"

#: Segments that begin a frame and so hold its size; the others of that row do something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Segments without a length: restart marks, and TEM.
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
#: From here on there are pixels.
_SCAN = 0xDA


def is_picture(content: bytes) -> bool:
    """Whether it begins as a PNG or a JPEG does."""
    return content.startswith((_PNG, _JPEG))


def size_of(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None where the file does not say, or not where it should."""
    if content.startswith(_PNG):
        if len(content) < 24 or content[12:16] != b"IHDR":
            return None
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    for marker, segment in _segments(content):
        if marker in _FRAMES and len(segment) >= 5:
            return int.from_bytes(segment[3:5]), int.from_bytes(segment[1:3])
    return None


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker and the beginning of each segment of a JPEG before its pixels."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker == _SCAN:
            return
        else:
            yield marker, content[at + 4 : at + 9]
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
