"""`genq migrate`: the database schema and the first API key."""
# ruff: noqa: PLC0415  (commands import the database libraries when they run)

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from ops.cli.configuration import load_settings
from ops.cli.database import (
    DatabaseUnavailable,
    check_file,
    database_error,
    sqlite_file,
    with_store,
)
from ops.cli.exit_codes import CliError, warn

if TYPE_CHECKING:
    from generation.settings import Settings

#: How long to wait for a database that is starting.
WAIT_LIMIT = timedelta(seconds=30)
ASK_EVERY = timedelta(seconds=0.5)

#: The tenant of GENQ_API_KEY.
FIRST_TENANT = "default"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Run genq")(migrate)


def migrate() -> None:
    """Bring the database schema up to date; run it before starting a new version.

    It can be repeated, and waits up to 30 s for a database that is starting. If GENQ_API_KEY is
    set, the key is stored (hashed) with GENQ_WEBHOOK_SECRET for the tenant "default".
    """
    settings = load_settings()
    check_first_key(settings)
    check_file(sqlite_file(settings))
    migrate_when_up(settings)
    typer.echo("the database is up to date")
    if settings.api_key is not None:
        typer.echo(store_first_key(settings))


def migrate_when_up(settings: "Settings") -> None:
    """Raise `CliError` if the database stays unavailable or cannot be migrated."""
    until = time.monotonic() + WAIT_LIMIT.total_seconds()
    while True:
        try:
            migrate_once(settings)
            return
        except DatabaseUnavailable as error:
            if not error.transient or time.monotonic() >= until:
                raise
        time.sleep(ASK_EVERY.total_seconds())


def migrate_once(settings: "Settings") -> None:
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from generation import store

    try:
        store.migrate(settings.store_url)
    except CommandError as error:
        raise CliError(
            f"this genq cannot migrate the database ({error}): install the newer version that did"
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise database_error(error) from None


def check_first_key(settings: "Settings") -> None:
    """Raise `CliError` if GENQ_API_KEY cannot be stored or used."""
    from generation.store.access.api_keys import SHORTEST
    from generation.webhooks.signature import check_secret

    if settings.api_key is None:
        return
    if len(settings.api_key.get_secret_value()) < SHORTEST:
        raise CliError(
            f"GENQ_API_KEY must have at least {SHORTEST} characters: openssl rand -hex 24"
        )
    if settings.webhook_secret is None:
        raise CliError(
            "GENQ_API_KEY also needs GENQ_WEBHOOK_SECRET: whsec_ followed by the output of "
            "openssl rand -base64 32"
        )
    try:
        check_secret(settings.webhook_secret.get_secret_value())
    except ValueError as error:
        raise CliError(f"GENQ_WEBHOOK_SECRET: {error}") from None


def store_first_key(settings: "Settings") -> str:
    """Store the key of the settings if it is new; return what was done."""
    from sqlalchemy.exc import IntegrityError

    from generation.store import Store

    assert settings.api_key is not None
    assert settings.webhook_secret is not None
    key = settings.api_key.get_secret_value()
    secret = settings.webhook_secret.get_secret_value()

    async def add(store: Store) -> str:
        known = await store.keys.find(key)
        if known is None:
            try:
                await store.keys.add(FIRST_TENANT, key, secret, datetime.now(UTC))
            except IntegrityError:
                known = await store.keys.find(key)
            else:
                return f"stored the key of GENQ_API_KEY for the tenant {FIRST_TENANT!r}"
        if known is None:
            warn("the key of GENQ_API_KEY has been revoked and stays revoked: set a new one")
        elif known.webhook_secret != secret:
            warn("GENQ_WEBHOOK_SECRET differs from the stored one of this key, which stays")
        return "the key of GENQ_API_KEY is already stored"

    return with_store(settings, add)
