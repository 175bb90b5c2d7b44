"""What the settings alone say: where jobs can be sent, who is let in, where webhooks may go."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from generation.stations.station import Key, Stations
from ops.cli.check.finding import Finding, ok, problem, warning
from ops.cli.ending import Stop
from ops.cli.flower_access import check_access, is_loopback
from ops.cli.migrate import check_first_key


def look(settings: Settings) -> Iterator[Finding]:
    yield from of_stations(settings)
    yield from of_webhooks(settings)
    yield refused("flower", lambda: check_access(settings)) or ok("flower", flower_words(settings))
    if wrong := refused("first key", lambda: check_first_key(settings)):
        yield wrong


def refused(subject: str, check: Callable[[], None]) -> Finding | None:
    """What a check that stops a command says; None where it lets the command pass."""
    try:
        check()
    except Stop as stop:
        return problem(subject, str(stop))
    return None


def of_stations(settings: Settings) -> Iterator[Finding]:
    try:
        stations = load_stations(settings)
    except StationsFileError as error:
        yield problem("stations", str(error))
        return
    if not len(stations):
        yield problem(
            "stations",
            "none, so nothing can be ordered: set GENQ_STATION_URL and GENQ_STATION_KEY, or write "
            f"{settings.stations_file}",
        )
        return
    yield ok("stations", ", ".join(f"{each.name} ({each.url})" for each in stations))
    for station in stations:
        if station.url.startswith("http://") and not is_loopback(host_of(station.url)):
            yield warning(
                f"station {station.name}", "its key travels unencrypted: write https:// in its URL"
            )
        yield from (ok(f"key {station.name}/{key.name}", limits_of(key)) for key in station.keys)
    yield from of_operations(stations)


def limits_of(key: Key) -> str:
    """What the settings let this key have, in words."""
    limits = {"tasks unfinished at once": key.max_in_flight}
    limits["submits a minute"] = key.submits_per_minute
    told = [f"{limit} {what}" for what, limit in limits.items() if limit is not None]
    return f"at most {' and '.join(told)}" if told else "no limits are set"


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def of_operations(stations: Stations) -> Iterator[Finding]:
    """What can be ordered, by provider and by who sells it."""
    sold: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for full_name in stations.offered():
        provider, name = full_name.split(".", maxsplit=1)
        sellers = ", ".join(each.name for each in stations.offering(provider, name))
        sold[provider, sellers].append(name)
    for (provider, sellers), names in sold.items():
        yield ok(provider, f"{', '.join(names)}; at {sellers}")
    if not sold:
        yield problem(
            "operations", "no station sells anything: give each a [stations.speaks] table"
        )


def of_webhooks(settings: Settings) -> Iterator[Finding]:
    """Freedoms that suit a trial and not a service others can reach."""
    found = False
    if settings.webhook_allow_http:
        found = True
        yield warning(
            "webhooks",
            "may go over plain http, for everybody to read: unset GENQ_WEBHOOK_ALLOW_HTTP",
        )
    if settings.webhook_allowed_networks:
        found = True
        networks = ", ".join(str(each) for each in settings.webhook_allowed_networks)
        yield warning(
            "webhooks",
            f"callers can reach {networks} through them: unset GENQ_WEBHOOK_ALLOWED_NETWORKS "
            "unless you trust every caller",
        )
    if settings.webhook_allowed_ports is None:
        found = True
        yield warning(
            "webhooks", "may go to any port: name those you need in GENQ_WEBHOOK_ALLOWED_PORTS"
        )
    if not found:
        yield ok("webhooks", "go to the public internet only, over https")


def flower_words(settings: Settings) -> str:
    if settings.flower_basic_auth is not None:
        return "asks for a password"
    return f"only this machine reaches it ({settings.flower_host})"
