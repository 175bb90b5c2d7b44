"""`genq demo`: a stack, a few sandbox jobs, and a check of genq's promises."""

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
from ops.local.stack import LocalStack, running_stack
from ops.local.webhook_receiver import DemoReceiver, running_receiver

#: Longer than every job's deadline, so that all jobs end in time.
JOBS_END_WITHIN = timedelta(minutes=4)
WEBHOOK_WITHIN = timedelta(seconds=30)


async def demo(settings: Settings, console: Console, *, once: bool) -> None:
    """Run the demonstration; then keep the stack running unless `once`.

    Raises `StackEnded`. Raises `CliError` if the stack cannot start or, with `once`, if a check
    failed.
    """
    data_folder = demo_data_folder(settings)
    with data_folder.locked():
        plan = plan_demo(data_folder, settings)
        print_line(console, "genq demo: everything runs on this machine and costs nothing.", "bold")
        print_line(console)
        async with running_stack(plan, console) as stack:
            print_line(console)
            problems = await demonstrate(stack, console)
            if once:
                raise_if_failed(problems)
                return
            print_addresses(console, plan, stack.client)
            await asyncio.Event().wait()


async def demonstrate(stack: LocalStack, console: Console) -> list[str]:
    """Submit jobs, watch, check and report. Returns the problems, one sentence each."""
    client = stack.client
    async with demo_client(client) as caller, running_receiver(client.webhook_secret) as receiver:
        with ProgressRows(console, bars=True) as rows:
            jobs = await run_demo_jobs(caller, receiver.url, rows)
        events = await asyncio.gather(
            *(receiver.wait_for_event(str(job["id"]), WEBHOOK_WITHIN) for job in jobs)
        )
        files = [
            await asyncio.gather(*(caller.fetch(asset) for asset in job["assets"])) for job in jobs
        ]
        paid = await caller.paid_counts(stack.plan.sandbox_url or "")
    outcomes = [
        DemoOutcome(
            demo_job=demo_job, job=job, files=had, webhook_event=event, paid=paid_for(job, paid)
        )
        for demo_job, job, had, event in zip(DEMO_JOBS, jobs, files, events, strict=True)
    ]
    problems = [problem for outcome in outcomes for problem in outcome.problems()]
    problems += signature_problems(receiver)
    if (charged := sum(paid.values())) != (known := sum(outcome.paid for outcome in outcomes)):
        problems.append(f"the sandbox charged {charged} tasks, but the jobs account for {known}")
    problems += [f"{name} exited unexpectedly and was restarted" for name in stack.crashed]
    print_report(console, outcomes, problems)
    return problems


def paid_for(job: dict[str, Any], paid: Mapping[str, int]) -> int:
    """Return how many tasks the sandbox charged for a job.

    If a protocol carries no client reference, the sandbox counts by its own task id.
    """
    names = {str(job["id"]), str(job["upstream"]["id"])}
    return sum(paid.get(name, 0) for name in names)


async def run_demo_jobs(
    caller: DemoClient, webhook_url: str, rows: ProgressRows
) -> Sequence[dict[str, Any]]:
    """Return each job at its end. Raises `CliError` if one is not accepted."""
    try:
        return await asyncio.gather(
            *(run_demo_job(caller, demo_job, webhook_url, rows) for demo_job in DEMO_JOBS)
        )
    except SubmitRefused as error:
        raise CliError(f"a job of the demonstration was not accepted: {error}") from None


async def run_demo_job(
    caller: DemoClient, demo_job: DemoJob, webhook_url: str, rows: ProgressRows
) -> dict[str, Any]:
    row = rows.add(f"{demo_job.type:18} {demo_job.title:13}", "submitting")
    job = await caller.submit(demo_job.body(webhook_url))

    def show_state(seen: dict[str, Any]) -> None:
        state = str(seen["state"])
        rows.show(row, state, seen["progress"] if state == JobState.RUNNING else 0)

    job = await caller.wait_until_ended(job, show_state, JOBS_END_WITHIN)
    finish_row(rows, row, demo_job, str(job["state"]))
    return job


def finish_row(rows: ProgressRows, row: ProgressRow, demo_job: DemoJob, state: str) -> None:
    as_expected = state == demo_job.expected
    failed_as_expected = demo_job.expects_failure and as_expected
    rows.end(row, f"{state}, as expected" if failed_as_expected else state, well=as_expected)


def signature_problems(receiver: DemoReceiver) -> list[str]:
    if not receiver.refused:
        return []
    return [f"{receiver.refused} webhooks arrived with an invalid signature"]


def raise_if_failed(problems: Sequence[str]) -> None:
    """Raise `CliError` if there are problems; they have been printed already."""
    if problems:
        raise CliError(f"the demonstration failed: {'; '.join(problems)}")
