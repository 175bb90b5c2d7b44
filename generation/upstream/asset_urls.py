"""
Whose a host is: which addresses belong to a station's own domain, and where an asset really is for
whoever is not the station. Some stations name hosts that only the machine itself can reach, or only
its neighbours.
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
    """The same answer with every asset URL as we can reach it."""
    if not isinstance(answer, Succeeded):
        return answer
    urls = [reachable(asset.url, station_url) for asset in answer.assets]
    if urls == [asset.url for asset in answer.assets]:
        return answer
    assets = zip(answer.assets, urls, strict=True)
    return replace(answer, assets=tuple(replace(asset, url=url) for asset, url in assets))


def reachable(url: str, station_url: str) -> str:
    """
    A path is seen from the station's root: so adapters write what is at the station itself. And
    what a public station calls by a private address can only be at its own.
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
    """Whether the host is one that the public internet does not lead to, such as `localhost`."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def is_own(url: str, station_url: str) -> bool:
    """
    Whether a URL leads to the station's own domain, by the same scheme. Hosts are of one domain if
    their registrable domains are equal by the public suffix list: `api.example.co.uk` and
    `img.example.co.uk` are, two customers of `vercel.app` are not. An IP address, and a name
    without a domain such as `localhost`, must be the same host and port.
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
    """`example.co.uk` of `api.example.co.uk`; "" for an address, a suffix, a name without a dot."""
    try:
        ip_address(host)
    except ValueError:
        return _public_suffixes().privatesuffix(host.rstrip(".")) or ""
    return ""


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
