"""What the midjourney-proxy family answers, for every operation and every dialect.

One reader for all of them: the proxies differ in what they fill in, not in what it means. A submit
is answered with `{code, description, result, properties}`, a query with the bare task, a query for
many with a bare array.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from generation.contract.errors import (
    Acceptance,
    ErrorCode,
    Fault,
    InDoubt,
    NotAccepted,
    UnrecognizedReply,
)
from generation.contract.operation import Order, Unlisted
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    AssetType,
    AwaitingInput,
    Status,
    SubmitAnswer,
    Succeeded,
)
from generation.providers.midjourney.assets import file_asset
from generation.providers.midjourney.faults import is_nothing, query_fault, submit_fault
from generation.providers.midjourney.fields import (
    identifier,
    integer,
    mapping,
    sequence,
    text,
)
from generation.providers.midjourney.tasks import is_task, read_task

_EXISTS = re.compile(r"存在|exist", re.IGNORECASE)
_WINDOW = re.compile(r"confirm|窗口|modal", re.IGNORECASE)


def read_submit(reply: Reply) -> SubmitAnswer:
    """What became of a submit. Raises a `Fault` where nothing, or nothing certain, did."""
    answer = _object(reply)
    match integer(answer.get("code")):
        case 1 | 22:
            return _accepted(answer, reply)
        case 21:
            return _existed(answer, reply)
        case _:
            raise submit_fault(reply)


def read_query(reply: Reply, action: str) -> Status:
    """What a task's own page says. `action` is what the task does where the answer does not say."""
    task = _object(reply)
    if not 200 <= reply.status < 300 or not is_task(task):
        raise query_fault(reply)
    return read_task(task, action)


def read_batch_query(reply: Reply) -> Mapping[str, Status]:
    """Statuses by upstream id.

    A task that cannot be read is left out, and looked at singly; so is one that ended and does not
    say what it did, for the answer is about tasks of many operations.
    """
    statuses: dict[str, Status] = {}
    for task in _tasks(reply):
        upstream_id = identifier(task.get("id"))
        if upstream_id and is_task(task):
            with suppress(Fault):
                statuses[upstream_id] = read_task(task, None)
    return statuses


def read_seed(reply: Reply) -> Succeeded:
    """The seed, as a text.

    A question creates nothing, so that every fault but a refusal is `NotAccepted`.
    """
    answer = _object(reply)
    code, seed = integer(answer.get("code")), identifier(answer.get("result"))
    if code == 1 and seed:
        return Succeeded(texts=(seed,), details={"seed": seed})
    fault = submit_fault(reply)
    if fault.accepted is not Acceptance.MAYBE:
        raise fault
    raise NotAccepted(
        fault.message,
        code=ErrorCode.ASSET_MISSING if code == 1 else None,
        upstream_status=reply.status,
        upstream_code=fault.upstream_code,
        retry_after=fault.retry_after,
    )


def read_find(reply: Reply, order: Order) -> str | Unlisted:
    """The task that carries our id, among the latest hundred.

    Times in the list are the proxy's own and prove nothing; the names of other tasks of ours may,
    at a proxy that keeps them. `InDoubt` where the list says nothing at all.
    """
    tasks = _tasks(reply)
    ours = [task for task in tasks if order.job_id and text(task.get("state")) == order.job_id]
    named = filter(None, (identifier(task.get("id")) for task in ours))
    if upstream_id := next(named, None):
        return upstream_id
    references = frozenset(filter(None, (text(task.get("state")) for task in tasks)))
    if not ours and references:
        return Unlisted(references)
    raise InDoubt(
        f"the proxy's list of its latest {len(tasks)} tasks does not name this job and may not"
        " reach back to it"
    )


def read_cancel(reply: Reply) -> bool:
    """Whether the proxy agreed. One that has no such call declines."""
    code = integer(_object(reply).get("code"))
    if code is None and reply.status not in (404, 405):
        raise query_fault(reply)
    return code == 1


def _accepted(answer: Mapping[str, Any], reply: Reply) -> SubmitAnswer:
    if isinstance(answer.get("result"), list):
        return _uploaded(sequence(answer.get("result")), reply)
    ahead = integer(mapping(answer.get("properties")).get("numberOfQueues"))
    return Accepted(_named(answer, reply), queue_position=ahead)


def _uploaded(urls: list[Any], reply: Reply) -> Succeeded:
    """An upload is done when it is answered; its result is the list of addresses."""
    assets = tuple(
        asset for url in urls if (asset := file_asset(url, "result", AssetType.IMAGE)) is not None
    )
    if not assets:
        raise UnrecognizedReply(
            f"success without a URL: {reply.excerpt()}",
            code=ErrorCode.ASSET_MISSING,
            upstream_status=reply.status,
        )
    return Succeeded(assets)


def _existed(answer: Mapping[str, Any], reply: Reply) -> SubmitAnswer:
    """Code 21: the same was ordered before and this is that task, or a window waits for its input.

    Where neither shows, the task's own status will tell.
    """
    upstream_id = _named(answer, reply)
    properties = mapping(answer.get("properties"))
    description = text(answer.get("description"))
    finished = text(properties.get("status")) or text(properties.get("imageUrl"))
    if finished or _EXISTS.search(description):
        return Accepted(upstream_id, existed=True)
    if _WINDOW.search(description) or properties.get("remix") is True:
        return AwaitingInput(upstream_id, description)
    return Accepted(upstream_id)


def _named(answer: Mapping[str, Any], reply: Reply) -> str:
    upstream_id = identifier(answer.get("result"))
    if upstream_id is None:
        raise UnrecognizedReply(
            f"accepted without a task id: {reply.excerpt()}",
            upstream_status=reply.status,
            upstream_code=str(answer.get("code")),
        )
    return upstream_id


def _object(reply: Reply) -> Mapping[str, Any]:
    """The body where it is a JSON object, and an empty one where it is not."""
    try:
        return reply.object()
    except UnrecognizedReply:
        return {}


def _tasks(reply: Reply) -> list[Mapping[str, Any]]:
    if is_nothing(reply):
        return []
    if reply.status >= 300 or not reply.body.lstrip().startswith(b"["):
        raise query_fault(reply)
    return [mapping(task) for task in sequence(reply.json())]
