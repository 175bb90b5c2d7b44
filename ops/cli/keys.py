"""`genq keys`: who may call the API."""
# ruff: noqa: PLC0415  (the database's libraries are loaded by the commands that need them)

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.configuration import load_settings
from ops.cli.database import with_store
from ops.cli.ending import Code, Stop
from ops.cli.output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from generation.store import ApiKey, Store

keys_app = typer.Typer(help="Make, list and revoke the keys of callers.", no_args_is_help=True)

LONGEST_TENANT = 100


def register(app: typer.Typer) -> None:
    app.add_typer(keys_app, name="keys", rich_help_panel="Look after it")


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the tenant the key is for")],
    as_json: AsJson = False,
) -> None:
    """
    Make an API key and a webhook secret for a tenant, and show them this once.

    The keys of one tenant see the same jobs; nobody else sees them.
    """
    tenant = checked_tenant(name)

    from generation.store import new_key
    from generation.webhooks.signature import new_secret

    key, secret = new_key(), new_secret()

    async def add(store: "Store") -> "ApiKey":
        return await store.keys.add(tenant, key, secret, datetime.now(UTC))

    stored = with_store(load_settings(), add)
    if as_json:
        print_json({"id": stored.id, "tenant": tenant, "key": key, "webhook_secret": secret})
        return
    typer.echo(f"id              {stored.id}")
    typer.echo(f"tenant          {tenant}")
    typer.echo(f"API key         {key}")
    typer.echo(f"webhook secret  {secret}")
    typer.echo("Keep both now: they will not be shown again.", err=True)


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys, oldest first: whose they are, when they were last used, which are revoked."""

    async def all_keys(store: "Store") -> "list[ApiKey]":
        return await store.keys.all()

    documents = [document(key) for key in with_store(load_settings(), all_keys)]
    if as_json:
        print_json(documents)
        return
    columns = ("id", "tenant", "begins with", "created", "last used", "revoked")
    rows = [[str(value or "–") for value in each.values()] for each in documents]
    print_table(columns, rows, empty="there are no keys yet: genq keys create NAME")


@keys_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="as keys list shows it: key_…")],
) -> None:
    """
    Let a key in no longer.

    Running API processes may go on letting it in for a few seconds (GENQ_KEY_CACHE). What its
    caller ordered goes on, and webhooks owed are still sent.
    """

    async def end(store: "Store") -> bool:
        return await store.keys.revoke(key_id, datetime.now(UTC))

    if not with_store(load_settings(), end):
        raise Stop(f"there is no valid key {key_id!r}: see genq keys list")
    typer.echo(f"revoked {key_id}")


def document(key: "ApiKey") -> dict[str, Any]:
    """What may be shown of a key."""
    from generation.document import rfc3339

    return {
        "id": key.id,
        "tenant": key.tenant,
        "prefix": key.prefix,
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at),
        "revoked_at": rfc3339(key.revoked_at),
    }


def checked_tenant(name: str) -> str:
    """Raises `Stop` for a name that is empty, too long or unprintable."""
    tenant = name.strip()
    if not tenant or len(tenant) > LONGEST_TENANT or not tenant.isprintable():
        raise Stop(f"NAME must have 1 to {LONGEST_TENANT} printable characters", Code.USAGE)
    return tenant
