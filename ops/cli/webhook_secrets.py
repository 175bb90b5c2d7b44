"""`genq keys rotate-webhook-secret` and `genq keys signing-key`: what signs webhooks."""
# ruff: noqa: PLC0415  (the database's libraries are loaded by the commands that need them)

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.configuration import load_settings
from ops.cli.database import with_store
from ops.cli.ending import Code, Stop
from ops.cli.keys import keys_app
from ops.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from generation.store import Store


def register(app: typer.Typer) -> None:
    del app  # they belong to `genq keys`
    keys_app.command("rotate-webhook-secret")(rotate)
    keys_app.command()(signing_key)


def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="as keys list shows it: key_…")],
    overlap: Annotated[
        str,
        typer.Option(metavar="TIME", help="how long the old secret signs too: 30m, 24h, up to 7d"),
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """
    Give an API key a new webhook secret, and show it this once.

    Webhooks of jobs ordered with the key are signed with both secrets for the overlap, so its
    caller may change over at leisure; 0 is for a secret that has leaked. Registered endpoints have
    secrets of their own: POST /v1/webhook-endpoints/{id}/rotate-secret.
    """
    from generation.webhooks.signature import new_secret

    span = checked_overlap(overlap)
    secret = new_secret()

    async def replace(store: "Store") -> bool:
        return await store.keys.rotate_webhook_secret(key_id, secret, datetime.now(UTC), span)

    if not with_store(load_settings(), replace):
        raise Stop(f"there is no valid key {key_id!r}: see genq keys list")
    if as_json:
        print_json({"id": key_id, "webhook_secret": secret})
        return
    typer.echo(f"webhook secret  {secret}")
    typer.echo("Keep it now: it will not be shown again.", err=True)


def signing_key() -> None:
    """
    Make an Ed25519 key pair for GENQ_WEBHOOK_SIGNING_KEYS.

    With one set, every webhook is signed by it too (v1a), and its public half is at
    /.well-known/webhooks-keys.json: receivers can verify without a shared secret.
    """
    from generation.webhooks.asymmetric import SigningKey, new_signing_key

    private = new_signing_key()
    typer.echo(f"private key  {private}")
    typer.echo(f"public key   {SigningKey(private).public}")


def checked_overlap(text: str) -> timedelta:
    """Raises `Stop` for what is no time, or too long a one."""
    from generation.duration_text import parse_duration
    from generation.webhooks.secrets import LONGEST_OVERLAP

    overlap = parse_duration(text.strip())
    if overlap is None or overlap > LONGEST_OVERLAP:
        raise Stop("--overlap is a time of at most 7d, such as 30m, 24h or 7d", Code.USAGE)
    return overlap
