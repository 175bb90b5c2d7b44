"""`genq endpoints`: enable, disable, test, recover and replay an existing endpoint."""

from typing import Annotated

import typer

from ops.cli.connection import KeyOption, UrlOption, api_client
from ops.cli.endpoints import EndpointId, endpoints_app, show, show_with_secret
from ops.cli.listen import parse_since
from ops.cli.output import AsJson, print_json
from ops.cli.webhook_secrets import OverlapOption


def register(app: typer.Typer) -> None:
    del app  # importing this module has added the commands to `genq endpoints`


@endpoints_app.command()
def enable(
    endpoint_id: EndpointId,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Enable an endpoint and reset its failures; recover and replay send missed events."""
    with api_client(url, key) as client:
        show(client.endpoints.change(endpoint_id, enabled=True), as_json=as_json)


@endpoints_app.command()
def disable(
    endpoint_id: EndpointId,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Stop sending to an endpoint until it is enabled again."""
    with api_client(url, key) as client:
        show(client.endpoints.change(endpoint_id, enabled=False), as_json=as_json)


@endpoints_app.command("rotate-secret")
def rotate_secret(
    endpoint_id: EndpointId,
    *,
    overlap: OverlapOption = "24h",
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Give an endpoint a new secret and show it once; use overlap 0 for a leaked secret."""
    with api_client(url, key) as client:
        endpoint = client.endpoints.rotate_secret(endpoint_id, overlap)
    show_with_secret(endpoint, as_json=as_json)


@endpoints_app.command()
def test(
    endpoint_id: EndpointId,
    *,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send an endpoint.test event to an endpoint."""
    with api_client(url, key) as client:
        delivery = client.endpoints.test(endpoint_id)
    if as_json:
        print_json(delivery)
    else:
        typer.echo(f"{delivery['id']} is queued; see genq deliveries get {delivery['id']}")


SinceOption = Annotated[
    str, typer.Option(help="events since then: 10m, 2h or 1d ago, or 2026-01-31T12:00:00Z")
]


@endpoints_app.command()
def recover(
    endpoint_id: EndpointId,
    *,
    since: SinceOption,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send failed deliveries again, once the receiver works."""
    with api_client(url, key) as client:
        queued = client.endpoints.recover(endpoint_id, parse_since(since))
    print_json({"queued": queued}) if as_json else typer.echo(f"{queued} will be sent again")


@endpoints_app.command()
def replay(
    endpoint_id: EndpointId,
    *,
    since: SinceOption,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Send events that were never sent: from before the endpoint existed or while disabled."""
    with api_client(url, key) as client:
        queued = client.endpoints.replay(endpoint_id, parse_since(since))
    print_json({"queued": queued}) if as_json else typer.echo(f"{queued} will be sent")
