"""
A guard, loaded as a pytest plugin: this process talks to loopback and to nobody else.

It sees what Python's own sockets do. What uvloop or a child process connects to is not seen.
"""

import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import cast

LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost", socket.gethostname()})


class NetworkRefused(RuntimeError):
    """A test tried to reach something outside this machine."""


def pytest_configure() -> None:
    """Arm the guard; an audit hook stays for the life of the process."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    # Called for every import, open and exec: one look-up and out.
    host_of = WATCHED.get(event)
    if host_of is not None and (host := host_of(arguments)) is not None and not is_local(host):
        raise NetworkRefused(
            f"a test tried to reach {host!r} ({event}); tests talk to loopback only: start a "
            f"server on 127.0.0.1 (ops.stack.ports.free_port) and point the code under test at it"
        )


def is_local(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in LOCAL_NAMES or host.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None) or address
    # Linux takes a connection to the unspecified address as one to itself.
    return mapped.is_loopback or mapped.is_unspecified


def _peer(arguments: tuple[object, ...]) -> str | None:
    """The host of (socket, address); None where the family has no hosts, as in Unix sockets."""
    address = arguments[1]
    if not isinstance(address, tuple):
        return None
    return _text(cast(tuple[object, ...], address)[0])


def _name(arguments: tuple[object, ...]) -> str | None:
    """The host of (host, port, …); None asks for this machine's own addresses."""
    return _text(arguments[0])


def _text(host: object) -> str | None:
    match host:
        case str():
            return host
        case bytes() | bytearray():
            return host.decode("ascii", "replace")
        case _:
            return None


WATCHED: dict[str, Callable[[tuple[object, ...]], str | None]] = {
    "socket.connect": _peer,
    "socket.sendto": _peer,
    "socket.sendmsg": _peer,
    "socket.getaddrinfo": _name,
    "socket.gethostbyname": _name,
}
