"""Removes from a result what the job's own request contains.

A look is made without the request, which may be megabytes of pictures: it is read once a task has
succeeded.
"""

from dataclasses import replace
from typing import TypeVar

from generation.contract.errors import Fault
from generation.contract.given import given_in
from generation.contract.status import Succeeded
from generation.contract.usable_assets import usable
from generation.job import Job
from generation.stations.binding import Binding
from generation.upstream.transcript import UpstreamAnswer
from worker.context import WorkerContext

Answer = TypeVar("Answer")


async def without_given(
    context: WorkerContext, job: Job, binding: Binding, said: UpstreamAnswer[Answer]
) -> UpstreamAnswer[Answer]:
    """Return the answer without the URLs that the job's request contains.

    Raises `UnrecognizedReply` with `asset_missing` if a success has nothing else.
    """
    answer = said.answer
    if not isinstance(answer, Succeeded) or not answer.assets or binding.operation.gives_back:
        return said
    stored = await context.store.jobs.get(job.id)
    given = given_in(stored.input) if stored else frozenset[str]()
    try:
        judged = usable(said.answer, given)
    except Fault as fault:
        fault.words = said.words
        raise
    return said if judged is answer else replace(said, answer=judged)
