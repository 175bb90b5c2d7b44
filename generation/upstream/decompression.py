"""Decompresses the bodies of upstream answers, trusting the bytes more than the header."""

import zlib

#: The encodings `decompressed` can decode; no other is requested.
ACCEPT_ENCODING = "gzip, deflate"
#: zlib window sizes: the first detects a gzip or zlib header, the second is deflate without one.
_WITH_HEADER, _RAW = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_WINDOWS = {"gzip": (_WITH_HEADER,), "x-gzip": (_WITH_HEADER,), "deflate": (_WITH_HEADER, _RAW)}


def decompressed(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Decode a body by its `Content-Encoding`, and say whether the encoded data was complete.

    A body that is not in that encoding is returned unchanged: some relays pass on the header of an
    answer they have already decompressed. At most `limit` + 1 bytes are decompressed.
    """
    for window in _WINDOWS.get(encoding.strip().lower(), ()) if body else ():
        decoder = zlib.decompressobj(window)
        try:
            plain = decoder.decompress(body, limit + 1)
        except zlib.error:
            continue
        return plain, decoder.eof
    return body, True
