"""
A closed-loop HTTP load: so many connections, each sending its next request once it is answered.

`python -m ops.bench.load URL --connections 64 --seconds 8 --body FILE` prints one line of JSON. It
speaks just enough HTTP/1.1 to cost less than the server it measures.
"""

import argparse
import asyncio
import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What one run measured. Latencies in milliseconds."""

    requests: int
    per_second: float
    median: float
    p99: float
    #: Answers whose status was not 2xx, by status.
    refused: dict[str, int]


async def connection(
    address: tuple[str, int],
    request: bytes,
    until: float,
    took: list[float],
    statuses: list[bytes],
) -> None:
    reader, writer = await asyncio.open_connection(*address)
    while (began := perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        start = lowered.index(b"content-length:") + 15
        await reader.readexactly(int(lowered[start : lowered.index(b"\r", start)]))
        took.append(perf_counter() - began)
        statuses.append(head[9:12])
    writer.close()


async def run(url: str, connections: int, seconds: float, body: bytes, key: str) -> Load:
    """Load `url` with POSTs of `body`."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    took: list[float] = []
    statuses: list[bytes] = []
    began = perf_counter()
    request = head.encode() + body
    await asyncio.gather(
        *(
            connection((host, port), request, began + seconds, took, statuses)
            for _ in range(connections)
        )
    )
    elapsed = perf_counter() - began
    refused: dict[str, int] = {}
    for status in statuses:
        if not status.startswith(b"2"):
            refused[status.decode()] = refused.get(status.decode(), 0) + 1
    return Load(
        requests=len(took),
        per_second=len(took) / elapsed,
        median=statistics.median(took) * 1000,
        p99=statistics.quantiles(took, n=100)[98] * 1000,
        refused=refused,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ops.bench.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--key", default="")
    given = parser.parse_args()
    work = run(given.url, given.connections, given.seconds, given.body.read_bytes(), given.key)
    print(json.dumps(asdict(uvloop.run(work))))


if __name__ == "__main__":
    main()
