"""`genq keys rotate-webhook-secret` and `genq keys signing-key`: webhook secrets."""
# ruff: noqa: PLC0415  (commands import the database libraries when they run)

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.configuration import load_settings
from ops.cli.database import with_store
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.keys import keys_app
from ops.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from generation.store import Store


OverlapOption = Annotated[
    str,
    typer.Option(metavar="TIME", help="how long the old secret stays valid: 30m, 24h, at most 7d"),
]


def register(app: typer.Typer) -> None:
    del app  # importing this module adds them to `genq keys`
    keys_app.command("rotate-webhook-secret")(rotate)
    keys_app.command()(signing_key)


def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="key_…, printed by genq keys list")],
    overlap: OverlapOption = "24h",
    as_json: AsJson = False,
) -> None:
    """Give an API key a new webhook secret and show it once.

    During the overlap, webhooks of jobs submitted with the key are signed with both secrets; use 0
    for a leaked secret. Registered endpoints have their own secrets: POST
    /v1/webhook-endpoints/{id}/rotate-secret.
    """
    from generation.webhooks.signature import new_secret

    span = checked_overlap(overlap)
    secret = new_secret()

    async def replace(store: "Store") -> bool:
        return await store.keys.rotate_webhook_secret(key_id, secret, datetime.now(UTC), span)

    if not with_store(load_settings(), replace):
        raise CliError(f"there is no valid key {key_id!r}: see genq keys list")
    if as_json:
        print_json({"id": key_id, "webhook_secret": secret})
        return
    typer.echo(f"webhook secret  {secret}")
    typer.echo("Save it now: it is shown only once.", err=True)


def signing_key() -> None:
    """Create an Ed25519 key pair for GENQ_WEBHOOK_SIGNING_KEYS.

    With such a key every webhook is also signed with it (v1a), and its public half is published at
    /.well-known/webhooks-keys.json, so receivers can verify without a shared secret.
    """
    from generation.webhooks.asymmetric import SigningKey, new_signing_key

    private = new_signing_key()
    typer.echo(f"private key  {private}")
    typer.echo(f"public key   {SigningKey(private).public}")


def checked_overlap(text: str) -> timedelta:
    """Return the duration. Raises `CliError` if it is invalid or too long."""
    from generation.duration_text import parse_duration
    from generation.webhooks.secrets import MAX_SECRET_OVERLAP

    overlap = parse_duration(text.strip())
    if overlap is None or overlap > MAX_SECRET_OVERLAP:
        raise CliError(
            "--overlap must be a duration of at most 7d, such as 30m, 24h or 7d", ExitCode.USAGE
        )
    return overlap
