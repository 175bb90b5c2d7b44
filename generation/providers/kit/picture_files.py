"""What a picture file is, by its own bytes: its type, its size in pixels, whether it is whole.

Nothing is decoded: the type stands in the first bytes, the size in a header, the end in a trailer.
That costs microseconds and no memory, whatever size the header claims. PNG: ISO/IEC 15948 §11.2.2.
JPEG: ITU-T T.81 §B.2. GIF: GIF89a §18. WebP: RFC 9649 §2.
"""

from collections.abc import Mapping

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"

#: Segments that begin a frame and so hold its size; the others of that row do something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Segments without a length: restart marks, and TEM.
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
#: From here on there are pixels.
_SCAN = 0xDA
#: No camera or editor writes as many segments before the pixels. It bounds the work.
_MOST_SEGMENTS = 1000

#: Files that callers send and no upstream takes, by how they begin.
_OTHERS: Mapping[bytes, str] = {
    b"BM": "a BMP file",
    b"%PDF": "a PDF file",
    b"II*\0": "a TIFF file",
    b"MM\0*": "a TIFF file",
    b"<svg": "an SVG file",
    b"<?xml": "an XML file",
    b"PK\x03\x04": "a ZIP file",
    b"\0\0\x01\0": "an ICO file",
}
#: What the brand of an ISO base media file says it is.
_BRANDS: Mapping[bytes, str] = {
    **dict.fromkeys((b"avif", b"avis"), "an AVIF file"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"), "a HEIC file"),
}


def type_of(content: bytes) -> str | None:
    """`png`, `jpeg`, `gif` or `webp`, by how the file begins; None for everything else."""
    if content.startswith(_PNG):
        return "png"
    if content.startswith(_JPEG):
        return "jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    return None


def name_of(content: bytes) -> str:
    """What a file is that is none of these types, as a message says it."""
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "a video file")
    names = (name for start, name in _OTHERS.items() if content.startswith(start))
    if name := next(names, None):
        return name
    beginning = content[:64].decode("utf-8", "ignore")
    return "text" if beginning and beginning.isprintable() else "not a known picture type"


def size_of(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None where the file does not say, or not where it should."""
    match type_of(content):
        case "png" if len(content) >= 24 and content[12:16] == b"IHDR":
            return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        case "jpeg":
            return _jpeg_header(content)[0]
        case "gif" if len(content) >= 10:
            return _little(content[6:8]), _little(content[8:10])
        case "webp" if len(content) >= 30:
            return _webp_size(content)
        case _:
            return None


def is_whole(content: bytes) -> bool:
    """Whether the file has its end."""
    match type_of(content):
        case "png":
            return 0 < content.rfind(b"IEND") <= len(content) - 8  # a checksum follows
        case "jpeg":
            # A thumbnail within the header has an end of its own.
            scan = _jpeg_header(content)[1]
            return scan is not None and content.rfind(_JPEG_END, scan) > 0
        case "gif":
            return content.rstrip(b"\0\r\n").endswith(b"\0;")
        case "webp":
            return len(content) >= 8 + _little(content[4:8])
        case _:
            return False


def _jpeg_header(content: bytes) -> tuple[tuple[int, int] | None, int | None]:
    """The size, and where the pixels begin; None for what is not found."""
    size, at = None, 2
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > len(content) or content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == _SCAN:
            return size, at
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _BARE:
            at += 2
        else:
            if marker in _FRAMES and at + 9 <= len(content):
                frame = content[at + 5 : at + 9]
                size = int.from_bytes(frame[2:]), int.from_bytes(frame[:2])
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
    return size, None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    match content[12:16]:
        case b"VP8X":
            return _little(content[24:27]) + 1, _little(content[27:30]) + 1
        case b"VP8L" if content[20] == 0x2F:
            bits = _little(content[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            return _little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF
        case _:
            return None


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")
