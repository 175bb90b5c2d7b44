"""Keeps keys from leaving a station's own domain.

Some upstreams answer a submit with the URL to poll. It is used only if it leads to the station's
own domain, because the key goes with the request.
"""

import httpx2 as httpx
import structlog

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, ForeignHost, Rejected
from generation.stations.binding import Binding
from generation.upstream.asset_urls import is_own

log = structlog.get_logger(__name__)


def absolute_url(binding: Binding, call: Call, *, is_submit: bool) -> str:
    """Return the URL of a call. Raises `ForeignHost` for one outside the station's domain."""
    if call.rooted:
        return binding.station.url + call.path
    if call.path.startswith("/"):
        return binding.station.url + binding.dialect.path(call.path, submit=is_submit)
    if host := foreign_host(binding, call):
        raise ForeignHost(f"the upstream names a host to ask that is not its own: {host}")
    return call.path


def foreign_host(binding: Binding, call: Call) -> str:
    """Return the host of a call's URL where it is not the station's own, else an empty string."""
    if call.path.startswith("/") or is_own(call.path, binding.station.url):
        return ""
    return httpx.URL(call.path).host


def not_found_here(host: str, fault: Rejected) -> Rejected | ForeignHost:
    """Return the fault of a look that avoided a foreign host and was refused.

    A task that is unknown at the station's own path may exist at the foreign one.
    """
    if not host or fault.code is not ErrorCode.NOT_FOUND:
        return fault
    return ForeignHost(
        f"the upstream wants the task to be asked for at {host}, where our key is not"
        f" sent, and does not know it at its own address: {fault.message}"
    )


class ForeignHostLog:
    """Logs each foreign polling host of a station once."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, str]] = set()

    def add(self, binding: Binding, host: str) -> None:
        if (binding.station.name, host) in self._logged:
            return
        self._logged.add((binding.station.name, host))
        log.error(
            "foreign_polling_host",
            station=binding.station.name,
            dialect=binding.operation.dialect,
            host=host,
            hint="the key stays with the station's own domain, whose own path is asked",
        )
