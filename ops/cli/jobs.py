"""`genq get`, `genq list` and `genq cancel`."""
# ruff: noqa: PLC0415  (a rare warning imports what it needs)

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generation.job import JobState
from ops.cli.completion import complete_provider
from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.exit_codes import warn
from ops.cli.output import AsJson, print_fields, print_json, print_table, printable

if TYPE_CHECKING:
    from genq import Client
    from genq.job import Document

PANEL = "Submit and watch jobs"
#: Columns of a table of jobs.
COLUMNS = ("id", "operation", "state", "%", "created", "outcome")
#: Columns that a terminal shows truncated; `genq get` shows them in full.
CUT = ("outcome",)

JobId = Annotated[str, typer.Argument(metavar="ID", help="job_…, printed by genq submit")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(get)
    app.command("list", rich_help_panel=PANEL)(list_jobs)
    app.command(rich_help_panel=PANEL)(cancel)


def get(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show one job: its state, the reason it waits, its results."""
    with api_client(url, key) as client:
        job = client.get(job_id).document
    print_json(job) if as_json else print_fields(fields_of(job))


def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="only jobs in this state")] = None,
    provider: Annotated[
        str | None,
        typer.Option(help="only jobs of this provider", autocompletion=complete_provider),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="maximum number of jobs")] = 20,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List your jobs, newest first."""
    filters = {"state": state, "provider": provider}
    given = {name: str(value) for name, value in filters.items() if value is not None}
    with api_client(url, key) as client:
        jobs = [job.document for job in client.list(limit=limit, **given)]
        if provider and not jobs:
            warn_of_provider(client, provider)
    if as_json:
        print_json(jobs)
        return
    print_table(COLUMNS, map(row_of, jobs), empty="no jobs match", cut=CUT)


def warn_of_provider(client: "Client", name: str) -> None:
    """Warn about a provider the API does not know; the name may be misspelt."""
    from api.http.validation_errors import no_such

    known = {each["provider"] for each in client.document("/v1/operations")["data"]}
    if name not in known:
        warn(printable(no_such(f"provider {name!r}", name, sorted(known))))


def cancel(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Cancel a job.

    A job that has not been submitted is canceled at once and costs nothing. A submitted job is
    stopped upstream if the provider supports it; otherwise its result is discarded and it stays
    billed.
    """
    with api_client(url, key) as client:
        job = client.cancel(job_id).document
    if as_json:
        print_json(job)
    elif job["state"] == JobState.CANCELED:
        typer.echo(f"canceled {job['id']}; billed: {job['billed']}")
    else:
        typer.echo(f"canceling {job['id']} upstream; wait with genq wait {job['id']}")


def row_of(job: "Document") -> tuple[str, ...]:
    progress = "" if job["progress"] is None else str(job["progress"])
    return (
        job["id"],
        f"{job['provider']}.{job['operation']}",
        job["state"],
        progress,
        job["created_at"],
        outcome(job),
    )


def outcome(job: "Document") -> str:
    """Return the result, the error or the reason for waiting, in one line."""
    if job["error"]:
        return f"{job['error']['code']}: {job['error']['message']}"
    urls = [asset["url"] for asset in job["assets"]]
    more = f" (+{len(urls) - 1})" if len(urls) > 1 else ""
    return f"{urls[0]}{more}" if urls else job["reason"] or ""


def fields_of(job: "Document") -> Iterator[tuple[str, str]]:
    """Yield names and values of a job for a person."""
    yield "id", job["id"]
    yield "operation", f"{job['provider']}.{job['operation']}"
    yield "state", job["state"] + (", canceling" if job["canceling"] else "")
    yield "reason", job["reason"] or ""
    if job["progress"] is not None:
        yield "progress", f"{job['progress']} %"
    if job["error"]:
        yield "error", f"{job['error']['code']}: {job['error']['message']}"
    for asset in job["assets"]:
        yield f"{asset['type']} ({asset['role']})", asset["url"]
    for text in job["texts"]:
        yield "text", text
    yield "actions", ", ".join(job["actions"])
    yield "what to do", what_to_do(job)
    yield "input", inline_values(job["input"])
    yield "metadata", inline_values(job["metadata"])
    yield "station", job["upstream"]["station"] or ""
    yield "upstream id", job["upstream"]["id"] or ""
    yield "billed", job["billed"]
    yield "created", job["created_at"]
    yield "accepted", job["started_at"] or ""
    yield "ended", job["finished_at"] or ""
    yield "erased", job["erased_at"] or ""
    if not job["finished_at"]:
        yield "deadline", job["deadline"]


def what_to_do(job: "Document") -> str:
    """Return the command that continues a waiting job; empty if none is needed."""
    match job["state"]:
        case JobState.AWAITING_INPUT:
            return f"genq input {job['id']} NAME=VALUE"
        case JobState.IN_DOUBT:
            return f"genq wait {job['id']}, or check the station and run genq resolve {job['id']}"
        case _:
            return ""


def inline_values(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
