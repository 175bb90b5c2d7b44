"""CPU that one request costs in each HTTP client: `python -m ops.bench.http_clients`.

Every client sends the same JSON POST to the same server in another process, 50 at a time over
kept-alive connections. The clients take turns, round after round, so that a busy machine slows all
of them alike. Clients that are not installed are left out.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from time import process_time
from typing import Any, cast

import aiohttp
import httpx
import httpx2
import uvloop
from yarl import URL

from generation.transport import AiohttpTransport
from generation.upstream.http import HttpRequest, StationHttp
from ops.stack.ports import free_port

CONCURRENT = 50
REQUESTS = 3000
ROUNDS = 5
TIMEOUT = timedelta(seconds=30)
BODY = json.dumps({"model_name": "kling-v2", "prompt": "a lighthouse at dusk, slow pan" * 8})
HEADERS = {"authorization": "Bearer sk-0123456789", "content-type": "application/json"}
ANSWER = json.dumps({"code": 0, "data": {"task_id": "t" * 32, "task_status": "submitted"}}).encode()

#: Sends one request and returns the length of the answer.
Send = Callable[[str], Awaitable[int]]


def with_aiohttp(stack: AsyncExitStack) -> Send:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)
    stack.push_async_callback(session.close)

    async def send(url: str) -> int:
        where = URL(url, encoded=True)
        async with session.post(where, data=BODY.encode(), headers=HEADERS) as response:
            return len(await response.read())

    return send


def with_httpx(stack: AsyncExitStack, module: Any, transport: Any = None) -> Send:
    limits = module.Limits(max_connections=None, max_keepalive_connections=CONCURRENT)
    client = module.AsyncClient(limits=limits, transport=transport, trust_env=False)
    stack.push_async_callback(client.aclose)

    async def send(url: str) -> int:
        response = await client.post(url, content=BODY.encode(), headers=HEADERS)
        return len(response.content)

    return send


def with_station_http(stack: AsyncExitStack, send: Any) -> Send:
    http = StationHttp(connect_timeout=TIMEOUT, max_bytes=1_000_000)
    stack.push_async_callback(http.close)

    async def post(url: str) -> int:
        reply = await send(http, HttpRequest("POST", url, HEADERS, BODY.encode()), TIMEOUT)
        return len(reply.body)

    return post


def genqs_transport() -> AiohttpTransport:
    return AiohttpTransport(lambda _: aiohttp.TCPConnector(limit=0))


def clients(stack: AsyncExitStack) -> Mapping[str, Send]:
    """Every client that is installed, by name."""
    made = {
        "aiohttp": with_aiohttp(stack),
        "httpx": with_httpx(stack, httpx),
        "httpx2": with_httpx(stack, httpx2),
        "httpx2 over genq's transport": with_httpx(stack, httpx2, genqs_transport()),
        "the same, as `StationHttp.send` uses it": with_station_http(stack, StationHttp.send),
        "below it, as `StationHttp.look` does": with_station_http(stack, StationHttp.look),
    }
    if find_spec("httpx_aiohttp"):
        transport = import_module("httpx_aiohttp").AiohttpTransport(
            limits=httpx.Limits(max_connections=1000)
        )
        made["httpx over httpx-aiohttp"] = with_httpx(stack, httpx, transport)
    return made


async def cpu_of(send: Send, url: str) -> float:
    """Seconds of CPU that a request costs, `CONCURRENT` at a time."""
    left = REQUESTS

    async def keep_sending() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            assert await send(url) == len(ANSWER)

    before = process_time()
    await asyncio.gather(*(keep_sending() for _ in range(CONCURRENT)))
    return (process_time() - before) / REQUESTS


async def measure(url: str) -> Mapping[str, list[float]]:
    async with AsyncExitStack() as stack:
        made = clients(stack)
        seconds: dict[str, list[float]] = {name: [] for name in made}
        for number in range(ROUNDS + 1):
            for name, send in made.items():
                cost = await cpu_of(send, url)
                if number:  # the first round opens the connections
                    seconds[name].append(cost)
        return seconds


class Answering(asyncio.Protocol):
    """Answers every POST of `BODY` with `ANSWER`."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            if len(self._received) < end + 4 + len(BODY):
                return
            del self._received[: end + 4 + len(BODY)]
            if self._transport is not None:
                head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(ANSWER)}\r\n\r\n"
                self._transport.write(head.encode() + ANSWER)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


def main() -> None:
    """Measure all clients; print a table."""
    port = free_port()
    command = [sys.executable, "-m", "ops.bench.http_clients", "--serve", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            seconds = uvloop.run(measure(f"http://127.0.0.1:{port}/v1/videos"))
        finally:
            server.terminate()
    print("| client | CPU a request, median (ms) | least to most |")
    print("|---|---|---|")
    for name, costs in sorted(seconds.items(), key=lambda pair: statistics.median(pair[1])):
        low, middle, high = min(costs), statistics.median(costs), max(costs)
        print(f"| {name} | {middle * 1000:.3f} | {low * 1000:.3f} to {high * 1000:.3f} |")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--serve", type=int)
    if given := options.parse_args().serve:
        uvloop.run(serve(given))
    else:
        main()
