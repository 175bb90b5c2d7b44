"""`genq input`: send the input a job is waiting for."""
# ruff: noqa: PLC0415  (providers are imported only when needed)

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
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="the input the job needs")
    ] = None,
    *,
    input_file: InputOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send the input that a job in the state awaiting_input needs.

    It is sent upstream once.

    Example: genq input job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G prompt="a lighthouse at night"
    """
    if not assignments and input_file is None:
        raise CliError("give the input as NAME=VALUE or --input FILE", ExitCode.USAGE)
    given = read_input(input_file)
    with api_client(url, key) as client:
        schema = schema_of(client.get(job_id).document)
        job = client.give_input(job_id, given | read_key_values(assignments or (), schema))
    if as_json:
        print_json(job.document)
    else:
        typer.echo(f"{job.id} continues; wait for it with genq wait {job.id}")


def schema_of(job: "Document") -> Mapping[str, Any]:
    """Return the schema of the input this job accepts; empty if this genq does not know it."""
    from generation import providers

    dialect = job["upstream"]["dialect"] or ""
    operation = providers.find(job["provider"], job["operation"], dialect)
    model = operation.input_request if operation else None
    return model.model_json_schema() if model else {}
