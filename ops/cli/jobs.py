"""`genq get`, `list` and `cancel`: jobs, as the API tells of them."""
# ruff: noqa: PLC0415  (what a rare warning needs is loaded for it)

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generation.job import JobState
from ops.cli.completion import complete_provider
from ops.cli.connection import KeyOption, UrlOption, calling
from ops.cli.ending import warn
from ops.cli.output import AsJson, plain, print_fields, print_json, print_table

if TYPE_CHECKING:
    from genq import Client
    from genq.job import Document

PANEL = "Order and watch"
#: Of a table of jobs.
COLUMNS = ("id", "operation", "state", "%", "ordered", "outcome")
#: What a terminal shows the beginning of; `genq get` shows all.
CUT = ("outcome",)

JobId = Annotated[str, typer.Argument(metavar="ID", help="job_…, as genq submit prints it")]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(get)
    app.command("list", rich_help_panel=PANEL)(list_jobs)
    app.command(rich_help_panel=PANEL)(cancel)


def get(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show one job: where it stands, why it waits, what came of it."""
    with calling(url, key) as client:
        job = client.get(job_id).document
    print_json(job) if as_json else print_fields(fields_of(job))


def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="only jobs in this state")] = None,
    provider: Annotated[
        str | None,
        typer.Option(help="only jobs of this provider", autocompletion=complete_provider),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="the most jobs to list")] = 20,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List your jobs, newest first."""
    filters = {"state": state, "provider": provider}
    given = {name: str(value) for name, value in filters.items() if value is not None}
    with calling(url, key) as client:
        jobs = [job.document for job in client.list(limit=limit, **given)]
        if provider and not jobs:
            warn_of_provider(client, provider)
    if as_json:
        print_json(jobs)
        return
    print_table(COLUMNS, map(row_of, jobs), empty="there are no such jobs", cut=CUT)


def warn_of_provider(client: "Client", name: str) -> None:
    """Warn of a provider that the API does not know: the name may be misspelt."""
    from api.http.validation_errors import no_such

    known = {each["provider"] for each in client.document("/v1/operations")["data"]}
    if name not in known:
        warn(plain(no_such(f"provider {name!r}", name, sorted(known))))


def cancel(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """
    Cancel a job.

    One that was not sent yet is canceled at once, and costs nothing. One that is upstream is
    stopped there if the provider can do that; otherwise its result is let go of, and it was paid.
    """
    with calling(url, key) as client:
        job = client.cancel(job_id).document
    if as_json:
        print_json(job)
    elif job["state"] == JobState.CANCELED:
        typer.echo(f"canceled {job['id']}; billed: {job['billed']}")
    else:
        typer.echo(f"canceling {job['id']}: its upstream is being told; genq wait {job['id']}")


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
    """What came of it, or why it waits, in few words."""
    if job["error"]:
        return f"{job['error']['code']}: {job['error']['message']}"
    urls = [asset["url"] for asset in job["assets"]]
    more = f" (+{len(urls) - 1})" if len(urls) > 1 else ""
    return f"{urls[0]}{more}" if urls else job["reason"] or ""


def fields_of(job: "Document") -> Iterator[tuple[str, str]]:
    """Name and value of everything a person wants to know of a job."""
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
    yield "input", in_short(job["input"])
    yield "metadata", in_short(job["metadata"])
    yield "station", job["upstream"]["station"] or ""
    yield "upstream id", job["upstream"]["id"] or ""
    yield "billed", job["billed"]
    yield "ordered", job["created_at"]
    yield "accepted", job["started_at"] or ""
    yield "ended", job["finished_at"] or ""
    yield "erased", job["erased_at"] or ""
    if not job["finished_at"]:
        yield "deadline", job["deadline"]


def what_to_do(job: "Document") -> str:
    """The command that a job waits for; empty where it waits for nobody."""
    match job["state"]:
        case JobState.AWAITING_INPUT:
            return f"genq input {job['id']} NAME=VALUE"
        case JobState.IN_DOUBT:
            return f"genq wait {job['id']}, or look at the station and genq resolve {job['id']}"
        case _:
            return ""


def in_short(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
