"""`genq demo`: a stack, a few jobs on the sandbox, and a check of everything genq promises."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console

from generation.job import JobState
from generation.settings import Settings
from ops.cli.exit_codes import CliError
from ops.local.demo_client import DemoClient, SubmitRefused, demo_client
from ops.local.demo_jobs import DEMO_JOBS, DemoJob
from ops.local.demo_outcome import DemoOutcome
from ops.local.demo_report import print_report
from ops.local.messages import print_addresses, print_line
from ops.local.planning import demo_data_folder, plan_demo
from ops.local.progress_rows import ProgressRow, ProgressRows
from ops.local.stack import LocalStack, running
from ops.local.webhook_receiver import DemoReceiver, running_receiver

#: More than every order's deadline: an end comes in any case.
JOBS_END_WITHIN = timedelta(minutes=4)
WEBHOOK_WITHIN = timedelta(seconds=30)


async def demo(settings: Settings, console: Console, *, once: bool) -> None:
    """
    Run the demonstration, and the stack on until it ends, or only the demonstration with `once`.

    Raises `StackEnded`; and `CliError` where the stack cannot be started or, with `once`, something
    did not go as it should.
    """
    data_folder = demo_data_folder(settings)
    with data_folder.locked():
        plan = plan_demo(data_folder, settings)
        print_line(
            console, "genq demo: everything runs on this machine, and nothing is bought.", "bold"
        )
        print_line(console)
        async with running(plan, console) as stack:
            print_line(console)
            problems = await demonstrate(stack, console)
            if once:
                finish(problems)
                return
            print_addresses(console, plan, stack.client)
            await asyncio.Event().wait()


async def demonstrate(stack: LocalStack, console: Console) -> list[str]:
    """Order, watch, check and report. What did not go as it should, in sentences."""
    client = stack.client
    async with demo_client(client) as caller, running_receiver(client.webhook_secret) as receiver:
        with ProgressRows(console, bars=True) as rows:
            jobs = await ordered(caller, receiver.url, rows)
        events = await asyncio.gather(
            *(receiver.wait_for_event(str(job["id"]), WEBHOOK_WITHIN) for job in jobs)
        )
        files = [
            await asyncio.gather(*(caller.fetch(asset) for asset in job["assets"])) for job in jobs
        ]
        paid = await caller.paid(stack.plan.sandbox_url or "")
    outcomes = [
        DemoOutcome(
            demo_job=demo_job, job=job, files=had, webhook_event=event, paid=paid_for(job, paid)
        )
        for demo_job, job, had, event in zip(DEMO_JOBS, jobs, files, events, strict=True)
    ]
    problems = [problem for outcome in outcomes for problem in outcome.problems()]
    problems += refusals(receiver)
    if (charged := sum(paid.values())) != (known := sum(outcome.paid for outcome in outcomes)):
        problems.append(f"the sandbox charged {charged} tasks, and the jobs know of {known}")
    problems += [f"{name} ended by itself and was started again" for name in stack.crashed]
    print_report(console, outcomes, problems)
    return problems


def paid_for(job: dict[str, Any], paid: Mapping[str, int]) -> int:
    """
    How often the sandbox, fresh with this stack, charged for a job. Where a protocol carries no
    reference of ours, the sandbox counts by its own task.
    """
    names = {str(job["id"]), str(job["upstream"]["id"])}
    return sum(paid.get(name, 0) for name in names)


async def ordered(
    caller: DemoClient, webhook_url: str, rows: ProgressRows
) -> Sequence[dict[str, Any]]:
    """The job of each order, at its end. Raises `CliError` for an order that is not accepted."""
    try:
        return await asyncio.gather(
            *(order_one(caller, demo_job, webhook_url, rows) for demo_job in DEMO_JOBS)
        )
    except SubmitRefused as error:
        raise CliError(f"an order of the demonstration was not accepted: {error}") from None


async def order_one(
    caller: DemoClient, demo_job: DemoJob, webhook_url: str, rows: ProgressRows
) -> dict[str, Any]:
    row = rows.add(f"{demo_job.type:18} {demo_job.title:13}", "ordering")
    job = await caller.demo_job(demo_job.body(webhook_url))

    def look(seen: dict[str, Any]) -> None:
        state = str(seen["state"])
        rows.show(row, state, seen["progress"] if state == JobState.RUNNING else 0)

    job = await caller.follow(job, look, JOBS_END_WITHIN)
    end_row(rows, row, demo_job, str(job["state"]))
    return job


def end_row(rows: ProgressRows, row: ProgressRow, demo_job: DemoJob, state: str) -> None:
    well = state == demo_job.expected
    expected = demo_job.expects_failure and well
    rows.end(row, f"{state}, as meant" if expected else state, well=well)


def refusals(receiver: DemoReceiver) -> list[str]:
    if not receiver.refused:
        return []
    return [f"{receiver.refused} webhooks arrived with a signature that is not the caller's"]


def finish(problems: Sequence[str]) -> None:
    """Raises `CliError` where there are problems; they have been shown already."""
    if problems:
        raise CliError(f"the demonstration failed: {'; '.join(problems)}")
