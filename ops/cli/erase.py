"""`genq erase`: a job's content, gone for good."""

import typer

from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.jobs import PANEL, JobId
from ops.cli.output import AsJson, print_json


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(erase)


def erase(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """
    Erase the content of a job that has ended, for good: input, results, metadata, webhook.

    What is kept says when and where it was bought, and what it cost. The files of the results are
    the station's, and stay there.
    """
    with api_client(url, key) as client:
        job = client.erase(job_id).document
    if as_json:
        print_json(job)
    else:
        typer.echo(f"erased {job['id']}; billed: {job['billed']}")
