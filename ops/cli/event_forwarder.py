"""Sends events to a local program the way webhooks are sent: signed, once."""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from generation.webhooks.signature import sign

#: The same timeouts as webhooks.
TIMEOUT = httpx.Timeout(15, connect=5)


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """Result of one request: an HTTP status, or the error that prevented one."""

    status: int | None
    error: str | None
    milliseconds: int

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        return f"{self.status or self.error} in {self.milliseconds} ms"


class Forwarder:
    """Sends events to one URL. Never raises for what the receiver does."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        # No proxy for a local program, and no redirects, as for webhooks.
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        self._http.close()

    def send(self, event: dict[str, Any]) -> ForwardResult:
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        moment = int(time.time())
        headers = {
            "content-type": "application/json",
            "user-agent": "genq-listen",
            "webhook-id": event["id"],
            "webhook-timestamp": str(moment),
            "webhook-signature": sign([self._secret], event["id"], moment, body),
        }
        began = time.monotonic()
        status = error = None
        try:
            status = self._http.post(self._url, content=body, headers=headers).status_code
        except httpx.HTTPError as failure:
            error = str(failure) or type(failure).__name__
        return ForwardResult(status, error, round((time.monotonic() - began) * 1000))
