"""`genq endpoints`: register and manage webhook endpoints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.completion import complete_event
from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.jobs import inline_values
from ops.cli.key_value_arguments import split_pairs
from ops.cli.output import AsJson, print_fields, print_json, print_table

if TYPE_CHECKING:
    from genq import Endpoint

PANEL = "Webhooks and events"

endpoints_app = typer.Typer(help="Register and manage webhook endpoints.", no_args_is_help=True)

EndpointId = Annotated[
    str, typer.Argument(metavar="ID", help="whe_…, printed by genq endpoints list")
]
EventsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        help="event type such as job.succeeded; may be repeated",
        autocompletion=complete_event,
    ),
]
DescriptionOption = Annotated[str | None, typer.Option(help="free text")]
MetadataOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="only jobs with this metadata; may be repeated"),
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="NAME=VALUE", help="sent with every request; may be repeated"),
]
ConcurrencyOption = Annotated[int | None, typer.Option(min=1, help="maximum concurrent requests")]
RateOption = Annotated[float | None, typer.Option(min=0.01, help="maximum requests per second")]
OrderedOption = Annotated[
    bool | None,
    typer.Option("--ordered/--unordered", help="send events one after another, in order"),
]


def register(app: typer.Typer) -> None:
    app.add_typer(endpoints_app, name="endpoints", rich_help_panel=PANEL)


@endpoints_app.command()
def create(
    to: Annotated[str, typer.Argument(metavar="URL", help="where to send events")],
    *,
    event: EventsOption = None,
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    header: HeaderOption = None,
    concurrency: ConcurrencyOption = None,
    rate: RateOption = None,
    ordered: OrderedOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Register a URL that receives the events of all your jobs, and show its secret once.

    Without --event it receives every event that ends a job, and a notice when it is disabled.
    """
    fields = given_fields(
        events=event,
        description=description,
        metadata=metadata,
        headers=header,
        concurrency=concurrency,
        rate=rate,
        ordered=ordered,
    )
    with api_client(url, key) as client:
        endpoint = client.endpoints.create(to, **fields)
    show_with_secret(endpoint, as_json=as_json)


@endpoints_app.command("list")
def list_endpoints(
    *, as_json: AsJson = False, url: UrlOption = None, key: KeyOption = None
) -> None:
    """List your endpoints, oldest first."""
    with api_client(url, key) as client:
        endpoints = client.endpoints.list()
    if as_json:
        print_json([each.document for each in endpoints])
        return
    columns = ("id", "url", "events", "enabled", "description")
    rows = (
        (each.id, each.url, ", ".join(each.events), enabled_text(each), each.description)
        for each in endpoints
    )
    print_table(
        columns,
        rows,
        empty="there are no endpoints yet: run genq endpoints create URL",
        cut=("url",),
    )


@endpoints_app.command()
def get(
    endpoint_id: EndpointId,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one endpoint and its statistics of the last day."""
    with api_client(url, key) as client:
        endpoint = client.endpoints.get(endpoint_id)
        stats = client.endpoints.stats(endpoint_id)
    if as_json:
        print_json({**endpoint.document, "stats": stats})
    else:
        print_fields([*fields_of(endpoint), *stats_fields(stats)])


@endpoints_app.command("set")
def change(
    endpoint_id: EndpointId,
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="where to send events")
    ] = None,
    event: EventsOption = None,
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    header: HeaderOption = None,
    concurrency: ConcurrencyOption = None,
    rate: RateOption = None,
    ordered: OrderedOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Change the given fields of an endpoint; the others stay."""
    fields = given_fields(
        events=event,
        description=description,
        metadata=metadata,
        headers=header,
        concurrency=concurrency,
        rate=rate,
        ordered=ordered,
    )
    fields |= {"url": to} if to else {}
    if not fields:
        raise CliError(
            "no field to change was given: see genq endpoints set --help", ExitCode.USAGE
        )
    with api_client(url, key) as client:
        show(client.endpoints.change(endpoint_id, **fields), as_json=as_json)


@endpoints_app.command()
def delete(endpoint_id: EndpointId, *, url: UrlOption = None, key: KeyOption = None) -> None:
    """Delete an endpoint and cancel its pending deliveries."""
    with api_client(url, key) as client:
        client.endpoints.delete(endpoint_id)
    typer.echo(f"deleted {endpoint_id}")


def given_fields(
    *,
    events: list[str] | None,
    description: str | None,
    metadata: list[str] | None,
    headers: list[str] | None,
    concurrency: int | None,
    rate: float | None,
    ordered: bool | None,
) -> dict[str, Any]:
    """Return the endpoint fields that the command line sets."""
    fields: dict[str, Any] = {
        "events": events,
        "description": description,
        "metadata": dict(split_pairs(metadata)) if metadata else None,
        "headers": dict(split_pairs(headers)) if headers else None,
        "concurrency": concurrency,
        "rate": rate,
        "ordered": ordered,
    }
    return {name: value for name, value in fields.items() if value is not None and value != []}


def show(endpoint: "Endpoint", *, as_json: bool) -> None:
    print_json(endpoint.document) if as_json else print_fields(fields_of(endpoint))


def show_with_secret(endpoint: "Endpoint", *, as_json: bool) -> None:
    show(endpoint, as_json=as_json)
    if not as_json:
        print_fields([("secret", endpoint.secret or "")])
        typer.echo("Save the secret now: it is shown only once.", err=True)


def enabled_text(endpoint: "Endpoint") -> str:
    return "yes" if endpoint.enabled else f"no: {endpoint.disabled_reason}"


def fields_of(endpoint: "Endpoint") -> Iterator[tuple[str, str]]:
    document = endpoint.document
    yield "id", endpoint.id
    yield "url", endpoint.url
    yield "description", endpoint.description
    yield "events", ", ".join(endpoint.events)
    yield "only jobs with", inline_values(document["metadata"])
    yield "headers", inline_values(document["headers"])
    yield "concurrency", str(document["concurrency"])
    yield "per second", "" if document["rate"] is None else f"{document['rate']:g}"
    yield "ordered", "yes" if document["ordered"] else ""
    yield "enabled", enabled_text(endpoint)
    yield "created", document["created_at"]


def stats_fields(stats: dict[str, Any]) -> Iterator[tuple[str, str]]:
    states = ("delivered", "queued", "failed", "canceled")
    yield f"since {stats['since']}", ", ".join(f"{stats[state]} {state}" for state in states)
    if stats["success_rate"] is not None:
        yield "success", f"{stats['success_rate']:.1%}"
    yield "failing since", stats["failing_since"] or ""
    if stats["failing_percent"]:
        yield "until disabled", f"{stats['failing_percent']} % of the way"
