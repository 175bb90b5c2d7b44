"""
What the API's description says of the feed of events and of streams.
"""

import json
from datetime import timedelta
from typing import Any

from api.docs.examples import BORN, JOB_ID, ExampleJobs
from api.docs.openapi_parts import Spec, complains, describe, in_path, in_query, says
from api.events.query import LATEST, LONGEST_WAIT, cursor_of
from api.http.problem_types import INVALID_QUERY, NOT_FOUND, STORE_UNAVAILABLE, UNAUTHENTICATED
from api.http.problems import Problem
from api.http.query_params import MOST, USUAL
from api.operations.catalogue import Catalogue
from generation.events import FEED_EVENTS, payload_of
from generation.job_document import job_document

_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NO_JOB = Problem(NOT_FOUND, "there is no such job, or it is not yours")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_BAD_CURSOR = Problem(
    INVALID_QUERY,
    "after must be the next_cursor of an earlier answer or the id of an event of the stream of"
    " events, unchanged",
)
_JOB_ID = in_path("job_id", "The job's `id`.")
_TYPE = in_query(
    "type",
    f"Only these, separated by commas: {', '.join(f'`{each}`' for each in FEED_EVENTS)}.",
    {"type": "string"},
)
_SINCE = in_query(
    "since",
    "Begin with what happened then. Not with `after`.",
    {"type": "string", "format": "date-time"},
)
_LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST}
_RESUME: Spec = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The `id` of the event seen last; browsers send it by themselves.",
    "schema": {"type": "string"},
}


class EventReference:
    """The OpenAPI operation objects of what is pulled and streamed."""

    def __init__(self, catalogue: Catalogue) -> None:
        jobs = ExampleJobs(catalogue.entries[0].operation)
        at = BORN + timedelta(seconds=321)
        event_id = "evt_01KG9QCT8P2N6R0S4V7X9Z1B3D"
        body = payload_of(event_id, "job.succeeded", at, 4, job_document(jobs.succeeded))
        self._event: dict[str, Any] = json.loads(body)

    def feed(self) -> Spec:
        return describe(
            "Events",
            "listEvents",
            "Read what has happened",
            "Your tenant's events in the order of the feed, the oldest first. Give `next_cursor`"
            " back as `after`, and you miss nothing and see nothing twice, whatever breaks"
            " meanwhile. With `wait`, an answer that would be empty comes once there is something,"
            " or when the time is up.",
            parameters=[
                in_query(
                    "after",
                    f"The `next_cursor` of the answer before, or `{LATEST}` to skip what there is."
                    " Without it, from the oldest event that is kept.",
                    {"type": "string"},
                ),
                _SINCE,
                _TYPE,
                in_query("limit", "How many at once.", _LIMIT | {"default": USUAL}),
                in_query(
                    "wait",
                    "How many seconds to wait for something to tell.",
                    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
                ),
            ],
            answers={200: says("A page.", "EventPage", self._page(cursor_of(1234)))}
            | complains(_BAD_CURSOR, _NO_KEY, _NO_STORE, instance="/v1/events"),
        )

    def job_events(self) -> Spec:
        return describe(
            "Events",
            "listJobEvents",
            "Read what has happened to a job",
            "The oldest first. Here `after` and `next_cursor` are a `sequence` of the job.",
            parameters=[
                _JOB_ID,
                in_query("after", "The `next_cursor` of the answer before.", {"type": "string"}),
                in_query("limit", "How many at once.", _LIMIT | {"default": MOST}),
            ],
            answers={200: says("A page.", "EventPage", self._page("4"))}
            | complains(
                Problem(
                    INVALID_QUERY,
                    "after must be the sequence of an event of this job, a whole number",
                ),
                _NO_KEY,
                _NO_JOB,
                _NO_STORE,
                instance=f"/v1/jobs/{JOB_ID}/events",
            ),
        )

    def job_stream(self) -> Spec:
        return describe(
            "Events",
            "streamJob",
            "Follow a job",
            "Server-sent events from the job's beginning, or after `Last-Event-ID`, until it has"
            " ended; then the stream closes. An `id` is the event's `sequence`. Progress comes"
            " without one, at most twice a second: it is not written down, and after a break the"
            " next one tells more.",
            parameters=[
                _JOB_ID,
                _RESUME,
                in_query(
                    "token",
                    "Instead of an API key: a token of `POST /v1/jobs/{id}/stream-token`.",
                    {"type": "string"},
                ),
            ],
            answers={
                200: self._frames("4"),
                204: {"description": "It has ended and everything was told: do not come again."},
            }
            | complains(
                Problem(
                    INVALID_QUERY,
                    "Last-Event-ID must be the sequence of an event of this job, a whole number",
                ),
                _NO_KEY,
                _NO_JOB,
                _NO_STORE,
                instance=f"/v1/jobs/{JOB_ID}/stream",
            ),
        )

    def stream_token(self) -> Spec:
        token = f"key_01KG9Q2Z6M8T4V7X1Y3A5C7E9G.1769864400.{'x' * 32}"
        example = {
            "object": "stream_token",
            "job": JOB_ID,
            "token": token,
            "url": f"/v1/jobs/{JOB_ID}/stream?token={token}",
            "expires_at": "2026-01-31T13:00:00.000Z",
        }
        return describe(
            "Events",
            "issueStreamToken",
            "Let a browser follow a job",
            "`EventSource` can send no headers, and an API key does not belong into a page. Your"
            " server gets a token for the page: it opens the stream of this job and nothing else,"
            " from any site, for an hour, and for no longer than your key is valid.",
            parameters=[_JOB_ID],
            answers={201: says("A token.", "StreamToken", example)}
            | complains(_NO_KEY, _NO_JOB, _NO_STORE, instance=f"/v1/jobs/{JOB_ID}/stream-token"),
        )

    def stream(self) -> Spec:
        return describe(
            "Events",
            "streamEvents",
            "Follow everything",
            "Server-sent events of your tenant, from now on; or after `Last-Event-ID`, or from"
            " where `after` or `since` say. An `id` is a cursor that `GET /v1/events` takes as"
            " well. It ends only when the connection does: come again.",
            parameters=[
                in_query("after", "Begin after this cursor.", {"type": "string"}),
                _SINCE,
                _TYPE,
                _RESUME,
            ],
            answers={200: self._frames(cursor_of(1234))}
            | complains(_BAD_CURSOR, _NO_KEY, _NO_STORE, instance="/v1/events/stream"),
        )

    def _page(self, cursor: str) -> Spec:
        return {"data": [self._event], "next_cursor": cursor, "has_more": False}

    def _frames(self, event_id: str) -> Spec:
        data = json.dumps({name: self._event[name] for name in ("type", "timestamp")})[:-1]
        text = f"retry: 3000\n\nevent: job.succeeded\ndata: {data}, …}}\nid: {event_id}\n\n"
        content: Spec = {"schema": {"type": "string"}, "example": text}
        return {
            "description": "Frames; a line `: ping` every 15 seconds where nothing happens.",
            "content": {"text/event-stream": content},
        }
