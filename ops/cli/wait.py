"""`genq wait`: wait until jobs end."""
# ruff: noqa: PLC0415  (commands import rich and the HTTP client when they run)

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.connection import RETRY_SECONDS_WHILE_WAITING, KeyOption, UrlOption, api_client
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.jobs import what_to_do
from ops.cli.output import AsJson, print_json_line, printable

if TYPE_CHECKING:
    from genq import Client
    from genq.job import Document

TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        help="stop waiting after this time (exit code 4); the jobs continue",
    ),
]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Submit and watch jobs")(wait)


def wait(
    job_ids: Annotated[list[str], typer.Argument(metavar="ID", help="job_…, one or more")],
    *,
    timeout: TimeoutOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Wait until jobs end, and print their results: one URL or text per line.

    Exit code: 0 all succeeded, 1 a job failed, expired or was canceled, 3 the API is unreachable or
    rejected the request, 4 timeout. With --json, each ended job is one line of JSON.
    """
    with api_client(url, key, RETRY_SECONDS_WHILE_WAITING) as client:
        wait_for_jobs(client, job_ids, timeout, as_json=as_json)


def wait_for_jobs(
    client: "Client", job_ids: Sequence[str], timeout: float | None, *, as_json: bool
) -> None:
    """Wait, print the results, and end the command with the matching exit code."""
    from ops.cli.job_watcher import JobWatcher
    from ops.cli.progress import JobProgress, stderr_terminal

    with JobProgress(stderr_terminal()) as progress:
        watcher = JobWatcher(client, job_ids, timeout, progress.show)
        ended = watcher.until_ended()
    for job in ended.values():
        if as_json:
            print_json_line(job)
        else:
            print_results(job)
    waiting = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in ended]
    if waiting:
        hints = "".join(
            f"; {job_id} needs input: {what_to_do(watcher.latest[job_id])}"
            for job_id in waiting
            if watcher.latest[job_id]["state"] == "awaiting_input"
        )
        raise CliError(
            f"not ended after {timeout:g} s: {' '.join(waiting)}; they continue, and genq wait"
            f" waits for them again{hints}",
            ExitCode.TIMED_OUT,
        )
    if any(job["state"] != "succeeded" for job in ended.values()):
        raise typer.Exit(ExitCode.FAILED)


def print_results(job: "Document") -> None:
    """Print a job's asset URLs and texts on standard output."""
    for asset in job["assets"]:
        typer.echo(printable(asset["url"]))
    for text in job["texts"]:
        typer.echo(printable(text))
