"""Findings about station keys: blocked, throttled, or missing from the settings."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from generation.stations.key_health import KeyHealth, KeyName
from generation.store import Store
from ops.cli.check.finding import Finding, problem, warning


def configured_keys(settings: Settings) -> frozenset[KeyName]:
    """Return the configured keys; none if the stations cannot be read (reported elsewhere)."""
    try:
        stations = load_stations(settings)
    except StationsFileError:
        return frozenset()
    return frozenset((station.name, key.name) for station in stations for key in station.keys)


async def key_findings(store: Store, keys: Collection[KeyName]) -> list[Finding]:
    now = datetime.now(UTC)
    known = await store.accounts.all()
    found = [
        finding
        for name, account in sorted(known.items())
        if name in keys
        for finding in health_findings(account, now)
    ]
    in_use = await store.accounts.in_use(now) if keys else {}
    gone = [missing_key_finding(name, count) for name, count in in_use.items() if name not in keys]
    return [*found, *gone]


def health_findings(account: KeyHealth, now: datetime) -> Iterator[Finding]:
    subject = f"key {account.station}/{account.key}"
    if account.blocked_code is not None and account.blocked_since is not None:
        yield warning(
            subject,
            f"blocked for all jobs since {account.blocked_since:%H:%M} UTC"
            f" ({account.blocked_code}: {account.blocked_words}): correct the key or add credit;"
            " genq retries it by itself",
        )
    for block in account.blocks.held(now):
        yield warning(
            subject,
            f"blocked for {block.describe()}: only jobs of this model wait, and one job at"
            " a time tests it again",
        )
    if account.is_cooling(now):
        yield warning(subject, f"rate limited: no submits before {account.cool_until:%H:%M:%S} UTC")
    if account.is_unwatched(now):
        yield warning(
            subject,
            f"its tasks cannot be polled before {account.look_after:%H:%M:%S} UTC, so no jobs"
            " are submitted with it",
        )


def missing_key_finding(name: KeyName, count: int) -> Finding:
    jobs = "1 unfinished job belongs" if count == 1 else f"{count} unfinished jobs belong"
    return problem(
        f"key {name[0]}/{name[1]}",
        f"{jobs} to it, but it is not in the settings: restore the station and its key"
        " under these names, or the jobs expire",
    )
