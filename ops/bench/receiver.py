"""A minimal webhook receiver that records arrival times.

`python -m ops.bench.receiver PORT`. `GET /` returns one line of JSON (see `Counted`), `GET /anew`
does too and resets the counts; `GET /jobs` returns when each job's webhook arrived. A POST below
`/hang` is never answered.
"""

import asyncio
import json
import re
import sys
from dataclasses import dataclass, field
from time import time

import uvloop

JOB = re.compile(rb"job_[0-9A-Z]{26}")
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Counted:
    """Webhooks since `GET /anew`. Times are Unix seconds."""

    arrived: list[float] = field(default_factory=list[float])
    #: Time of each job's first webhook, by job id.
    jobs: dict[str, float] = field(default_factory=dict[str, float])

    def take(self, body: bytes) -> None:
        now = time()
        self.arrived.append(now)
        if found := JOB.search(body):
            self.jobs.setdefault(found[0].decode(), now)

    def summary(self) -> dict[str, float]:
        arrived = self.arrived
        return {
            "count": len(arrived),
            "first": arrived[0] if arrived else 0.0,
            "last": arrived[-1] if arrived else 0.0,
        }


class CountingReceiver:
    """Serves the webhooks and the counts."""

    def __init__(self) -> None:
        self._counted = Counted()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head, reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        if head.startswith(b"GET"):
            jobs = head.startswith(b"GET /jobs")
            answer = self._counted.jobs if jobs else self._counted.summary()
            document = json.dumps(answer).encode()
            if head.startswith(b"GET /anew"):
                self._counted = Counted()
            return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(document), document)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        if head.startswith(b"POST /hang"):
            await asyncio.Event().wait()
        self._counted.take(body)
        return OK


async def serve(port: int) -> None:
    server = await asyncio.start_server(CountingReceiver().serve, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
