"""`genq keys`: manage API keys."""
# ruff: noqa: PLC0415  (commands import the database libraries when they run)

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generation.access.permissions import (
    DEFAULT_SCOPES,
    LONGEST_TENANT,
    TENANT,
    Access,
    Limits,
    Rate,
    Scope,
    read_rate,
)
from ops.cli.completion import complete_provider, known_providers
from ops.cli.configuration import load_settings
from ops.cli.database import with_store
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from generation.store import ApiKey, Store

keys_app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)

#: Longer durations until expiry are shortened to this.
MAX_LIFETIME = timedelta(days=36_500)
MAX_LIMIT = 1_000_000

ScopeOption = Annotated[
    list[Scope] | None,
    typer.Option(
        "--scope",
        help="permission of the key; may be repeated",
        show_default=", ".join(sorted(DEFAULT_SCOPES)),
    ),
]
ProviderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--provider",
        help="only jobs of this provider; may be repeated",
        autocompletion=complete_provider,
    ),
]
RateOption = Annotated[
    str | None,
    typer.Option("--rate", metavar="N/s|m|h", help="maximum submit rate, for example 60/m"),
]
InFlightOption = Annotated[
    int | None,
    typer.Option("--max-in-flight", min=1, max=MAX_LIMIT, help="maximum unfinished jobs"),
]
DailyOption = Annotated[
    int | None,
    typer.Option("--daily-jobs", min=1, max=MAX_LIMIT, help="maximum jobs per day (UTC)"),
]
ExpiresOption = Annotated[
    str | None,
    typer.Option("--expires", metavar="WHEN", help="90d, 12h, or 2027-01-31T12:00:00Z"),
]


def register(app: typer.Typer) -> None:
    app.add_typer(keys_app, name="keys", rich_help_panel="Operate")


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
    """Create an API key and a webhook secret for a tenant, and show them once.

    All keys of a tenant see the same jobs; other tenants do not see them.
    """
    now = datetime.now(UTC)
    access = Access(
        scopes=frozenset(scope) if scope else DEFAULT_SCOPES,
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
    typer.echo("Save both now: they are shown only once.", err=True)


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys, oldest first, with tenant, last use and revocation."""

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
    print_table(columns, rows, empty="there are no keys yet: run genq keys create NAME")


@keys_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="key_…, printed by genq keys list")],
) -> None:
    """Revoke a key.

    Running API processes notice within a tenth of a second (GENQ_KEY_CACHE). Jobs submitted with
    the key continue, and their webhooks are still sent.
    """

    async def end(store: "Store") -> bool:
        return await store.keys.revoke(key_id, datetime.now(UTC))

    if not with_store(load_settings(), end):
        raise CliError(f"there is no valid key {key_id!r}: see genq keys list")
    typer.echo(f"revoked {key_id}")


def row_of(key: dict[str, Any], valid: bool) -> list[str]:
    """Return a table row. `key` is a key document of the API."""
    ended = key["revoked_at"] and f"revoked {key['revoked_at']}"
    expiry = key["expires_at"] and ("" if valid else "expired ") + key["expires_at"]
    return [
        key["id"],
        key["tenant"],
        key["prefix"],
        ", ".join(key["scopes"]),
        limits_text(key) or "–",
        key["last_used_at"] or "–",
        ended or expiry or "–",
    ]


def limits_text(key: dict[str, Any]) -> str:
    limits = (
        key["rate"],
        key["max_in_flight"] and f"{key['max_in_flight']} in flight",
        key["daily_jobs"] and f"{key['daily_jobs']} a day",
        key["providers"] and f"only {', '.join(key['providers'])}",
    )
    return "; ".join(limit for limit in limits if limit)


def checked_tenant(name: str) -> str:
    """Raise `CliError` for a name that is empty, too long or unprintable."""
    tenant = name.strip()
    if len(tenant) > LONGEST_TENANT or not re.fullmatch(TENANT, tenant) or not tenant.isprintable():
        raise CliError(f"NAME must have 1 to {LONGEST_TENANT} printable characters", ExitCode.USAGE)
    return tenant


def checked_rate(text: str) -> Rate:
    try:
        return read_rate(text)
    except ValueError as error:
        raise CliError(f"--rate {error}", ExitCode.USAGE) from None


def checked_providers(names: list[str]) -> frozenset[str]:
    from api.http.validation_errors import no_such

    known = known_providers()
    for name in names:
        if name not in known:
            problem = no_such(f"provider {name!r}", name, known)
            raise CliError(f"--provider: {problem}", ExitCode.USAGE)
    return frozenset(names)


def checked_expiry(text: str, now: datetime) -> datetime:
    """Return a time, given as a time or a duration. Raises `CliError` if invalid or past."""
    from generation.duration_text import parse_duration

    duration = parse_duration(text.strip())
    try:
        moment = (
            datetime.fromisoformat(text.strip().upper())
            if duration is None
            else now + min(duration, MAX_LIFETIME)
        )
    except (ValueError, OverflowError):
        raise CliError(
            "--expires must be a time such as 90d, 12h or 2027-01-31T12:00:00Z", ExitCode.USAGE
        ) from None
    if moment.tzinfo is None:
        raise CliError("--expires needs a time zone: append Z for UTC", ExitCode.USAGE)
    if moment <= now:
        raise CliError("--expires must be in the future", ExitCode.USAGE)
    return moment.astimezone(UTC)
