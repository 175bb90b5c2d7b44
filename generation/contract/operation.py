"""The provider contract: what genq must know of an upstream to run one kind of job on it.

An `Operation` is one operation of a provider (`kling` `text2video`) in one dialect (`kling.v1`). It
is pure: it builds calls and reads replies, and uses no socket, clock or store. Base URL, path
prefix, authentication and extra body fields belong to the station and are added by
`generation.upstream.client`.

Every `parse_*` is total: for any bytes it returns a status or raises a
`generation.contract.errors.Fault`, and nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from generation.contract.call import Call
from generation.contract.errors import UnrecognizedReply
from generation.contract.reply import Reply
from generation.contract.request import Request
from generation.contract.status import Status, SubmitAnswer, Succeeded
from generation.polling.pace import Pace


@dataclass(frozen=True, slots=True)
class Parent:
    """The finished job that a follow-up builds on, as far as an operation may know it."""

    operation: str
    upstream_id: str
    #: What the parent's submit answered beside the id.
    details: Mapping[str, Any]
    input: Mapping[str, Any]
    #: Its assets with their upstream ids, its actions with their custom ids, its facts.
    result: Succeeded


@dataclass(frozen=True, slots=True)
class Order:
    """What an operation may know of the job it submits, in addition to the caller's request."""

    #: Ours, and unique: the reference to give an upstream that takes one.
    job_id: str
    #: Where the upstream may call back, when this deployment has a public address. No other order
    #: has the same.
    callback_url: str | None = None
    #: When the latest submit was claimed; known to a find.
    submitted_at: datetime | None = None
    #: Set for operations that follow another one, and only for those.
    parent: Parent | None = None


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An upstream's list of its latest tasks does not contain this job's task.

    The task surely does not exist if the list reaches back to the submit, which a task of an
    earlier job in it shows.
    """

    #: What the tasks in the list are called by whoever ordered them; of ours, ids of jobs.
    references: frozenset[str]


@dataclass(frozen=True, slots=True)
class Task:
    """An upstream task as later calls see it: its id and details from the submit's answer."""

    upstream_id: str
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


R = TypeVar("R", bound=Request)


class Operation(ABC, Generic[R]):
    """One operation in one dialect. Subclasses have no state beyond their declaration."""

    #: The name callers use first: `kling`.
    provider: ClassVar[str]
    #: What a station calls its way of speaking: `kling.v1`.
    dialect: str
    #: The name callers use second: `text2video`.
    name: str
    #: One sentence for `GET /v1/operations`.
    summary: str
    request: type[R]
    pace: Pace
    #: A request that works, for documentation and tests.
    example: Mapping[str, Any]
    #: How many tasks one batch query may name; 0 where there is none.
    batch_limit: int = 0
    #: The operations of this provider whose finished jobs it can follow; empty where it follows
    #: none.
    follows: frozenset[str] = frozenset()
    #: True where it makes no sense without a parent.
    needs_parent: bool = False
    #: True where an order may still be refused when its call is built: its dialect takes less than
    #: the request has room for. Like one that may follow a job, it is built before it is accepted.
    built_to_check: bool = False
    #: Why it can no longer be bought in this dialect, and what to order instead; "" while it can.
    #: Jobs that were sent before are looked at as ever.
    retired: str = ""
    #: How long the submit may take to answer, where that is longer than the deployment's usual
    #: limit: upstreams that answer with the finished result.
    submit_timeout: timedelta | None = None
    #: True for a submit that creates nothing and costs nothing: it may be sent again on any doubt.
    repeatable: bool = False
    #: True if the upstream's answers name the URLs to poll. The key is sent only to the station's
    #: own domain.
    polls_given_urls: bool = False
    #: True where the result may be at an address that the request contains: an upload of a file.
    gives_back: bool = False
    #: What the caller may send while the task awaits input; None where it never does.
    input_request: type[Request] | None = None

    @abstractmethod
    def build_submit(self, request: R, order: Order) -> Call:
        """Return the one call that costs money."""

    @abstractmethod
    def parse_submit(self, reply: Reply) -> SubmitAnswer: ...

    @abstractmethod
    def build_query(self, task: Task) -> Call: ...

    @abstractmethod
    def parse_query(self, reply: Reply) -> Status: ...

    def build_batch_query(self, upstream_ids: Sequence[str]) -> Call | None:
        """Return one call about at most `batch_limit` tasks; None if there is none."""
        del upstream_ids
        return None

    def parse_batch_query(self, reply: Reply) -> Mapping[str, Status]:
        """Return statuses by upstream id. A missing task is looked at singly."""
        raise UnrecognizedReply(f"{self.dialect} has no batch query: {reply.excerpt()}")

    def build_find(self, order: Order) -> Call | None:
        """Return the call that searches for a task by our reference; None if there is none."""
        del order
        return None

    def parse_find(self, reply: Reply, order: Order) -> str | Unlisted | None:
        """Return the upstream id of this job's task; None if it surely does not exist.

        None requires that the account that was asked to submit says so. A list that may be too
        short is `Unlisted`. Any other absence proves nothing and raises `InDoubt`.
        """
        del order
        raise UnrecognizedReply(f"{self.dialect} cannot find a task: {reply.excerpt()}")

    def early_input(self, request: R) -> Request | None:
        """What the order itself already says to an `AwaitingInput` that is to come, if anything."""
        del request
        return None

    def build_input(self, request: Request, task: Task) -> Call:
        """Return the call that sends the input of a task that waits for it."""
        raise NotImplementedError(f"{self.dialect} {self.name} awaits no input: {request} {task}")

    def parse_input(self, reply: Reply) -> SubmitAnswer:
        """Return the upstream's answer to that input."""
        raise UnrecognizedReply(f"{self.dialect} awaits no input: {reply.excerpt()}")

    def build_cancel(self, task: Task) -> Call | None:
        """Return the call that stops a running task; None if there is none."""
        del task
        return None

    def parse_cancel(self, reply: Reply) -> bool:
        """Return whether the upstream agreed to stop the task."""
        raise UnrecognizedReply(f"{self.dialect} cannot cancel: {reply.excerpt()}")

    @property
    def batch_group(self) -> str:
        """Tasks of operations with equal groups, on one key, may share a batch query."""
        return self.dialect
