"""URLs in a station's answers: whether they are its own, and how we can reach them.

Some stations answer with hosts that only they or their network can reach.
"""

from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from generation.contract.status import Succeeded

Answer = TypeVar("Answer")


def located(answer: Answer, station_url: str) -> Answer:
    """Return the answer with asset URLs that can be reached from outside the station."""
    if not isinstance(answer, Succeeded):
        return answer
    urls = [reachable(asset.url, station_url) for asset in answer.assets]
    if urls == [asset.url for asset in answer.assets]:
        return answer
    assets = zip(answer.assets, urls, strict=True)
    return replace(answer, assets=tuple(replace(asset, url=url) for asset, url in assets))


def reachable(url: str, station_url: str) -> str:
    """Return the URL as it can be reached from outside the station.

    A path is taken from the station's root; adapters return paths for files at the station itself.
    A private address of a public station is replaced by the station's own.
    """
    if url.startswith("//"):
        url = f"{urlsplit(station_url).scheme}:{url}"
    if url.startswith("/"):
        return station_url + url
    try:
        parts, station = urlsplit(url), urlsplit(station_url)
    except ValueError:
        return url
    if not is_private(parts.hostname or "") or is_private(station.hostname or ""):
        return url
    return parts._replace(scheme=station.scheme, netloc=station.netloc).geturl()


def is_private(host: str) -> bool:
    """Return whether a host is not on the public internet, such as `localhost`."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def is_own(url: str, station_url: str) -> bool:
    """Return whether a URL leads to the station's own domain, with the same scheme.

    Hosts are of one domain if their registrable domains are equal by the public suffix list:
    `api.example.co.uk` and `img.example.co.uk` are, two customers of `vercel.app` are not. An IP
    address, and a name without a domain such as `localhost`, must be the same host and port.
    """
    try:
        given, own = urlsplit(url), urlsplit(station_url)
        ports = given.port, own.port
    except ValueError:
        return False
    if given.scheme != own.scheme or not given.hostname:
        return False
    if given.hostname == own.hostname and ports[0] == ports[1]:
        return True
    domain = registrable_domain(given.hostname)
    return bool(domain) and domain == registrable_domain(own.hostname or "")


def registrable_domain(host: str) -> str:
    """Return `example.co.uk` for `api.example.co.uk`.

    Returns an empty text for an address, a public suffix, and a name without a dot.
    """
    try:
        ip_address(host)
    except ValueError:
        return _public_suffixes().privatesuffix(host.rstrip(".")) or ""
    return ""


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
