"""Which URLs of an answer are told as its assets.

A URL goes to callers, who fetch it, and into every event: so it has a bounded length, one answer a
bounded number of them, and none has credentials, control characters or a host that only a machine's
own network knows. What is left out is said in `details.dropped`, or in the fault where nothing is
left.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from generation.contract.errors import ErrorCode, UnrecognizedReply
from generation.contract.given import name_of
from generation.contract.operation import Operation
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    Asset,
    Failed,
    Running,
    Status,
    SubmitAnswer,
    Succeeded,
)

Answer = TypeVar("Answer")
Address = IPv4Address | IPv6Address

LONGEST_URL = 4000
#: More files than any order makes.
MOST_ASSETS = 500

#: A last label of this form makes the whole host a number.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
#: The detail that says what was left out.
DROPPED = "dropped"
OWN = "is in the request itself"


def usable(answer: Answer, given: frozenset[str] = frozenset(), station_url: str = "") -> Answer:
    """Return the answer without unusable URLs and without those of the request (`given`).

    Raises `UnrecognizedReply` with `asset_missing` if nothing is left of a success.
    """
    if isinstance(answer, Running) and answer.so_far:
        return replace(answer, so_far=_or_none(answer.so_far, given, station_url))
    if not isinstance(answer, Succeeded) or not answer.assets:
        return answer
    dropped = Counter[str]()
    kept: list[Asset] = []
    for asset in answer.assets:
        wrong = objection(asset.url, given, station_url)
        if not wrong and len(kept) >= MOST_ASSETS:
            wrong = f"is beyond the first {MOST_ASSETS}"
        if wrong:
            dropped[wrong] += 1
        else:
            kept.append(asset)
    if not dropped:
        return answer
    words = [f"{count} URL{'s' * (count > 1)}: {wrong}" for wrong, count in dropped.items()]
    if not kept and not answer.texts:
        raise UnrecognizedReply(
            f"the upstream reports success and gives no usable URL ({'; '.join(words)})",
            code=ErrorCode.ASSET_MISSING,
        )
    said = [*answer.details.get(DROPPED, ()), *words]
    return replace(answer, assets=tuple(kept), details={**answer.details, DROPPED: said})


def _or_none(answer: Succeeded, given: frozenset[str], station_url: str) -> Succeeded | None:
    try:
        return usable(answer, given, station_url)
    except UnrecognizedReply:
        return None


def usable_each(answers: Mapping[str, Status], station_url: str = "") -> Mapping[str, Status]:
    """As `usable`, for many tasks. One that has nothing left is absent, and looked at singly."""
    found: dict[str, Status] = {}
    for name, answer in answers.items():
        try:
            found[name] = usable(answer, station_url=station_url)
        except UnrecognizedReply:
            continue
    return found


def read_submit(operation: Operation[Any], reply: Reply, station_url: str = "") -> SubmitAnswer:
    """What a submit was answered with.

    Nothing that the request itself contained (`reply.given`) is a result; a success with no other
    is looked at again, where there is a task to look at. Raises a `Fault` as the parser does.
    """
    answer = operation.parse_submit(reply)
    given = frozenset[str]() if operation.gives_back else reply.given
    try:
        return usable(answer, given, station_url)
    except UnrecognizedReply as fault:
        upstream_id = answer.upstream_id if isinstance(answer, Succeeded) else None
        if upstream_id and operation.submit_timeout is None:
            return Accepted(upstream_id)
        return Failed(fault.message, fault.code)


def objection(url: str, given: frozenset[str] = frozenset(), station_url: str = "") -> str:
    """Why this URL cannot be told; "" where it can. A data URI has its own bounds elsewhere."""
    if given and name_of(url) in given:
        return OWN
    if url[:5].lower() == "data:":
        return ""
    if len(url) > LONGEST_URL:
        return f"is longer than {LONGEST_URL} characters"
    if _CONTROL.search(url):
        return "has blanks or control characters in it"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no valid URL"
    if "@" in parts.netloc:
        return "has a user name or a password in it"
    if port == 0:
        return "is no valid URL"
    return _host_objection(host, station_url)


def _host_objection(host: str, station_url: str) -> str:
    """Link-local and the like lead nowhere from outside, and in a cloud to its metadata.

    Loopback and private addresses are judged where it is known who the station is
    (`generation.upstream.asset_urls`).
    """
    address = _address_of(host)
    if address is None:
        return "has a host that is no name and no valid address" if _is_numeric(host) else ""
    if not _leads_nowhere(address):
        return ""
    station = _address_of(urlsplit(station_url).hostname or "")
    if station is not None and _leads_nowhere(station):
        return ""
    return "has a host that no other machine can reach (link-local, multicast or reserved)"


def _leads_nowhere(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return _leads_nowhere(address.ipv4_mapped)
    reserved = address.is_multicast or address.is_unspecified or address.is_reserved
    return address.is_link_local or (reserved and not address.is_loopback)


def _address_of(host: str) -> Address | None:
    try:
        return ip_address(host.rstrip("."))
    except ValueError:
        return None


def _is_numeric(host: str) -> bool:
    """Whether it is a number in another form than four decimals, such as `0x7f.1`."""
    return bool(_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]))
