"""`genq listen`: receive events locally, without a public URL."""
# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generation.duration_text import parse_duration
from ops.cli.configuration import load_settings
from ops.cli.connection import FILE_NAME, KeyOption, UrlOption, api_client
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.output import AsJson, print_json_line, printable

if TYPE_CHECKING:
    from genq import Client

    from ops.cli.cursor_file import CursorFile, FeedCursor
    from ops.cli.event_forwarder import Forwarder, ForwardResult

#: How long the API holds a query while there are no new events.
WAIT_SECONDS = 30
#: Retry this long while the API is unreachable, for example during a restart.
RETRY_SECONDS = 300
PAGE = 50
FROM_THE_START = "start"
#: The longest duration ago.
MAX_AGE = timedelta(days=36_500)
LATEST = {"after": "latest"}

SecretOption = Annotated[
    str | None,
    typer.Option(
        "--secret",
        envvar="GENQ_WEBHOOK_SECRET",
        help="secret that signs events: whsec_…, printed by genq keys create",
        show_default=f"the one in .genq/{FILE_NAME}",
    ),
]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Webhooks and events")(listen)


def listen(
    to: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="where to forward each event")
    ] = None,
    *,
    events: Annotated[
        str | None, typer.Option(help="event types, separated by commas: job.succeeded,job.failed")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="start 10m, 2h or 1d ago, at 2026-01-31T12:00:00Z, or at the start of the feed"
        ),
    ] = None,
    secret: SecretOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Print the events of your jobs, and forward them to a local program, until Ctrl-C.

    Events are pulled, signed like webhooks, and sent to a local URL, so developing a receiver needs
    no tunnel. Each event is sent once and the response is printed. The next run continues where
    this one stopped; the first run starts with new events.
    """
    from ops.cli.cursor_file import CursorFile
    from ops.cli.event_forwarder import Forwarder

    with api_client(url, key, RETRY_SECONDS) as api:
        cursor_file = CursorFile(load_settings().data_dir, api.url)
        filters = {"type": events} if events else {}
        forwarder = Forwarder(checked_url(to), secret_for(secret, api.url)) if to else None
        begin = first_query(since, cursor_file.read() if since is None else None)
        if begin == LATEST:  # fix the position now, so that no later event is missed
            begin = {"after": api.document("/v1/events", **LATEST)["next_cursor"]}
        typer.echo(f"listening to {api.url}" + (f", sending to {to}" if to else ""), err=True)
        try:
            follow_feed(api, filters, begin, cursor_file, forwarder, as_json=as_json)
        except KeyboardInterrupt:
            typer.echo("stopped; the next genq listen continues here", err=True)
        finally:
            if forwarder is not None:
                forwarder.close()


def follow_feed(
    api: "Client",
    filters: dict[str, str],
    begin: dict[str, str],
    cursor_file: "CursorFile",
    forwarder: "Forwarder | None",
    *,
    as_json: bool,
) -> None:
    """Loop forever: read a page, print and forward its events, store the cursor."""
    from ops.cli.cursor_file import FeedCursor

    where = dict(begin)
    seen = where.pop("seen", None)
    while True:
        page = api.document(
            "/v1/events", **filters, **where, limit=str(PAGE), wait=str(WAIT_SECONDS)
        )
        for event in events_after(page["data"], seen):
            answer = forwarder.send(event) if forwarder else None
            show(event, answer, as_json=as_json)
            if "after" in where:
                cursor_file.write(FeedCursor(where["after"], event["id"]))
        seen = None
        where = {"after": page["next_cursor"]}
        cursor_file.write(FeedCursor(page["next_cursor"]))


def events_after(events: list[dict[str, Any]], seen: str | None) -> list[dict[str, Any]]:
    """Return the events after the last seen one; all if that one is not among them."""
    ids = [event["id"] for event in events]
    return events[ids.index(seen) + 1 :] if seen in ids else events


def show(event: dict[str, Any], answer: "ForwardResult | None", *, as_json: bool) -> None:
    if as_json:
        result = answer and {"status": answer.status, "error": answer.error}
        print_json_line({"event": event, "answer": result})
        return
    subject = str(event["data"].get("id", ""))
    line = f"{event['timestamp']}  {event['type']:<18} {subject}"
    typer.echo(printable(line if answer is None else f"{line}  → {answer}"))


def first_query(since: str | None, cursor: "FeedCursor | None") -> dict[str, str]:
    """Return the first query's parameters; `seen` names an event to skip."""
    if since == FROM_THE_START:
        return {}
    if since is not None:
        return {"since": parse_since(since, " or start").isoformat().replace("+00:00", "Z")}
    if cursor is None:
        return LATEST
    return {"after": cursor.after} | ({"seen": cursor.seen} if cursor.seen else {})


def parse_since(since: str, also: str = "") -> datetime:
    """Return a time, given as a time or as a duration ago.

    Raises `CliError`.

    `also` completes the error message with other accepted values.
    """
    if duration := parse_duration(since, needs_unit=True):
        return datetime.now(UTC) - min(duration, MAX_AGE)
    try:
        named = datetime.fromisoformat(since)
    except ValueError:
        message = f"--since must be a time such as 10m, 2h, 1d, 2026-01-31T12:00:00Z{also}"
        raise CliError(message, ExitCode.USAGE) from None
    return named.astimezone(UTC)


def checked_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise CliError("URL must begin with http:// or https://", ExitCode.USAGE)
    return url


def secret_for(given: str | None, url: str) -> str:
    """Return the secret given, or the one stored in the data directory. Raises `CliError`."""
    from generation.webhooks.signature import check_secret

    settings = load_settings()
    if given is None and settings.webhook_secret is not None:
        given = settings.webhook_secret.get_secret_value()
    if given is None:
        known = read_connection(settings.data_dir)
        given = known.get("webhook_secret") if str(known.get("url")).rstrip("/") == url else None
    if not given:
        raise CliError(
            "no webhook secret to sign with: give --secret or GENQ_WEBHOOK_SECRET, printed by"
            " genq keys create, or leave out the URL",
            ExitCode.USAGE,
        )
    try:
        check_secret(given)
    except ValueError as error:
        raise CliError(f"--secret or GENQ_WEBHOOK_SECRET: {error}", ExitCode.USAGE) from None
    return given


def read_connection(folder: Path) -> Mapping[str, Any]:
    """Read URL, key and secret that the genq in this data directory has stored."""
    from genq.local import read_connection_file

    try:
        return read_connection_file(folder / FILE_NAME)
    except ValueError as error:
        raise CliError(str(error)) from None
