"""`genq input`: what a job waits for, so that it goes on."""
# ruff: noqa: PLC0415  (the providers are loaded when they are asked)

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.input_file import InputOption, read_input
from ops.cli.jobs import PANEL, JobId
from ops.cli.key_value_arguments import read_key_values
from ops.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from genq.job import Document


def register(app: typer.Typer) -> None:
    app.command("input", rich_help_panel=PANEL)(give_input)


def give_input(
    job_id: JobId,
    assignments: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="what the job waits for")
    ] = None,
    *,
    input_file: InputOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """
    Give a job in the state awaiting_input what it waits for. It is sent upstream once.

    Example: genq input job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G prompt="a lighthouse at night"
    """
    if not assignments and input_file is None:
        raise CliError("give what the job waits for, as NAME=VALUE or --input FILE", ExitCode.USAGE)
    given = read_input(input_file)
    with api_client(url, key) as client:
        schema = schema_of(client.get(job_id).document)
        job = client.give_input(job_id, given | read_key_values(assignments or (), schema))
    if as_json:
        print_json(job.document)
    else:
        typer.echo(f"{job.id} goes on; to wait for it: genq wait {job.id}")


def schema_of(job: "Document") -> Mapping[str, Any]:
    """The schema of what this job can be given; empty where this genq does not know it."""
    from generation import providers

    dialect = job["upstream"]["dialect"] or ""
    operation = providers.find(job["provider"], job["operation"], dialect)
    model = operation.input_request if operation else None
    return model.model_json_schema() if model else {}
