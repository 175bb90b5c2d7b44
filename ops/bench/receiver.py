"""
A receiver of webhooks that costs less than who sends them: it counts, and tells how late each came.

`python -m ops.bench.receiver PORT`. `GET /` answers one line of JSON (see `Counted`), `GET /anew`
too, and begins anew; a POST below `/hang` is never answered.
"""

import asyncio
import json
import re
import statistics
import sys
from dataclasses import dataclass, field
from datetime import datetime
from time import time

import uvloop

TIMESTAMP = re.compile(rb'"timestamp":"([^"]+)"')
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Counted:
    """What came since the last question. Times in seconds; `late` since the event's timestamp."""

    arrived: list[float] = field(default_factory=list[float])
    late: list[float] = field(default_factory=list[float])

    def take(self, body: bytes) -> None:
        now = time()
        self.arrived.append(now)
        if found := TIMESTAMP.search(body):
            self.late.append(now - datetime.fromisoformat(found[1].decode()).timestamp())

    def summary(self) -> dict[str, float]:
        arrived, late = self.arrived, self.late
        return {
            "count": len(arrived),
            "first": arrived[0] if arrived else 0.0,
            "last": arrived[-1] if arrived else 0.0,
            "late_p50": statistics.median(late) if late else 0.0,
            "late_p95": statistics.quantiles(late, n=20)[18] if len(late) > 1 else 0.0,
        }


class Receiver:
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
            document = json.dumps(self._counted.summary()).encode()
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
    server = await asyncio.start_server(Receiver().serve, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
