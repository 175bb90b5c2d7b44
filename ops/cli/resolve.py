"""`genq resolve`: settle a job that is in doubt."""

from typing import Annotated

import typer

from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.jobs import PANEL, JobId
from ops.cli.output import AsJson, print_json


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(resolve)


def resolve(
    job_id: JobId,
    *,
    upstream_id: Annotated[
        str | None,
        typer.Option("--upstream-id", metavar="ID", help="the task exists, with this id"),
    ] = None,
    requeue: Annotated[
        bool, typer.Option("--requeue", help="there is no task: submit the job again")
    ] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="there is no task: fail the job, unbilled")
    ] = False,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Settle a job that is in doubt, after checking the station's own task list.

    If the station can be searched, genq searches it once more and a found task wins. Otherwise be
    sure before you use --requeue: if there was a task after all, it is paid twice.
    """
    if (upstream_id is not None) + requeue + fail != 1:
        raise CliError("give one of --upstream-id ID, --requeue and --fail", ExitCode.USAGE)
    then = None if upstream_id is not None else "requeue" if requeue else "fail"
    with api_client(url, key) as client:
        job = client.resolve(job_id, upstream_id=upstream_id, then=then)
    if as_json:
        print_json(job.document)
    else:
        typer.echo(f"{job.id} is {job.state}; billed: {job.billed}")
        if job.state == "in_doubt":
            typer.echo(f"a worker searches once more and settles it; wait with genq wait {job.id}")
