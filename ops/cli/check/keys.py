"""What is known of keys: which are refused, for what, and which are missing from the settings."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from generation.settings import Settings
from generation.stations.config_file import StationsFileError, load_stations
from generation.stations.key_health import KeyHealth, KeyName
from generation.store import Store
from ops.cli.check.finding import Finding, problem, warning


def keys_of(settings: Settings) -> frozenset[KeyName]:
    """The keys of the settings; none where these cannot be read, which has been said already."""
    try:
        stations = load_stations(settings)
    except StationsFileError:
        return frozenset()
    return frozenset((station.name, key.name) for station in stations for key in station.keys)


async def of_keys(store: Store, keys: Collection[KeyName]) -> list[Finding]:
    now = datetime.now(UTC)
    known = await store.accounts.all()
    found = [
        finding
        for name, account in sorted(known.items())
        if name in keys
        for finding in of_account(account, now)
    ]
    in_use = await store.accounts.in_use(now) if keys else {}
    gone = [of_gone(name, count) for name, count in in_use.items() if name not in keys]
    return [*found, *gone]


def of_account(account: KeyHealth, now: datetime) -> Iterator[Finding]:
    subject = f"key {account.station}/{account.key}"
    if account.blocked_code is not None and account.blocked_since is not None:
        yield warning(
            subject,
            f"refused for every job since {account.blocked_since:%H:%M} UTC"
            f" ({account.blocked_code}: {account.blocked_words}): correct the key or add credit; it"
            " is tried again by itself",
        )
    for block in account.blocks.held(now):
        yield warning(
            subject,
            f"refused for {block.describe()}: only jobs of this model wait, and one at a time"
            " tries again",
        )
    if account.is_cooling(now):
        yield warning(
            subject, f"called too fast: no submit before {account.cool_until:%H:%M:%S} UTC"
        )
    if account.is_unwatched(now):
        yield warning(
            subject,
            f"its tasks may not be looked at before {account.look_after:%H:%M:%S} UTC, so nothing"
            " is bought with it",
        )


def of_gone(name: KeyName, count: int) -> Finding:
    jobs = "1 unfinished job belongs" if count == 1 else f"{count} unfinished jobs belong"
    return problem(
        f"key {name[0]}/{name[1]}",
        f"{jobs} to it, and it is not in the settings: put the station and its key back under"
        " these names, or the jobs expire",
    )
