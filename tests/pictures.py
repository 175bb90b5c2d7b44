"""Small picture files that are whole, for requests that carry one."""

import base64
import struct
import zlib


def png(width: int, height: int, extra: int = 0) -> bytes:
    """A whole black picture, and `extra` bytes of nothing."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"zzZz", bytes(extra)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def jpeg(width: int, height: int) -> bytes:
    """
    The headers of a JPEG and its end: a comment that holds an end of its own, fill bytes, a restart
    mark, and a progressive frame.
    """
    comment = b"\xff\xfe\x00\x06hi\xff\xd9"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda\x00\x02" + bytes(4)
    return b"\xff\xd8" + comment + b"\xff\xff\xff\xd0" + frame + scan + b"\xff\xd9"


def gif(width: int, height: int) -> bytes:
    """A GIF of one frame."""
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame + b";"


def webp(width: int, height: int, form: bytes = b"VP8X") -> bytes:
    """A WebP whose header has one of the three forms, `VP8 `, `VP8L` or `VP8X`."""
    if form == b"VP8X":
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = bytes(4) + sides
    elif form == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(5)
    else:
        body = b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)
    chunk = form + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def packed(content: bytes) -> str:
    """The file in base64."""
    return base64.b64encode(content).decode()


#: A picture in each of two types that everybody takes, in base64.
PNG, JPEG = packed(png(64, 64)), packed(jpeg(64, 64))
