"""The caller: submits jobs until enough are accepted, whatever happens to the API."""

import threading
import time
from random import Random
from typing import Any

import httpx

#: How an upstream misbehaves by itself, and how often (of a hundred orders).
KNOBS = (
    ("", 70),
    ("[drop]", 4),
    ("[bad-gateway]", 2),
    ("[no-id]", 1),
    ("[drop-before=1]", 2),
    ("[throttle=1]", 3),
    ("[queue-full=1]", 2),
    ("[slow=2]", 4),
    ("[look-errors=2]", 3),
    ("[look-garbage=1]", 3),
    ("[look-throttle=1]", 1),
    ("[hang-look=1]", 1),
    ("[unknown-status]", 1),
    ("[fail]", 2),
    ("[moderated]", 1),
)
NAMES = ("kling.text2video", "midjourney.imagine")
#: An order that was not accepted is made anew after this.
PAUSE_SECONDS = 0.2


class Caller:
    """Orders from a thread of its own; an order counts as accepted once it was answered 202."""

    def __init__(
        self, url: str, key: str, webhook: str, *, seed: int, jobs: int, rate: float, deadline: str
    ) -> None:
        self.accepted: list[str] = []
        #: Orders that were answered with an error, or not at all.
        self.refused = 0
        self._url = url
        self._headers = {"authorization": f"Bearer {key}"}
        self._webhook = webhook
        self._dice = Random(seed)
        self._jobs = jobs
        self._rate = rate
        self._deadline = deadline
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._order, name="caller", daemon=True)

    @property
    def is_done(self) -> bool:
        return len(self.accepted) >= self._jobs or self._stopped.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _order(self) -> None:
        began = time.monotonic()
        with httpx.Client(trust_env=False, timeout=10) as client:
            while not self.is_done:
                order = self.next_order()
                ahead = len(self.accepted) / self._rate - (time.monotonic() - began)
                if self._stopped.wait(max(0, ahead)):
                    return
                if (job_id := self._accepted(client, order)) is not None:
                    self.accepted.append(job_id)
                else:
                    self.refused += 1
                    self._stopped.wait(PAUSE_SECONDS)

    def _accepted(self, client: httpx.Client, order: dict[str, Any]) -> str | None:
        try:
            answer = client.post(f"{self._url}/v1/jobs", json=order, headers=self._headers)
        except httpx.HTTPError:
            return None
        return str(answer.json()["id"]) if answer.status_code == 202 else None

    def next_order(self) -> dict[str, Any]:
        """The next order of this seed."""
        provider, operation = self._dice.choice(NAMES).split(".")
        knobs, weights = zip(*KNOBS, strict=True)
        (knob,) = self._dice.choices(knobs, weights)
        return {
            "provider": provider,
            "operation": operation,
            "input": {"prompt": f"number {self._dice.getrandbits(32)} {knob}".strip()},
            "webhook": {"url": self._webhook},
            "deadline": self._deadline,
        }
