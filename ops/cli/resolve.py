"""`genq resolve`: a person says what became of a job in doubt."""

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
        typer.Option("--upstream-id", metavar="ID", help="the task is there, under this id"),
    ] = None,
    requeue: Annotated[
        bool, typer.Option("--requeue", help="there is no task: send the job again")
    ] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="there is no task: let the job fail, unbilled")
    ] = False,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """
    Say what became of a job in doubt, after a look into the station's own list of tasks.

    A station that can be searched is asked once more, and what it has wins. At any other, be sure
    before you say --requeue: if there was a task after all, it is paid for twice.
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
            typer.echo(f"a worker settles it after a last look; to follow it: genq wait {job.id}")
