"""A video that plays: MP4 with one H.264 picture of one colour, shown for as long as asked.

The picture is coded as raw samples (I_PCM macroblocks, ITU-T H.264 §7.3.5), so that no encoder is
needed; the boxes are those ISO/IEC 14496-12 asks for.
"""

import struct

from ops.sandbox.bits import BitWriter

#: Macroblocks a side; each is 16×16 pixels.
BLOCKS = 2
SIDE = BLOCKS * 16
TIMESCALE = 1000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_I_PCM = 25
_CONSTRAINED_BASELINE = (66, 0xC0, 10)  # profile, constraint flags, level 1


def mp4(colour: tuple[int, int, int], seconds: float) -> bytes:
    """A video of one colour, 32×32 pixels, about 2 kB at any duration."""
    picture = _nal(0x65, _picture(*_ycbcr(colour)))
    sample = struct.pack(">I", len(picture)) + picture
    kinds = b"isom" + struct.pack(">I", 0x200) + b"isomiso2avc1mp41"
    head = _box(b"ftyp", kinds)
    duration = max(1, round(seconds * TIMESCALE))
    offset = len(head) + len(_movie(duration, len(sample), 0)) + 8
    return head + _movie(duration, len(sample), offset) + _box(b"mdat", sample)


def _movie(duration: int, size: int, offset: int) -> bytes:
    header = struct.pack(">IIIIIH10x", 0, 0, TIMESCALE, duration, 0x10000, 0x100)
    header += _MATRIX + bytes(24) + struct.pack(">I", 2)
    return _box(b"moov", _full(b"mvhd", 0, header) + _track(duration, size, offset))


def _track(duration: int, size: int, offset: int) -> bytes:
    header = struct.pack(">IIIII8xHHHxx", 0, 0, 1, 0, duration, 0, 0, 0)
    header += _MATRIX + struct.pack(">II", SIDE << 16, SIDE << 16)
    media_header = struct.pack(">IIIIHH", 0, 0, TIMESCALE, duration, 0x55C4, 0)
    handler = struct.pack(">I4s12x", 0, b"vide") + b"video\0"
    source = _box(b"dinf", _full(b"dref", 0, struct.pack(">I", 1) + _full(b"url ", 1, b"")))
    information = _full(b"vmhd", 1, bytes(8)) + source + _table(duration, size, offset)
    media = _full(b"mdhd", 0, media_header) + _full(b"hdlr", 0, handler)
    media += _box(b"minf", information)
    return _box(b"trak", _full(b"tkhd", 3, header) + _box(b"mdia", media))


def _table(duration: int, size: int, offset: int) -> bytes:
    tables = (
        _full(b"stsd", 0, struct.pack(">I", 1) + _avc1()),
        _full(b"stts", 0, struct.pack(">III", 1, 1, duration)),
        _full(b"stsc", 0, struct.pack(">IIII", 1, 1, 1, 1)),
        _full(b"stsz", 0, struct.pack(">III", 0, 1, size)),
        _full(b"stco", 0, struct.pack(">II", 1, offset)),
    )
    return _box(b"stbl", b"".join(tables))


def _avc1() -> bytes:
    entry = struct.pack(">6xH16xHHIIIH32sHh", 1, SIDE, SIDE, 0x480000, 0x480000, 0, 1, b"", 24, -1)
    sequence, pictures = _nal(0x67, _sequence_parameters()), _nal(0x68, _picture_parameters())
    config = struct.pack(">BBBBBB", 1, *_CONSTRAINED_BASELINE, 0xFF, 0xE1)
    config += struct.pack(">H", len(sequence)) + sequence
    config += struct.pack(">BH", 1, len(pictures)) + pictures
    return _box(b"avc1", entry + _box(b"avcC", config))


def _sequence_parameters() -> bytes:
    bits = BitWriter()
    for byte in _CONSTRAINED_BASELINE:
        bits.put(byte, 8)
    bits.exp_golomb(0).exp_golomb(0).exp_golomb(2)  # id; frame numbers of 4 bits; order of decoding
    bits.exp_golomb(1).put(0, 1)  # one reference picture, no gaps
    bits.exp_golomb(BLOCKS - 1).exp_golomb(BLOCKS - 1)
    return bits.put(0b1100, 4).put(1, 1).bytes()  # frames, 8×8 inference; no cropping, no more


def _picture_parameters() -> bytes:
    bits = BitWriter().exp_golomb(0).exp_golomb(0).put(0, 2)  # ids; CAVLC, no field order
    bits.exp_golomb(0).exp_golomb(0).exp_golomb(0)  # one slice group, one reference each way
    bits.put(0, 3).exp_golomb(0).exp_golomb(0).exp_golomb(0)  # no weights; quantisers as they are
    return bits.put(0b100, 3).put(1, 1).bytes()  # the slice says how it is deblocked


def _picture(luma: int, blue: int, red: int) -> bytes:
    bits = BitWriter().exp_golomb(0).exp_golomb(7).exp_golomb(0)  # from block 0, intra only
    bits.put(0, 4).exp_golomb(0).put(0, 2)  # frame 0, picture 0; reference marks
    bits.exp_golomb(0).exp_golomb(1)  # quantiser as it is; no deblocking
    for _ in range(BLOCKS * BLOCKS):
        bits.exp_golomb(_I_PCM).align()
        for sample, count in ((luma, 256), (blue, 64), (red, 64)):
            for _ in range(count):
                bits.put(sample, 8)
    return bits.put(1, 1).bytes()


def _ycbcr(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = colour
    luma = 16 + (65.5 * red + 128.6 * green + 25 * blue) / 255
    chroma_blue = 128 + (-37.8 * red - 74.2 * green + 112 * blue) / 255
    chroma_red = 128 + (112 * red - 93.8 * green - 18.2 * blue) / 255
    return round(luma), round(chroma_blue), round(chroma_red)


def _nal(kind: int, payload: bytes) -> bytes:
    """A unit in which bytes that look like a start code are escaped."""
    guarded = bytearray([kind])
    zeros = 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            guarded.append(3)
            zeros = 0
        guarded.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(guarded)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, flags: int, content: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags) + content)
