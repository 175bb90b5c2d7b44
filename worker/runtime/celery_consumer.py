"""Celery's consumer, made to survive every error of its broker.

Celery itself ends the process on a Redis error other than a lost connection (READONLY after a
failover, MISCONF, WRONGTYPE) and on a message that is not JSON. Looks and webhooks need no broker,
so here each of these is handled like a lost connection: wait, and connect again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty
from time import monotonic, sleep
from typing import Any

import structlog
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from redis.exceptions import RedisError

from generation.queue import SUBMITS

log = structlog.get_logger(__name__)

#: The wait before the next attempt: doubled while attempts fail, up to the limit.
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
#: A connection that has worked for this long resets the waits.
STEADY_SECONDS = 10.0
#: While waiting, the consumer checks this often whether it is to shut down.
STEP_SECONDS = 0.1
#: The characters of a foreign message's error that are logged.
MOST_ERROR_CHARACTERS = 200


class ResilientConsumer(Consumer):
    """Chosen with Celery's setting `worker_consumer`."""

    # Celery's steps set these.
    connection: Any
    task_consumer: Any
    event_dispatcher: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Celery connects again after these (`broker_channel_error_retry`); others end the process.
        # Requests to shut down are no `Exception`.
        self.channel_errors = (Exception,)
        #: Whether messages are being received.
        self.is_receiving = False
        self._pause = FIRST_PAUSE_SECONDS
        self._received_since = monotonic()

    @property
    def switched_off(self) -> Sequence[str]:
        """Return what Celery's remote control has switched off in this worker; empty if unknown."""
        if not self.is_receiving:
            return ()
        parts = {
            "submits": self.task_consumer.consuming_from(SUBMITS),
            "events": self.event_dispatcher.enabled,
        }
        return [part for part, is_on in parts.items() if not is_on]

    def on_ready(self) -> None:
        """Celery calls this at each start of the event loop, once all channels are open."""
        super().on_ready()
        for channel in self.connection.transport.channels:
            guard(channel.handlers)
        self.is_receiving = True
        self._received_since = monotonic()

    def stop(self) -> None:
        """Celery calls this when the worker is to end."""
        self.is_receiving = False
        super().stop()

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        self._recover(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        with suppress(Exception):
            self.connection.collect()
        self._recover(exc)

    def _recover(self, error: Exception) -> None:
        """Wait before Celery connects again."""
        if self.is_receiving and monotonic() - self._received_since >= STEADY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        self.is_receiving = False
        known = isinstance(error, RedisError | OSError)
        log.warning(
            "broker_error",
            error=f"{type(error).__name__}: {error}",
            again_in=self._pause,
            exc_info=None if known else error,
        )
        until = monotonic() + self._pause
        while monotonic() < until:
            maybe_shutdown()
            sleep(STEP_SECONDS)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)


def guard(handlers: dict[str, Callable[..., Any]]) -> None:
    """Drop each message that kombu cannot read, instead of ending the loop that received it."""
    for kind, read in handlers.items():
        handlers[kind] = guarded(read)


def guarded(read: Callable[..., Any]) -> Callable[..., Any]:
    def read_or_drop(**options: Any) -> Any:
        try:
            return read(**options)
        except (RedisError, OSError, Empty):
            raise
        except Exception as error:
            words = f"{type(error).__name__}: {error}"[:MOST_ERROR_CHARACTERS]
            log.warning("message_dropped", error=words)
            return True

    return read_or_drop
