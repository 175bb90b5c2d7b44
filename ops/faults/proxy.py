"""A connection between two of genq's processes, to be held, cut or spoiled at a chosen moment.

TCP, in a thread of its own. What passes is forwarded as it comes; a `Tamper` waits for one request,
and does to it, or to the answer, what it says.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

Answer = TypeVar("Answer")

CHUNK_BYTES = 256 * 1024
GARBAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 24\r\ncontent-type: application/json\r\n\r\n"
    b'{"code": 1, "data": {"\xff\x00'
)


class Harm(StrEnum):
    """What can be done to one exchange."""

    #: The request never arrives, and the connection breaks.
    LOSE_REQUEST = "lose the request"
    #: The request arrives; the connection breaks before a byte of the answer.
    LOSE_ANSWER = "lose the answer"
    #: Half of the answer's first bytes, and the connection breaks.
    HALVE_ANSWER = "halve the answer"
    #: The request arrives, and its answer is replaced by another.
    REPLACE_ANSWER = "replace the answer"
    #: The answer comes, late.
    DELAY_ANSWER = "delay the answer"


@dataclass(slots=True, eq=False)
class Tamper:
    """Harm that waits for its request."""

    matches: Callable[[bytes], bool]
    harm: Harm
    seconds: float = 0
    #: What replaces the answer.
    reply: bytes = GARBAGE
    #: Set when its request has come, and when the harm is done.
    met: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def is_waiting(self) -> bool:
        return not self.met.is_set()


class Proxy:
    """Listens on a free port of loopback and forwards to `target`.

    Every method may be called from any thread.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tampers: list[Tamper] = []
        self._refusing = False
        #: Changes every piece of an answer, and leaves its length as it is.
        self.rewrite: Callable[[bytes], bytes] | None = None
        #: Connections that were refused.
        self.refused = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = self._run(self._listen(0))

    def cut(self) -> int:
        """Break every connection there is; how many there were."""
        return self._run(self._cut())

    def tamper(
        self,
        matches: Callable[[bytes], bool],
        harm: Harm,
        seconds: float = 0,
        reply: bytes = GARBAGE,
    ) -> Tamper:
        """Do this to the next exchange whose request matches."""
        tamper = Tamper(matches, harm, seconds, reply)
        self._loop.call_soon_threadsafe(self._tampers.append, tamper)
        return tamper

    def forget(self, tamper: Tamper) -> None:
        """Harm that has not found its request is not done any more."""

        def remove() -> None:
            with contextlib.suppress(ValueError):
                self._tampers.remove(tamper)

        self._loop.call_soon_threadsafe(remove)

    def refuse(self) -> None:
        """Break every connection there is, and each new one at once, until `accept`."""
        self._refusing = True
        self.cut()

    def accept(self) -> None:
        self._refusing = False

    def hold(self) -> None:
        """Forward nothing, and keep every connection open."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def release(self) -> None:
        """Forward what has been held, and what comes."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        self.release()
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, port: int) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> int:
        count = len(self._writers)
        for writer in list(self._writers):
            writer.transport.abort()
        return count // 2

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def _rewritten(self, chunk: bytes) -> bytes:
        return self.rewrite(chunk) if self.rewrite else chunk

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            upstream = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, upstream[1]}
        self._writers |= both
        try:
            exchange = Exchange(self._tampers, self._flowing, self._rewritten)
            await exchange.pump((reader, writer), upstream)
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()


Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Exchange:
    """One connection: what the caller says, what it is answered, and what is done to that."""

    def __init__(
        self,
        tampers: list[Tamper],
        flowing: asyncio.Event,
        rewritten: Callable[[bytes], bytes],
    ) -> None:
        self._rewritten = rewritten
        self._tampers = tampers
        self._flowing = flowing
        self._harm: Tamper | None = None

    async def pump(self, caller: Side, upstream: Side) -> None:
        """Forward until either side is done."""
        ways = [
            asyncio.create_task(self._requests(caller[0], upstream[1])),
            asyncio.create_task(self._answers(upstream[0], caller[1])),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._flowing.wait()
            if (tamper := self._found(chunk)) is not None:
                if tamper.harm is Harm.LOSE_REQUEST:
                    tamper.done.set()
                    return
                self._harm = tamper
            writer.write(chunk)
            await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._flowing.wait()
            harm, self._harm = self._harm, None
            if harm is not None:
                harm.done.set()
                match harm.harm:
                    case Harm.DELAY_ANSWER:
                        await asyncio.sleep(harm.seconds)
                    case Harm.HALVE_ANSWER:
                        return await last_words(writer, chunk[: len(chunk) // 2])
                    case Harm.REPLACE_ANSWER:
                        return await last_words(writer, harm.reply)
                    case _:
                        return None
            writer.write(self._rewritten(chunk))
            await writer.drain()
        return None

    def _found(self, chunk: bytes) -> Tamper | None:
        for tamper in self._tampers:
            if tamper.matches(chunk):
                self._tampers.remove(tamper)
                tamper.met.set()
                return tamper
        return None


async def last_words(writer: asyncio.StreamWriter, data: bytes) -> None:
    """All of this arrives, and then the connection ends."""
    writer.write(data)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@contextmanager
def proxied(target: tuple[str, int]) -> Generator[Proxy]:
    """A proxy for as long as the block lasts."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
