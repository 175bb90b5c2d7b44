"""`genq explain`: the history of a job in plain words."""
# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.jobs import PANEL, JobId
from ops.cli.output import AsJson, print_json, printable

if TYPE_CHECKING:
    from genq.job import Document


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PANEL)(explain)


def explain(
    job_id: JobId, *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """Explain what happened to a job and why, who was notified, and what happens next."""
    from genq.calls import job_path

    with api_client(url, key) as client:
        document = client.document(job_path(job_id, "explain"))
    if as_json:
        print_json(document)
        return
    for line in lines(document):
        typer.echo(printable(line))


def lines(document: "Document") -> Iterator[str]:
    """Yield the explanation line by line."""
    yield f"{document['job']}  {document['type']}  {document['state']}"
    yield document["summary"]
    yield document["billed"]["words"]
    yield ""
    yield "What happened"
    for move in document["story"]:
        yield f"  {move['at']}  {move['words']}"
    if document["deliveries"]:
        yield ""
        yield "Deliveries"
        for delivery in document["deliveries"]:
            yield f"  {delivery['event']} to {delivery['url']}: {delivery['words']}"
            for attempt in delivery["tries"]:
                outcome = attempt["detail"] or f"HTTP {attempt['status']}"
                yield f"    {attempt['at']}  attempt {attempt['number']}: {outcome}"
    yield ""
    yield "What happens next"
    for each in document["next"]:
        yield f"  {each['at'] or 'any time':24}  {each['what']}"
    if not document["next"]:
        yield "  Nothing: the job has ended and every delivery is finished."
    if words := document["upstream"]["words"]:
        yield ""
        yield "Last upstream response"
        yield from (f"  {line}" for line in words.splitlines())
