"""HTTP load in a closed or an open loop.

Closed: each connection sends its next request once the previous one is answered. Open (`--rate`):
requests are sent at a fixed rate whether or not earlier ones were answered; latency counts from the
scheduled time, so a slow server is not favoured.

`python -m ops.bench.load URL… --connections 64 --seconds 8 [--body FILE] [--rate 500]` prints one
line of JSON. It implements a minimum of HTTP/1.1, to cost less than the server it measures.
"""

import argparse
import asyncio
import itertools
import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """Result of one run. Latencies in milliseconds."""

    requests: int
    per_second: float
    median: float
    p99: float
    #: Number of responses by status other than 2xx.
    refused: dict[str, int]


@dataclass(slots=True)
class Answers:
    """Seconds and status of each request."""

    took: list[float] = field(default_factory=list[float])
    statuses: list[bytes] = field(default_factory=list[bytes])


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to send requests: as soon as possible, or at fixed times."""

    until: float
    times: Iterator[float] | None

    def next(self) -> float | None:
        """Return the time of the next request; None at the end."""
        at = perf_counter() if self.times is None else next(self.times)
        return at if at < self.until else None


async def connection(
    address: tuple[str, int], requests: Iterator[bytes], schedule: Schedule, answers: Answers
) -> None:
    reader, writer = await asyncio.open_connection(*address)
    while (due := schedule.next()) is not None:
        if (early := due - perf_counter()) > 0:
            await asyncio.sleep(early)
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        start = lowered.index(b"content-length:") + 15
        await reader.readexactly(int(lowered[start : lowered.index(b"\r", start)]))
        answers.took.append(perf_counter() - due)
        answers.statuses.append(head[9:12])
    writer.close()


async def run(
    urls: list[str],
    key: str,
    body: bytes | None,
    *,
    connections: int,
    seconds: float,
    rate: float,
    keyed: bool = False,
) -> Load:
    """Load these URLs in turn: with POSTs of `body`, or with GETs if there is none.

    `keyed`: each request has its own Idempotency-Key.
    """
    address = urlsplit(urls[0]).hostname or "127.0.0.1", urlsplit(urls[0]).port or 80
    fields = idempotency_keys() if keyed else itertools.repeat(b"")
    heads = itertools.cycle([head(url, body, key) for url in urls])
    requests = (each + next(fields) + b"\r\n" + (body or b"") for each in heads)
    answers = Answers()
    began = perf_counter()
    times = (began + number / rate for number in itertools.count()) if rate else None
    schedule = Schedule(began + seconds, times)
    await asyncio.gather(
        *(connection(address, requests, schedule, answers) for _ in range(connections))
    )
    elapsed = perf_counter() - began
    refused: dict[str, int] = {}
    for status in answers.statuses:
        if not status.startswith(b"2"):
            refused[status.decode()] = refused.get(status.decode(), 0) + 1
    return Load(
        requests=len(answers.took),
        per_second=len(answers.took) / elapsed,
        median=statistics.median(answers.took) * 1000,
        p99=statistics.quantiles(answers.took, n=100)[98] * 1000,
        refused=refused,
    )


def head(url: str, body: bytes | None, key: str) -> bytes:
    """Return the request head without its end, so that fields can be added."""
    parts = urlsplit(url)
    fields = f"{parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {key}\r\n"
    if body is None:
        return f"GET {fields}".encode()
    kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"POST {fields}{kind}".encode()


def idempotency_keys() -> Iterator[bytes]:
    """Yield random idempotency key header lines."""
    while True:
        yield f"idempotency-key: {uuid4()}\r\n".encode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ops.bench.load", description=__doc__)
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--body", type=Path)
    parser.add_argument("--key", default="")
    parser.add_argument("--rate", type=float, default=0, help="requests per second; 0 for closed")
    parser.add_argument("--keyed", action="store_true", help="an Idempotency-Key per request")
    given = parser.parse_args()
    body = given.body.read_bytes() if given.body else None
    work = run(
        given.urls,
        given.key,
        body,
        connections=given.connections,
        seconds=given.seconds,
        rate=given.rate,
        keyed=given.keyed,
    )
    print(json.dumps(asdict(uvloop.run(work))))


if __name__ == "__main__":
    main()
