"""A call as a series of steps, without any I/O: requests, pauses, parsing.

`Client` and `AsyncClient` each perform the steps in their own way.
"""

import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar, cast

import httpx

from genq.errors import GenqError, NotFound, NotGenq, Refused, Unanswered, Unreachable
from genq.job import Document

#: Seconds between retries, doubled each time.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
#: Statuses that ask to retry later.
RETRY_STATUSES = frozenset({408, 429, 502, 503, 504})
CONFLICT = 409
NOT_FOUND = 404
NO_CONTENT = 204
#: Errors before a connection was made: nothing was sent.
NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request; the result is the response or the `TransportError`."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds."""

    seconds: float


StepResult = httpx.Response | httpx.TransportError | None
Steps = Generator[Send | Pause, StepResult, T]


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON object, and the API's Retry-After in seconds, if any."""

    document: Document
    retry_after: float | None


def with_retries(send: Send, patience: float) -> Steps[Reply]:
    """Return the reply to a request that may be repeated.

    It is retried for `patience` seconds while the API is unreachable or asks to retry later. Raises
    a `GenqError`.
    """
    until = monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        answer = yield send
        failure, wanted = retry_reason(answer)
        if failure is None:
            return read_reply(answer)
        wait = max(pause * random.uniform(0.8, 1.2), wanted or 0)
        if monotonic() + wait > until:
            raise failure
        yield Pause(wait)
        pause = min(pause * 2, LONGEST_PAUSE)


def without_retries(send: Send) -> Steps[Reply]:
    """Return the reply to a request that must not be repeated. Raises a `GenqError`."""
    answer = yield send
    if isinstance(answer, httpx.TransportError) and not isinstance(answer, NOT_SENT_ERRORS):
        raise Unanswered(
            f"the API did not answer ({error_text(answer)}): the request may have been executed"
        )
    return read_reply(answer)


def retry_reason(answer: StepResult) -> tuple[GenqError | None, float | None]:
    """Return the error if the request should be retried, and the API's Retry-After."""
    if isinstance(answer, httpx.TransportError):
        return unreachable(answer), None
    if answer is None:
        return None, None
    wanted = retry_after(answer)
    # A conflict with Retry-After: a request with this idempotency key is still in progress.
    in_progress = answer.status_code == CONFLICT and wanted is not None
    if answer.status_code in RETRY_STATUSES or in_progress:
        return refusal(answer), wanted
    return None, None


def read_reply(answer: StepResult) -> Reply:
    """Return the JSON object. Raises `Refused`, `NotGenq` or `Unreachable`."""
    if isinstance(answer, httpx.TransportError):
        raise unreachable(answer)
    assert answer is not None
    if not answer.is_success:
        raise refusal(answer)
    if answer.status_code == NO_CONTENT:
        return Reply({}, None)
    document = json_object(answer)
    if document is None:
        raise not_genq(answer)
    return Reply(document, retry_after(answer))


def refusal(response: httpx.Response) -> GenqError:
    document = json_object(response)
    if document is None or "detail" not in document:
        return not_genq(response)
    kind = NotFound if response.status_code == NOT_FOUND else Refused
    return kind(problem_text(document), response.status_code, document, retry_after(response))


def unreachable(error: httpx.TransportError) -> Unreachable:
    return Unreachable(f"the API cannot be reached ({error_text(error)})")


def not_genq(response: httpx.Response) -> NotGenq:
    url = response.request.url
    return NotGenq(
        f"{url.scheme}://{url.netloc.decode()} answered HTTP {response.status_code}, but not as"
        " genq's API does"
    )


def json_object(response: httpx.Response) -> Document | None:
    """Return the response's JSON object; None if it is anything else."""
    try:
        document = response.json()
    except ValueError:
        return None
    return cast(Document, document) if isinstance(document, dict) else None


def problem_text(problem: Document) -> str:
    """Return a problem document in one line: its `errors` if there are any, else its `detail`."""
    errors: list[Document] = problem.get("errors") or []
    return (
        "; ".join(f"{pointer_prefix(each)}{each['detail']}" for each in errors) or problem["detail"]
    )


def pointer_prefix(complaint: Document) -> str:
    """Return `duration: ` for the pointer `#/input/duration`."""
    path = str(complaint.get("pointer", "")).removeprefix("#").removeprefix("/")
    name = path.removeprefix("input/").replace("/", ".")
    return f"{name}: " if name else ""


def retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdecimal() else None


def error_text(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
