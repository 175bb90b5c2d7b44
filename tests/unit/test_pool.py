"""
The pool that runs Celery's tasks as coroutines, on Celery's own main loop.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from celery import Celery
from celery.exceptions import Ignore
from kombu.asynchronous import Hub

from tests.services.waiting import wait_for
from worker.runtime.celery_pool import CoroutinePool

SOON = timedelta(seconds=10)


class Bench:
    """A running pool of two places, and a task that waits until it is let go."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.accepted: list[str] = []
        self.ended: list[str] = []
        self.answers: list[Any] = []
        self.gate = asyncio.Event()
        app = Celery("bench", set_as_current=False)

        async def wait(name: str) -> None:
            self.began.append(name)
            await self.gate.wait()
            if name == "broken":
                raise ValueError(name)

        cast(Any, app).task(name="wait", shared=False)(wait)
        self.pool = CoroutinePool(2, app=app)
        self.pool.start()
        self.hub = Hub()
        self.hub.call_repeatedly(0.02, lambda: None)  # a turn of it never takes longer
        self.pool.register_with_event_loop(self.hub)

    def give(self, name: str, *more: str) -> None:
        def ended(answer: Any) -> None:
            self.ended.append(name)
            self.answers.append(answer)

        def accepted(pid: int, at: float) -> None:
            assert pid > 0
            assert at > 0
            self.accepted.append(name)

        request: dict[str, Any] = {"args": [name, *more], "kwargs": {}}
        arguments = ("wait", f"id-{name}", request, b"", "", "")
        self.pool.apply_async(None, arguments, callback=ended, accept_callback=accepted)

    def let_go(self) -> None:
        self.pool.loop.run(self._open())

    async def _open(self) -> None:
        self.gate.set()

    def until(self, done: Callable[[], bool]) -> None:
        """Celery's main loop goes on until then."""

        def turned() -> bool:
            self.hub.run_once()
            return done()

        wait_for(turned, SOON, "the pool to get there")


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.let_go()
    bench.pool.stop()
    bench.pool.loop.stop()
    bench.hub.close()


def test_as_many_run_as_there_are_places_and_the_others_wait_their_turn(bench: Bench) -> None:
    for name in ("one", "two", "three", "four"):
        bench.give(name)
    bench.until(lambda: bench.began == ["one", "two"])
    assert bench.accepted == ["one", "two"], "what waits is not acknowledged"
    assert (bench.pool.info["running"], bench.pool.info["waiting"]) == (2, 2)
    bench.let_go()
    bench.until(lambda: len(bench.ended) == 4)
    assert bench.began == bench.accepted == ["one", "two", "three", "four"]
    failed, outcome, _ = bench.answers[0]
    assert failed
    assert isinstance(outcome.exception, Ignore), "its row in Flower is left to whoever knows"
    assert bench.pool.info["running"] == 0


def test_a_task_that_breaks_frees_its_place(bench: Bench) -> None:
    bench.give("broken")
    bench.give("called", "with", "too", "much")
    bench.let_go()
    bench.until(lambda: sorted(bench.ended) == ["broken", "called"])
    bench.give("next")
    bench.until(lambda: bench.ended[-1] == "next")


def test_the_end_waits_for_what_runs_and_forgets_what_waits(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.give(name)
    bench.until(lambda: len(bench.began) == 2)
    bench.let_go()
    bench.pool.stop()
    assert bench.began == ["one", "two"]
    assert bench.pool.info["waiting"] == 0
