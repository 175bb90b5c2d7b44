"""`genq batch`: submit, inspect, wait for and cancel batches of jobs."""
# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ops.cli.connection import (
    RETRY_SECONDS,
    RETRY_SECONDS_WHILE_WAITING,
    KeyOption,
    UrlOption,
    api_client,
)
from ops.cli.exit_codes import CliError, ExitCode, warn
from ops.cli.idempotency import checked_idempotency_key
from ops.cli.jobs import COLUMNS, CUT, PANEL, row_of
from ops.cli.key_value_arguments import read_json
from ops.cli.output import AsJson, print_fields, print_json, print_json_line, print_table, printable
from ops.cli.wait import TimeoutOption, wait_for_jobs

if TYPE_CHECKING:
    from genq import Batch
    from genq.job import Document

#: The API's limit of jobs per batch.
MAX_BATCH = 100
#: How the API points at a job of a batch.
BATCH_POINTER = re.compile(r"#/jobs/(?P<index>\d+)(?P<rest>.*)")

batch_app = typer.Typer(help="Submit, watch and cancel many jobs at once.", no_args_is_help=True)

BatchId = Annotated[str, typer.Argument(metavar="ID", help="batch_…, printed by genq batch submit")]


def register(app: typer.Typer) -> None:
    app.add_typer(batch_app, name="batch", rich_help_panel=PANEL)


@batch_app.command()
def submit(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="one job per line, as JSON; - for standard input")
    ],
    *,
    each: Annotated[
        bool, typer.Option("--each", help="accept valid jobs and report the others")
    ] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="submitting the file again with this key creates no second jobs",
            callback=checked_idempotency_key,
        ),
    ] = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Submit every line of a file as a job, in batches of 100, and print the batch ids.

    A line is the body of POST /v1/jobs: {"provider": "kling", "operation": "text2video", "input":
    {"prompt": "a boat"}}. A batch is accepted completely or not at all. With --each, valid jobs are
    accepted, rejected ones are reported, and the exit code is 1 if any was rejected.
    """
    source = "standard input" if file == "-" else file
    lines = read_lines(file, source)
    rejected = False
    with api_client(url, key, RETRY_SECONDS) as client:
        for begin in range(0, len(lines), MAX_BATCH):
            part = lines[begin : begin + MAX_BATCH]
            name = f"{idempotency_key}-{begin}" if idempotency_key else None
            try:
                batch = client.submit_batch(
                    [line.job for line in part], each=each, idempotency_key=name
                )
            except Exception as error:
                if begin:
                    warn(f"{source}, line {part[0].number} and all later lines were not submitted")
                raise locate_errors(error, source, part) from None
            show_submitted(batch, source, part, as_json=as_json)
            rejected = rejected or bool(batch.rejected)
    if rejected:
        raise typer.Exit(ExitCode.FAILED)


@batch_app.command()
def get(
    batch_id: BatchId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Show a batch: the number of jobs in each state, and each job."""
    with api_client(url, key) as client:
        batch = client.get_batch(batch_id)
        jobs = [] if as_json else [job.document for job in client.list(batch=batch_id)]
    if as_json:
        print_json(batch.document)
        return
    print_fields(fields_of(batch))
    print_table(COLUMNS, map(row_of, reversed(jobs)), empty="its jobs have been deleted", cut=CUT)


@batch_app.command()
def wait(
    batch_id: BatchId,
    *,
    timeout: TimeoutOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Wait until all jobs of a batch have ended; exit codes as for genq wait."""
    with api_client(url, key, RETRY_SECONDS_WHILE_WAITING) as client:
        batch = client.get_batch(batch_id)
        jobs = [job.id for job in client.list(batch=batch.id)]
        wait_for_jobs(client, jobs[::-1], timeout, as_json=as_json)


@batch_app.command()
def cancel(
    batch_id: BatchId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Cancel the unfinished jobs of a batch, as genq cancel does."""
    with api_client(url, key) as client:
        batch = client.cancel_batch(batch_id)
    if as_json:
        print_json(batch.document)
    elif batch.done:
        typer.echo(f"{batch.id} has ended: {counts_of(batch)}")
    else:
        typer.echo(
            f"canceling {batch.id}: {counts_of(batch)}; wait with genq batch wait {batch.id}"
        )


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One job of the file, with its line number counted from 1."""

    number: int
    job: "Document"


def read_lines(file: str, source: str) -> Sequence[BatchLine]:
    """Read every line that is not empty. Raises `CliError`, naming the line."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CliError(f"{source} cannot be read: {error.strerror}", ExitCode.USAGE) from None
    lines = [
        BatchLine(number, read_job(line, f"{source}, line {number}"))
        for number, line in enumerate(content.split(b"\n"), start=1)
        if line.strip()
    ]
    if not lines:
        raise CliError(f"{source} contains no jobs: write one JSON object per line", ExitCode.USAGE)
    return lines


def read_job(line: bytes, where: str) -> "Document":
    try:
        job = read_json(line)
    except ValueError as error:
        raise CliError(f"{where} is not JSON: {error}", ExitCode.USAGE) from None
    if not isinstance(job, dict):
        raise CliError(
            f'{where} is not a JSON object; for example {{"provider": "kling", …}}', ExitCode.USAGE
        )
    return cast("Document", job)


def locate_errors(error: Exception, source: str, lines: Sequence[BatchLine]) -> Exception:
    """Replace pointers into the batch by line numbers of the file."""
    from genq import Refused
    from genq.steps import pointer_prefix

    if not isinstance(error, Refused) or not error.errors:
        return error
    found: list[str] = []
    for each in error.errors:
        pointed = BATCH_POINTER.fullmatch(each["pointer"])
        if pointed is None:
            return error
        where = pointer_prefix({"pointer": f"#{pointed['rest']}"})
        number = lines[int(pointed["index"])].number
        found.append(f"{source}, line {number}: {where}{each['detail']}")
    return CliError(f"the API rejected the request: {'; '.join(found)}", ExitCode.REFUSED)


def show_submitted(
    batch: "Batch", source: str, lines: Sequence[BatchLine], *, as_json: bool
) -> None:
    """Print the batch id on standard output and rejected lines on standard error."""
    from genq.steps import problem_text

    if as_json:
        print_json_line(batch.document)
        return
    typer.echo(printable(batch.id))
    typer.echo(
        f"accepted {batch.total} jobs; wait for them with genq batch wait {batch.id}", err=True
    )
    for each in batch.rejected:
        problem = problem_text(each.document)
        warn(printable(f"{source}, line {lines[each.index].number} was rejected: {problem}"))


def fields_of(batch: "Batch") -> Iterator[tuple[str, str]]:
    yield "id", batch.id
    yield "created", batch.document["created_at"]
    yield "jobs", str(batch.total)
    yield "states", counts_of(batch)


def counts_of(batch: "Batch") -> str:
    return ", ".join(f"{count} {state}" for state, count in batch.counts.items())
