"""
Decompresses the bodies of upstream answers, and believes the bytes more than the header.
"""

import zlib

#: What `decompressed` can decode; upstreams are asked for nothing else.
ACCEPT_ENCODING = "gzip, deflate"
#: zlib's window sizes: one finds a gzip or zlib header by itself, one is deflate without a header.
_WITH_HEADER, _RAW = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_WINDOWS = {"gzip": (_WITH_HEADER,), "x-gzip": (_WITH_HEADER,), "deflate": (_WITH_HEADER, _RAW)}


def decompressed(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """
    The body without the encoding its `Content-Encoding` names, and whether it has come to its end.
    A body that is not in that encoding is returned as it is: some relays pass on the header of an
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
