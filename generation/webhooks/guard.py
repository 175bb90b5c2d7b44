"""Which URLs and addresses may be requested when somebody else chose them (SSRF).

Without this, a caller could make genq send requests inside its own network: to databases, admin
pages, or the metadata service of a cloud. `check_url` checks the URL itself. `forbidden` checks the
addresses of its name, when a connection is opened (see `client`).

Ranges: IANA's special-purpose address registries for IPv4 and IPv6.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import httpx2 as httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_RANGES: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "a carrier's or a cloud's own network"),
        ("127.0.0.0/8", "this host (loopback)"),
        ("168.63.129.16/32", "a cloud's host agent"),
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private network"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "this host"),
        ("::1/128", "this host (loopback)"),
        ("64:ff9b::/96", "a translated IPv4 address (NAT64)"),
        ("64:ff9b:1::/48", "a translated IPv4 address (local NAT64)"),
        ("100::/64", "a discard address"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2002::/16", "a tunnelled IPv4 address (6to4)"),
        ("3fff::/20", "reserved for documentation"),
        ("5f00::/16", "a segment routing identifier"),
        ("fc00::/7", "a private network"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "a private network (site-local)"),
        ("ff00::/8", "multicast"),
    )
)
#: All IPv6 addresses of the public internet.
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")

#: URLs whose check is remembered.
KNOWN_URLS = 4096

_SCHEME_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
#: Resolvers read a host with such a last label as an IPv4 address.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_SUFFIXES = (".internal", ".local")
_LOCALHOST = ip_address("127.0.0.1")


NOT_A_URL = "this is not a URL; write it as https://host/path"


class ForbiddenAddress(ValueError):
    """A URL or an address that may not be requested. The message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """What an operator allows besides the public internet over https."""

    allow_http: bool = False
    #: Networks that are allowed although they are not public.
    allowed_networks: tuple[Network, ...] = ()
    #: None permits every port.
    allowed_ports: frozenset[int] | None = frozenset({80, 443})


def forbidden(address: Address, allowed: Sequence[Network]) -> str | None:
    """Return why this address may not be requested; None if it may.

    An IPv6 address may contain an IPv4 address. The mapped form is checked as that IPv4 address.
    The translated (NAT64) and tunnelled (6to4) forms are refused unless their IPv6 network is in
    `allowed`, and even then the IPv4 address in them must pass.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return forbidden(address.ipv4_mapped, allowed)
    if not any(address in network for network in allowed) and (what := _special_range(address)):
        return f"{address} is {what}"
    if inner := _inner_ipv4(address):
        return forbidden(inner, allowed)
    return None


def check_url(url: str, policy: GuardPolicy) -> None:
    """Raise `ForbiddenAddress` for a URL that may not be requested, whatever its name resolves to.

    A permitted name may still resolve to a forbidden address; a guarded connection checks that.
    Names that end in `.internal` or `.local` are refused while `allowed_networks` is empty; with
    allowed networks, only the address counts. Messages quote only the host and the port of the URL,
    because the rest may be secret.
    """
    if (refusal := _refusal(url, policy)) is not None:
        raise ForbiddenAddress(refusal)


@lru_cache(KNOWN_URLS)
def _refusal(url: str, policy: GuardPolicy) -> str | None:
    """Return why a URL is refused. Cached: parsing a URL costs as much as sending a request."""
    try:
        parsed = _parse(url)
        _check_form(url, parsed, policy)
        _check_port(parsed, policy)
        _check_host(parsed.raw_host.decode("ascii").lower(), policy)
    except ForbiddenAddress as refusal:
        return str(refusal)
    return None


@lru_cache(KNOWN_URLS)
def receiver(url: str) -> str:
    """Return `host:port` of a URL, for limits and logs: the rest may be secret.

    Returns an empty text for an invalid URL, and port 0 for an unknown scheme without a port.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    return f"{parsed.raw_host.decode('ascii').lower()}:{_port(parsed)}"


def _special_range(address: Address) -> str | None:
    for network, what in _RANGES:
        if address in network:
            return what
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "not a public address"
    return None


def _inner_ipv4(address: Address) -> IPv4Address | None:
    """Return the IPv4 address in a NAT64 or 6to4 address."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.sixtofour


def _parse(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        # The cause may quote a password.
        raise ForbiddenAddress(NOT_A_URL) from None


def _check_form(url: str, parsed: httpx.URL, policy: GuardPolicy) -> None:
    if parsed.scheme not in _SCHEME_PORTS or not parsed.raw_host:
        raise ForbiddenAddress("a URL here begins with https:// and a host; write it in full")
    if parsed.scheme == "http" and not policy.allow_http:
        raise ForbiddenAddress("http:// is not permitted here; use https://")
    if parsed.userinfo:
        raise ForbiddenAddress("a URL here carries no user name or password; remove them")
    if "#" in url:
        raise ForbiddenAddress("a URL here has no fragment; remove the '#' and what follows")


def _check_port(parsed: httpx.URL, policy: GuardPolicy) -> None:
    port = _port(parsed)
    if not 1 <= port <= 65535:
        raise ForbiddenAddress(f"there is no port {port}; use 443")
    if policy.allowed_ports is not None and port not in policy.allowed_ports:
        permitted = ", ".join(str(each) for each in sorted(policy.allowed_ports))
        raise ForbiddenAddress(f"port {port} is not permitted here; permitted: {permitted}")


def _port(parsed: httpx.URL) -> int:
    return _SCHEME_PORTS.get(parsed.scheme, 0) if parsed.port is None else parsed.port


def _check_host(host: str, policy: GuardPolicy) -> None:
    if address := _literal(host):
        if reason := forbidden(address, policy.allowed_networks):
            raise ForbiddenAddress(f"{reason}; give an address on the public internet")
        return
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ForbiddenAddress("this URL has no valid host; write a name such as hooks.example.com")
    if _NUMERIC.fullmatch(labels[-1]):
        raise ForbiddenAddress(f"write the address {host} as four decimal numbers, or as a name")
    if labels[-1] == "localhost" and forbidden(_LOCALHOST, policy.allowed_networks):
        raise ForbiddenAddress(f"{host} is this host; give a name on the public internet")
    if name.endswith(_PRIVATE_SUFFIXES) and not policy.allowed_networks:
        raise ForbiddenAddress(f"{host} is a private name; give one of the public internet")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
