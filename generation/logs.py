"""Logging: one line per event, as text or JSON.

genq's own lines go straight to standard error, because turning them into records of the standard
library first would double their cost. Lines of libraries take that way and look the same.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from generation.settings import Settings

#: Libraries that log each request, poll or message at INFO.
CHATTY = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "aiohttp.access",
    "kombu",
    "celery.bootsteps",
    "celery.worker.strategy",
    "alembic",
)


def configure_logging(settings: Settings) -> None:
    """Send the lines of structlog and of libraries to standard error in one form."""
    level = settings.log_level.upper()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering = rendered(settings.log_format)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=NamedLogger,
        cache_logger_on_first_use=True,
    )


def rendered(log_format: str) -> list[Processor]:
    """Return the processors that render an event: JSON, or text, in color on a terminal."""
    if log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if sys.stderr.isatty():
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [structlog.processors.format_exc_info, wait_queue_of]


class NamedLogger(structlog.WriteLogger):
    """Writes to standard error, with the name of a module."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


def wait_queue_of(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """Return the line that `ConsoleRenderer` makes without colors, in a quarter of its time."""
    del logger, method
    exception = event.pop("exception", None)
    when, level, what = event.pop("timestamp"), event.pop("level"), event.pop("event")
    named = " ".join([f"{key}={shown(value)}" for key, value in event.items() if key != "logger"])
    line = f"{when} [{level:<9}] {what:<30} [{event.get('logger', '')}] {named}"
    return f"{line.rstrip()}\n{exception}" if exception else line.rstrip()


def shown(value: Any) -> str:
    """Return the text itself if its end is clear, else quoted."""
    return value if isinstance(value, str) and value and not needs_quotes(value) else repr(value)


def needs_quotes(text: str) -> bool:
    return not text.isprintable() or " " in text or "=" in text
