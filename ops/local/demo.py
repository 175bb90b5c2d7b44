"""`genq demo`: a stack, a few jobs on the sandbox, and a check of everything genq promises."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console

from generation.job import JobState
from generation.settings import Settings
from ops.cli.exit_codes import Stop
from ops.local.demo_client import Caller, Refused, calling
from ops.local.demo_jobs import ORDERS, DemoOrder
from ops.local.demo_outcome import Outcome
from ops.local.demo_report import say_report
from ops.local.messages import say, say_where
from ops.local.planning import home_for_demo, plan_demo
from ops.local.progress_rows import Row, Rows
from ops.local.stack import LocalStack, running
from ops.local.webhook_receiver import Receiver, receiving

#: More than every order's deadline: an end comes in any case.
JOBS_END_WITHIN = timedelta(minutes=4)
WEBHOOK_WITHIN = timedelta(seconds=30)


async def demo(settings: Settings, console: Console, *, once: bool) -> None:
    """
    Run the demonstration, and the stack on until it ends, or only the demonstration with `once`.

    Raises `StackEnded`; and `Stop` where the stack cannot be started or, with `once`, something
    did not go as it should.
    """
    home = home_for_demo(settings)
    with home.locked():
        plan = plan_demo(home, settings)
        say(console, "genq demo: everything runs on this machine, and nothing is bought.", "bold")
        say(console)
        async with running(plan, console) as stack:
            say(console)
            problems = await demonstrate(stack, console)
            if once:
                finish(problems)
                return
            say_where(console, plan, stack.client)
            await asyncio.Event().wait()


async def demonstrate(stack: LocalStack, console: Console) -> list[str]:
    """Order, watch, check and report. What did not go as it should, in sentences."""
    client = stack.client
    async with calling(client) as caller, receiving(client.webhook_secret) as receiver:
        with Rows(console, bars=True) as rows:
            jobs = await ordered(caller, receiver.url, rows)
        told = await asyncio.gather(
            *(receiver.told(str(job["id"]), WEBHOOK_WITHIN) for job in jobs)
        )
        files = [
            await asyncio.gather(*(caller.fetch(asset) for asset in job["assets"])) for job in jobs
        ]
        paid = await caller.paid(stack.plan.sandbox_url or "")
    outcomes = [
        Outcome(order=order, job=job, files=had, told=word, paid=paid_for(job, paid))
        for order, job, had, word in zip(ORDERS, jobs, files, told, strict=True)
    ]
    problems = [problem for outcome in outcomes for problem in outcome.problems()]
    problems += refusals(receiver)
    if (charged := sum(paid.values())) != (known := sum(outcome.paid for outcome in outcomes)):
        problems.append(f"the sandbox charged {charged} tasks, and the jobs know of {known}")
    problems += [f"{name} ended by itself and was started again" for name in stack.crashed]
    say_report(console, outcomes, problems)
    return problems


def paid_for(job: dict[str, Any], paid: Mapping[str, int]) -> int:
    """
    How often the sandbox, fresh with this stack, charged for a job. Where a protocol carries no
    reference of ours, the sandbox counts by its own task.
    """
    names = {str(job["id"]), str(job["upstream"]["id"])}
    return sum(paid.get(name, 0) for name in names)


async def ordered(caller: Caller, webhook_url: str, rows: Rows) -> Sequence[dict[str, Any]]:
    """The job of each order, at its end. Raises `Stop` for an order that is not accepted."""
    try:
        return await asyncio.gather(
            *(order_one(caller, order, webhook_url, rows) for order in ORDERS)
        )
    except Refused as error:
        raise Stop(f"an order of the demonstration was not accepted: {error}") from None


async def order_one(
    caller: Caller, order: DemoOrder, webhook_url: str, rows: Rows
) -> dict[str, Any]:
    row = rows.add(f"{order.type:18} {order.title:13}", "ordering")
    job = await caller.order(order.body(webhook_url))

    def look(seen: dict[str, Any]) -> None:
        state = str(seen["state"])
        rows.show(row, state, seen["progress"] if state == JobState.RUNNING else 0)

    job = await caller.follow(job, look, JOBS_END_WITHIN)
    end_row(rows, row, order, str(job["state"]))
    return job


def end_row(rows: Rows, row: Row, order: DemoOrder, state: str) -> None:
    well = state == order.meant
    meant = order.is_meant_to_fail and well
    rows.end(row, f"{state}, as meant" if meant else state, well=well)


def refusals(receiver: Receiver) -> list[str]:
    if not receiver.refused:
        return []
    return [f"{receiver.refused} webhooks arrived with a signature that is not the caller's"]


def finish(problems: Sequence[str]) -> None:
    """Raises `Stop` where there are problems; they have been shown already."""
    if problems:
        raise Stop(f"the demonstration failed: {'; '.join(problems)}")
