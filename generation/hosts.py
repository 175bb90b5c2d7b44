"""
Where an asset really is, for whoever is not the station: some name hosts that only a machine itself
can reach, or only its neighbours.
"""

from dataclasses import replace
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from generation.status import Succeeded

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
