"""`genq keys`: who may call the API."""
# ruff: noqa: PLC0415  (the database's libraries are loaded by the commands that need them)

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generation.access.permissions import (
    LONGEST_TENANT,
    TENANT,
    USUAL_SCOPES,
    Access,
    Limits,
    Rate,
    Scope,
    read_rate,
)
from ops.cli.completion import complete_provider, known_providers
from ops.cli.configuration import load_settings
from ops.cli.database import with_store
from ops.cli.ending import Code, Stop
from ops.cli.output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from generation.store import ApiKey, Store

keys_app = typer.Typer(help="Make, list and revoke the keys of callers.", no_args_is_help=True)

#: How much later an expiry given as a duration may be.
LONGEST_LIFE = timedelta(days=36_500)
MOST = 1_000_000

ScopeOption = Annotated[
    list[Scope] | None,
    typer.Option(
        "--scope",
        help="what the key may do; may be repeated",
        show_default=", ".join(sorted(USUAL_SCOPES)),
    ),
]
ProviderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--provider",
        help="order from this provider only; may be repeated",
        autocompletion=complete_provider,
    ),
]
RateOption = Annotated[
    str | None, typer.Option("--rate", metavar="N/s|m|h", help="order no faster, as in 60/m")
]
InFlightOption = Annotated[
    int | None,
    typer.Option("--max-in-flight", min=1, max=MOST, help="the most unfinished jobs at once"),
]
DailyOption = Annotated[
    int | None, typer.Option("--daily-jobs", min=1, max=MOST, help="the most jobs in a day (UTC)")
]
ExpiresOption = Annotated[
    str | None,
    typer.Option("--expires", metavar="WHEN", help="90d, 12h, or 2027-01-31T12:00:00Z"),
]


def register(app: typer.Typer) -> None:
    app.add_typer(keys_app, name="keys", rich_help_panel="Look after it")


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the tenant the key is for")],
    *,
    scope: ScopeOption = None,
    provider: ProviderOption = None,
    rate: RateOption = None,
    max_in_flight: InFlightOption = None,
    daily_jobs: DailyOption = None,
    expires: ExpiresOption = None,
    as_json: AsJson = False,
) -> None:
    """
    Make an API key and a webhook secret for a tenant, and show them this once.

    The keys of one tenant see the same jobs; nobody else sees them.
    """
    now = datetime.now(UTC)
    access = Access(
        scopes=frozenset(scope) if scope else USUAL_SCOPES,
        providers=checked_providers(provider) if provider else None,
        limits=Limits(
            rate=checked_rate(rate) if rate else None,
            max_in_flight=max_in_flight,
            daily_jobs=daily_jobs,
        ),
        expires_at=checked_expiry(expires, now) if expires else None,
    )
    tenant = checked_tenant(name)

    from generation.store import new_key
    from generation.webhooks.signature import new_secret

    key, secret = new_key(), new_secret()

    async def add(store: "Store") -> "ApiKey":
        return await store.keys.add(tenant, key, secret, now, access)

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

    from generation.access.key_document import key_document

    keys = with_store(load_settings(), all_keys)
    if as_json:
        print_json([key_document(key) for key in keys])
        return
    columns = ("id", "tenant", "begins with", "may", "limits", "last used", "ends")
    now = datetime.now(UTC)
    rows = [row_of(key_document(key), key.is_valid(now)) for key in keys]
    print_table(columns, rows, empty="there are no keys yet: genq keys create NAME")


@keys_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="as keys list shows it: key_…")],
) -> None:
    """
    Let a key in no longer.

    Running API processes take notice within a tenth of a second (GENQ_KEY_CACHE). What its caller
    ordered goes on, and webhooks owed are still sent.
    """

    async def end(store: "Store") -> bool:
        return await store.keys.revoke(key_id, datetime.now(UTC))

    if not with_store(load_settings(), end):
        raise Stop(f"there is no valid key {key_id!r}: see genq keys list")
    typer.echo(f"revoked {key_id}")


def row_of(key: dict[str, Any], valid: bool) -> list[str]:
    """A key in the table. `key` is a document of the API's."""
    ended = key["revoked_at"] and f"revoked {key['revoked_at']}"
    expiry = key["expires_at"] and ("" if valid else "expired ") + key["expires_at"]
    return [
        key["id"],
        key["tenant"],
        key["prefix"],
        ", ".join(key["scopes"]),
        limits_in_words(key) or "–",
        key["last_used_at"] or "–",
        ended or expiry or "–",
    ]


def limits_in_words(key: dict[str, Any]) -> str:
    words = (
        key["rate"],
        key["max_in_flight"] and f"{key['max_in_flight']} in flight",
        key["daily_jobs"] and f"{key['daily_jobs']} a day",
        key["providers"] and f"only {', '.join(key['providers'])}",
    )
    return "; ".join(word for word in words if word)


def checked_tenant(name: str) -> str:
    """Raises `Stop` for a name that is empty, too long or unprintable."""
    tenant = name.strip()
    if len(tenant) > LONGEST_TENANT or not re.fullmatch(TENANT, tenant) or not tenant.isprintable():
        raise Stop(f"NAME must have 1 to {LONGEST_TENANT} printable characters", Code.USAGE)
    return tenant


def checked_rate(text: str) -> Rate:
    try:
        return read_rate(text)
    except ValueError as error:
        raise Stop(f"--rate {error}", Code.USAGE) from None


def checked_providers(names: list[str]) -> frozenset[str]:
    from api.http.validation_errors import no_such

    known = known_providers()
    for name in names:
        if name not in known:
            words = no_such(f"provider {name!r}", name, known)
            raise Stop(f"--provider: {words}", Code.USAGE)
    return frozenset(names)


def checked_expiry(text: str, now: datetime) -> datetime:
    """A moment, or how long from now. Raises `Stop` for anything else, and for what is past."""
    from generation.duration_text import parse_duration

    duration = parse_duration(text.strip())
    try:
        moment = (
            datetime.fromisoformat(text.strip().upper())
            if duration is None
            else now + min(duration, LONGEST_LIFE)
        )
    except (ValueError, OverflowError):
        raise Stop("--expires must be as in 90d, 12h or 2027-01-31T12:00:00Z", Code.USAGE) from None
    if moment.tzinfo is None:
        raise Stop("--expires must say its time zone: end it with Z for UTC", Code.USAGE)
    if moment <= now:
        raise Stop("--expires must lie in the future", Code.USAGE)
    return moment.astimezone(UTC)
