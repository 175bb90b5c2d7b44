"""`genq deliveries`: list, inspect and resend webhook deliveries."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from generation.webhooks.delivery import DeliveryState
from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.endpoints import PANEL
from ops.cli.output import AsJson, print_fields, print_json, print_table

if TYPE_CHECKING:
    from genq.job import Document

deliveries_app = typer.Typer(
    help="Inspect webhook deliveries and send them again.", no_args_is_help=True
)

DeliveryId = Annotated[
    str, typer.Argument(metavar="ID", help="dlv_…, printed by genq deliveries list")
]


def register(app: typer.Typer) -> None:
    app.add_typer(deliveries_app, name="deliveries", rich_help_panel=PANEL)


@deliveries_app.command("list")
def list_deliveries(
    *,
    state: Annotated[
        DeliveryState | None, typer.Option(help="only deliveries in this state")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="ID", help="only deliveries to this endpoint")
    ] = None,
    job: Annotated[
        str | None, typer.Option(metavar="ID", help="only deliveries of this job")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="maximum number of deliveries")] = 20,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List deliveries to endpoints and to jobs' own webhooks, newest first."""
    filters = {"state": state and state.value, "endpoint": endpoint, "job": job}
    with api_client(url, key) as client:
        given = {name: value for name, value in filters.items() if value}
        found = list(client.endpoints.deliveries(limit=limit, **given))
    if as_json:
        print_json(found)
        return
    columns = ("id", "event", "job", "to", "state", "attempts", "last", "created")
    rows = map(row_of, found)
    print_table(columns, rows, empty="no deliveries match", cut=("to", "last"))


@deliveries_app.command()
def get(
    delivery_id: DeliveryId,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one delivery and its attempts."""
    with api_client(url, key) as client:
        found = client.document(f"/v1/webhook-deliveries/{quote(delivery_id, safe='')}")
    if as_json:
        print_json(found)
        return
    print_fields(fields_of(found))
    columns = ("attempt", "at", "took", "status", "outcome", "next")
    print_table(columns, (attempt_of(each) for each in found["log"]), empty="not attempted yet")


@deliveries_app.command()
def resend(
    delivery_id: DeliveryId,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send a delivery again at once, with the same event id."""
    with api_client(url, key) as client:
        found = client.endpoints.resend(delivery_id)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['id']} is queued again; see genq deliveries get {found['id']}")


def row_of(delivery: "Document") -> tuple[str, ...]:
    return (
        delivery["id"],
        delivery["type"],
        delivery["job"] or "",
        delivery["url"],
        delivery["state"],
        str(delivery["attempts"]),
        delivery["last_error"] or str(delivery["last_status"] or ""),
        delivery["created_at"],
    )


def fields_of(delivery: "Document") -> Iterator[tuple[str, str]]:
    yield "id", delivery["id"]
    yield "event", f"{delivery['type']} ({delivery['event_id']})"
    yield "job", delivery["job"] or ""
    yield "endpoint", delivery["endpoint"] or "the job's own webhook"
    yield "to", delivery["url"]
    yield "state", delivery["state"]
    yield "next attempt", delivery["next_attempt_at"] or ""


def attempt_of(attempt: "Document") -> tuple[str, ...]:
    return (
        str(attempt["number"]),
        attempt["started_at"],
        f"{attempt['duration_ms']} ms",
        str(attempt["status"] or ""),
        attempt["detail"] or attempt["error"] or "",
        attempt["next_attempt_at"] or "",
    )
