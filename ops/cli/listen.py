"""`genq listen`: what happens to your jobs, here, without a URL that the outside can reach."""
# ruff: noqa: PLC0415  (the HTTP client is loaded by the commands that call)

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generation.duration_text import parse_duration
from ops.cli.configuration import load_settings
from ops.cli.connection import FILE_NAME, KeyOption, UrlOption, calling
from ops.cli.ending import Code, Stop
from ops.cli.output import AsJson, plain, print_json_line

if TYPE_CHECKING:
    from genq import Client

    from ops.cli.bookmark import Bookmark, Place
    from ops.cli.forwarding import Answered, Forwarder

#: How long the API holds a question to which there is no answer yet.
WAIT_SECONDS = 30
#: An API that is away, for a restart perhaps, is waited for.
PATIENCE_SECONDS = 300
PAGE = 50
FROM_THE_START = "start"
#: An earlier time is this long ago.
MAX_AGE = timedelta(days=36_500)
NOW = {"after": "latest"}

SecretOption = Annotated[
    str | None,
    typer.Option(
        "--secret",
        envvar="GENQ_WEBHOOK_SECRET",
        help="what events are signed with, as genq keys create showed it: whsec_…",
        show_default=f"the one in .genq/{FILE_NAME}",
    ),
]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Be told")(listen)


def listen(
    to: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="where to send each event, if anywhere")
    ] = None,
    *,
    events: Annotated[
        str | None, typer.Option(help="only these, with commas: job.succeeded,job.failed")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="begin 10m, 2h or 1d ago, at 2026-01-31T12:00:00Z, or at the start"),
    ] = None,
    secret: SecretOption = None,
    as_json: AsJson = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """
    Print what happens to your jobs, and hand it to a program of yours, until Ctrl-C.

    Events are pulled, signed as webhooks are, and sent to a URL on this machine, so nobody needs a
    tunnel to develop a receiver. Each is sent once; what the program answers is printed. The next
    time it goes on where it was; the first time, from now on.
    """
    from ops.cli.bookmark import Bookmark
    from ops.cli.forwarding import Forwarder

    with calling(url, key, PATIENCE_SECONDS) as api:
        bookmark = Bookmark(load_settings().data_dir, api.url)
        filters = {"type": events} if events else {}
        forwarder = Forwarder(checked_url(to), secret_for(secret, api.url)) if to else None
        begin = beginning(since, bookmark.read() if since is None else None)
        if begin == NOW:  # what happens from this line on is not missed
            begin = {"after": api.document("/v1/events", **NOW)["next_cursor"]}
        typer.echo(f"listening to {api.url}" + (f", sending to {to}" if to else ""), err=True)
        try:
            follow(api, filters, begin, bookmark, forwarder, as_json=as_json)
        except KeyboardInterrupt:
            typer.echo("stopped; the next genq listen goes on from here", err=True)
        finally:
            if forwarder is not None:
                forwarder.close()


def follow(
    api: "Client",
    filters: dict[str, str],
    begin: dict[str, str],
    bookmark: "Bookmark",
    forwarder: "Forwarder | None",
    *,
    as_json: bool,
) -> None:
    """For ever: ask, tell, remember."""
    from ops.cli.bookmark import Place

    where = dict(begin)
    seen = where.pop("seen", None)
    while True:
        page = api.document(
            "/v1/events", **filters, **where, limit=str(PAGE), wait=str(WAIT_SECONDS)
        )
        for event in unseen(page["data"], seen):
            answer = forwarder.send(event) if forwarder else None
            show(event, answer, as_json=as_json)
            if "after" in where:
                bookmark.write(Place(where["after"], event["id"]))
        seen = None
        where = {"after": page["next_cursor"]}
        bookmark.write(Place(page["next_cursor"]))


def unseen(events: list[dict[str, Any]], seen: str | None) -> list[dict[str, Any]]:
    """What comes behind the event seen last; all of it where that is not among them."""
    ids = [event["id"] for event in events]
    return events[ids.index(seen) + 1 :] if seen in ids else events


def show(event: dict[str, Any], answer: "Answered | None", *, as_json: bool) -> None:
    if as_json:
        said = answer and {"status": answer.status, "error": answer.error}
        print_json_line({"event": event, "answer": said})
        return
    subject = str(event["data"].get("id", ""))
    line = f"{event['timestamp']}  {event['type']:<18} {subject}"
    typer.echo(plain(line if answer is None else f"{line}  → {answer}"))


def beginning(since: str | None, place: "Place | None") -> dict[str, str]:
    """The parameters of the first question; with `seen`, an event to pass over."""
    if since == FROM_THE_START:
        return {}
    if since is not None:
        return {"since": moment(since, " or start").isoformat().replace("+00:00", "Z")}
    if place is None:
        return NOW
    return {"after": place.after} | ({"seen": place.seen} if place.seen else {})


def moment(since: str, also: str = "") -> datetime:
    """`10m` ago, or the moment that is named. Raises `Stop`; `also` is what else may be given."""
    if duration := parse_duration(since, needs_unit=True):
        return datetime.now(UTC) - min(duration, MAX_AGE)
    try:
        named = datetime.fromisoformat(since)
    except ValueError:
        words = f"--since must be as 10m, 2h, 1d, 2026-01-31T12:00:00Z{also}"
        raise Stop(words, Code.USAGE) from None
    return named.astimezone(UTC)


def checked_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise Stop("URL must begin with http:// or https://", Code.USAGE)
    return url


def secret_for(given: str | None, url: str) -> str:
    """The secret to sign with: what is given, else what this machine's genq wrote down."""
    from generation.webhooks.signature import check_secret

    settings = load_settings()
    if given is None and settings.webhook_secret is not None:
        given = settings.webhook_secret.get_secret_value()
    if given is None:
        known = written_down_in(settings.data_dir)
        given = known.get("webhook_secret") if str(known.get("url")).rstrip("/") == url else None
    if not given:
        raise Stop(
            "no webhook secret to sign with: give --secret or GENQ_WEBHOOK_SECRET, as genq keys"
            " create showed it, or leave out the URL",
            Code.USAGE,
        )
    try:
        check_secret(given)
    except ValueError as error:
        raise Stop(f"--secret or GENQ_WEBHOOK_SECRET: {error}", Code.USAGE) from None
    return given


def written_down_in(folder: Path) -> Mapping[str, Any]:
    """What the genq that runs in this data directory has written down for its callers."""
    from genq.local import written_down

    try:
        return written_down(folder / FILE_NAME)
    except ValueError as error:
        raise Stop(str(error)) from None
