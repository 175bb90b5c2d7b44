"""The files behind the asset URLs: small and valid, coloured by task, generated here."""

import colorsys
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ops.sandbox.bits import BitWriter
from ops.sandbox.movie import mp4

SIDE = 64
HUES = 48

Colour = tuple[int, int, int]


class Medium(NamedTuple):
    """A file's bytes and its content type."""

    content: bytes
    content_type: str


def png(hue: float) -> bytes:
    """A 2×2 grid of four shades, 64×64 pixels, 8-bit RGB."""
    upper = _row(_rgb(hue, 0.9), _rgb(hue, 0.7))
    lower = _row(_rgb(hue, 0.5), _rgb(hue, 0.3))
    pixels = upper * (SIDE // 2) + lower * (SIDE // 2)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def webp(hue: float) -> bytes:
    """One colour, 64×64 pixels, lossless: with one symbol a channel, pixels take no bits at all."""
    red, green, blue = _rgb(hue, 0.6)
    bits = BitWriter(least_significant_first=True)
    bits.put(SIDE - 1, 14).put(SIDE - 1, 14).put(0, 4)  # no alpha; version 0
    bits.put(0, 3)  # no transform, no colour cache, no meta prefix codes
    for symbol in (green, red, blue, 255):
        bits.put(0b101, 3).put(symbol, 8)  # a simple code of one symbol, which has eight bits
    bits.put(0b001, 3).put(0, 1)  # distances: a simple code of one symbol, which has one bit
    stream = b"\x2f" + bits.bytes()
    chunk = b"VP8L" + struct.pack("<I", len(stream)) + stream + b"\0" * (len(stream) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def mp3(seconds: float) -> bytes:
    """Silence: MPEG-2 layer III, mono, 16 kHz, 8 kbit/s, frames of 36 bytes and 36 ms each."""
    frame = b"\xff\xf3\x18\xc0".ljust(36, b"\0")
    return frame * max(1, round(seconds / 0.036))


def wav(seconds: float) -> bytes:
    """Silence: PCM, mono, 8 bit, 4 kHz."""
    samples = b"\x80" * (2 * max(1, round(seconds * 2000)))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 4000, 4000, 1, 8)
    data = form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(data) + 4) + b"WAVE" + data


def render(extension: str, hue: float, seconds: float) -> Medium | None:
    """A file of this kind, `seconds` long if it has a duration; None for an unknown kind."""
    kind = _KINDS.get(extension)
    if kind is None:
        return None
    content_type, make = kind
    return Medium(_made(make, round(hue * HUES) / HUES, seconds), content_type)


@lru_cache(maxsize=256)
def _made(make: Callable[[float, float], bytes], hue: float, seconds: float) -> bytes:
    return make(hue, seconds)


def _png(hue: float, _seconds: float) -> bytes:
    return png(hue)


def _webp(hue: float, _seconds: float) -> bytes:
    return webp(hue)


def _mp4(hue: float, seconds: float) -> bytes:
    return mp4(_rgb(hue, 0.6), seconds)


def _mp3(_hue: float, seconds: float) -> bytes:
    return mp3(seconds)


def _wav(_hue: float, seconds: float) -> bytes:
    return wav(seconds)


_KINDS: dict[str, tuple[str, Callable[[float, float], bytes]]] = {
    "png": ("image/png", _png),
    "webp": ("image/webp", _webp),
    "mp4": ("video/mp4", _mp4),
    "mp3": ("audio/mpeg", _mp3),
    "wav": ("audio/wav", _wav),
}


def _rgb(hue: float, lightness: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.8)
    return round(red * 255), round(green * 255), round(blue * 255)


def _row(left: Colour, right: Colour) -> bytes:
    return b"\0" + bytes(left) * (SIDE // 2) + bytes(right) * (SIDE // 2)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
