"""`genq erase`: delete the content of a job."""

import typer

from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.jobs import PANEL, JobId
from ops.cli.output import AsJson, print_json


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(erase)


def erase(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Permanently erase the content of an ended job: input, results, metadata, webhook.

    What remains is when and where it was submitted and whether it was billed. Result files stay at
    the station.
    """
    with api_client(url, key) as client:
        job = client.erase(job_id).document
    if as_json:
        print_json(job)
    else:
        typer.echo(f"erased {job['id']}; billed: {job['billed']}")
