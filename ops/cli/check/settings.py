"""Findings from the settings alone: stations, access, webhook destinations."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from generation import providers
from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from generation.stations.station import Key, Station, Stations
from generation.upstream.asset_urls import registrable_domain
from ops.cli.check.finding import Finding, ok, problem, warning
from ops.cli.exit_codes import CliError
from ops.cli.flower_access import check_access, is_loopback
from ops.cli.migrate import check_first_key


def settings_findings(settings: Settings) -> Iterator[Finding]:
    yield from station_findings(settings)
    yield from webhook_findings(settings)
    yield failed_check("flower", lambda: check_access(settings)) or ok(
        "flower", flower_text(settings)
    )
    if wrong := failed_check("first key", lambda: check_first_key(settings)):
        yield wrong


def failed_check(subject: str, check: Callable[[], None]) -> Finding | None:
    """Return the problem a check raises as `CliError`; None if it passes."""
    try:
        check()
    except CliError as stop:
        return problem(subject, str(stop))
    return None


def station_findings(settings: Settings) -> Iterator[Finding]:
    try:
        stations = load_stations(settings)
    except StationsFileError as error:
        yield problem("stations", str(error))
        return
    if not len(stations):
        yield problem(
            "stations",
            "none, so no job can be submitted: set GENQ_STATION_URL and GENQ_STATION_KEY, or write "
            f"{settings.stations_file}",
        )
        return
    yield ok("stations", ", ".join(f"{each.name} ({each.url})" for each in stations))
    for station in stations:
        if station.url.startswith("http://") and not is_loopback(host_of(station.url)):
            yield warning(
                f"station {station.name}", "its key is sent unencrypted: use https:// in its URL"
            )
        yield from polling_findings(station)
        yield from (ok(f"key {station.name}/{key.name}", limits_text(key)) for key in station.keys)
    yield from operation_findings(stations)


def polling_findings(station: Station) -> Iterator[Finding]:
    """Say where the key goes if the station's answers name the URLs to poll."""
    for provider, spoken in station.speaks.items():
        operations = (providers.find(provider, name, spoken.dialect) for name in names_of(provider))
        if any(operation and operation.polls_given_urls for operation in operations):
            host = host_of(station.url)
            domain = registrable_domain(host)
            where = f"hosts of {domain}" if domain else f"{host} and the port in its URL"
            yield ok(
                f"station {station.name}",
                f"its {provider} answers name the URLs to poll; the key is sent only to {where}."
                " A task that only another host knows cannot be polled: if the worker logs"
                " foreign_polling_host, set the station's url to that host",
            )


def names_of(provider: str) -> list[str]:
    """Return the names of all operations of a provider."""
    prefix = f"{provider}."
    return [name.removeprefix(prefix) for name in providers.names() if name.startswith(prefix)]


def limits_text(key: Key) -> str:
    """Describe the configured limits of a key."""
    limits = {"unfinished tasks": key.max_in_flight}
    limits["submits per minute"] = key.submits_per_minute
    texts = [f"{limit} {what}" for what, limit in limits.items() if limit is not None]
    return f"at most {' and '.join(texts)}" if texts else "no limits are set"


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def operation_findings(stations: Stations) -> Iterator[Finding]:
    """List the available operations by provider and station."""
    offered: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for full_name in stations.offered():
        provider, name = full_name.split(".", maxsplit=1)
        station_names = ", ".join(each.name for each in stations.offering(provider, name))
        offered[provider, station_names].append(name)
    for (provider, station_names), names in offered.items():
        yield ok(provider, f"{', '.join(names)}; at {station_names}")
    if not offered:
        yield problem(
            "operations", "no station offers an operation: give each a [stations.speaks] table"
        )


def webhook_findings(settings: Settings) -> Iterator[Finding]:
    """Warn of settings that are for trials and unsafe for a public service."""
    found = False
    if settings.webhook_allow_http:
        found = True
        yield warning(
            "webhooks",
            "may be sent over unencrypted http: unset GENQ_WEBHOOK_ALLOW_HTTP",
        )
    if settings.webhook_allowed_networks:
        found = True
        networks = ", ".join(str(each) for each in settings.webhook_allowed_networks)
        yield warning(
            "webhooks",
            f"callers can reach {networks} through webhooks: unset GENQ_WEBHOOK_ALLOWED_NETWORKS "
            "unless you trust every caller",
        )
    if settings.webhook_allowed_ports is None:
        found = True
        yield warning(
            "webhooks", "may go to any port: list the ports you need in GENQ_WEBHOOK_ALLOWED_PORTS"
        )
    if not found:
        yield ok("webhooks", "go only to the public internet, over https")


def flower_text(settings: Settings) -> str:
    if settings.flower_basic_auth is not None:
        return "requires a password"
    return f"only reachable from this machine ({settings.flower_host})"
