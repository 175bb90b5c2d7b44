"""
Talking to genq's API over HTTP, one request after the other.

A GET is repeated while the API is away or asks for patience. Nothing else is: an order that was
sent and not answered may have been taken.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, cast

import httpx

from ops.cli.ending import Code, Stop

#: For how long a GET is repeated.
PATIENCE = timedelta(seconds=2)
#: Between two tries: this, doubled each time.
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
#: Answers that say "later".
LATER = frozenset({429, 502, 503, 504})
TIMEOUT = httpx.Timeout(60, connect=5)
JSON = {"content-type": "application/json"}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API is, and with which key to call it."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object, and after how many seconds it is worth asking again, if the API said so."""

    document: Document
    retry_after: float | None


class NotThere(Stop):
    """The API answers, and has nothing at this path."""


class Api:
    """
    The API of one genq. Every method raises `Stop` with `Code.REFUSED` where it cannot be reached,
    refuses, or is no genq.
    """

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url.rstrip("/")
        try:
            self._http = httpx.Client(
                base_url=self._url,
                headers={"authorization": f"Bearer {connection.key}", "user-agent": "genq-cli"},
                timeout=TIMEOUT,
                # A proxy of the environment is for the outside.
                trust_env=not is_local(self._url),
            )
        except httpx.InvalidURL as error:
            raise Stop(f"--url or GENQ_URL is not a URL ({error})", Code.USAGE) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._http.close()

    def get(
        self,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        patience: timedelta = PATIENCE,
    ) -> Answer:
        """GET, repeated for as long as `patience` while the API is away or says "later"."""
        until = time.monotonic() + patience.total_seconds()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                response = self._http.get(path, params=parameters)
            except httpx.TransportError as error:
                failure, wanted = self._unreachable(error), None
            else:
                if response.status_code not in LATER:
                    return self._read(response)
                failure, wanted = self._refusal(response), retry_after(response)
            wait = max(pause, wanted or 0)
            if time.monotonic() + wait > until:
                raise failure
            time.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def post(self, path: str, body: Document | None = None) -> Answer:
        """POST, once."""
        try:
            # Plain ASCII: text that no encoding has is the API's to refuse.
            content = None if body is None else json.dumps(body).encode()
            return self._read(self._http.post(path, content=content, headers=JSON))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._unreachable(error) from None
        except httpx.TransportError as error:
            raise Stop(
                f"the API at {self._url} was asked and did not answer ({reason_of(error)}): it may "
                "have done it, so look at genq list before you try again",
                Code.REFUSED,
            ) from None

    def _read(self, response: httpx.Response) -> Answer:
        if not response.is_success:
            raise self._refusal(response)
        document = object_of(response)
        if document is None:
            raise self._stranger(response)
        return Answer(document, retry_after(response))

    def _refusal(self, response: httpx.Response) -> Stop:
        document = object_of(response)
        if document is None or "detail" not in document:
            return self._stranger(response)
        words = complaints_of(document)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            words += " (--key or GENQ_KEY; genq keys create makes one)"
        kind = NotThere if response.status_code == HTTPStatus.NOT_FOUND else Stop
        return kind(f"the API refuses: {words}", Code.REFUSED)

    def _unreachable(self, error: httpx.TransportError) -> Stop:
        return Stop(
            f"the API at {self._url} cannot be reached ({reason_of(error)}): start it, or give "
            "another --url or GENQ_URL",
            Code.REFUSED,
        )

    def _stranger(self, response: httpx.Response) -> Stop:
        return Stop(
            f"{self._url} answered HTTP {response.status_code}, and not as genq's API does: check "
            "--url or GENQ_URL",
            Code.REFUSED,
        )


def is_local(url: str) -> bool:
    """Whether a URL means this machine."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def object_of(response: httpx.Response) -> Document | None:
    """The JSON object of an answer; None where it is anything else."""
    try:
        document = response.json()
    except ValueError:
        return None
    return cast(Document, document) if isinstance(document, dict) else None


def complaints_of(problem: Document) -> str:
    """A problem document in one line: each thing to change, or the one thing that is wrong."""
    errors: list[Document] = problem.get("errors") or []
    return "; ".join(f"{place_of(each)}{each['detail']}" for each in errors) or problem["detail"]


def place_of(complaint: Document) -> str:
    """`duration: ` for the pointer `#/input/duration`."""
    path = str(complaint.get("pointer", "")).removeprefix("#").removeprefix("/")
    name = path.removeprefix("input/").replace("/", ".")
    return f"{name}: " if name else ""


def retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdecimal() else None


def reason_of(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
