"""The pictures, films and sounds that a model shows in its Markdown.

Relays that draw within a chat write a report around the result: the parameters as JSON, quoted
lines about progress, the picture, and a link that downloads the same file once more. Only what is
shown counts, once each and in its order.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from generation.contract.given import name_of
from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit.signed_urls import signed_until
from generation.providers.openai.reasons import is_moderation

#: Where an address ends. Markdown closes it, and nothing in it is decoded.
_ADDRESS = r"<?([^\s)\"<>]{1,4000})"
_LINK = re.compile(r"(!?)\[([^\[\]]{0,2000})\]\(\s{0,9}" + _ADDRESS)
_TAG = re.compile(
    r"<(?:img|video|source)\s[^<>]{0,2000}?src=[\"']([^\"'\s>]{1,4000})", re.IGNORECASE
)
#: An address by itself. It is ASCII: the text goes on right behind it in scripts without blanks.
#: Letters without regard to their case would fold some outside ASCII into `s`, `k` and `i`.
_BARE = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s)\]}\"'<>`*|\u0080-\U0010ffff]{1,4000}")
_ANNOUNCED = re.compile(r"(data preview|预览)\s*[:：]\s*$", re.IGNORECASE)

_FENCE = re.compile(r"```.*?```", re.DOTALL)
_BASE64 = re.compile(r"(data:\w+/[\w.+-]{1,100};base64,|base64://)([A-Za-z0-9+/=]{20,})")

#: How a model begins to say that it draws nothing.
_DECLINED = re.compile(
    r"\W{0,20}(很?抱歉|对不起|我?(无法|不能)|(i'?m |i am )?(so |very |really )?sorry"
    r"|(unfortunately,? )?i (can(no|')?t|(am|'m) (unable|not able)))",
    re.IGNORECASE,
)

_PLAYED = re.compile(r"播放|play|video|视频", re.IGNORECASE)
_DOWNLOADED = re.compile(r"下载|download", re.IGNORECASE)
_DOWNLOAD_PATH = "/cdn/download/"

_MEDIA = {
    **dict.fromkeys(("mp4", "webm", "mov"), AssetType.VIDEO),
    **dict.fromkeys(("mp3", "wav"), AssetType.AUDIO),
    **dict.fromkeys(("png", "jpg", "jpeg", "webp", "gif"), AssetType.IMAGE),
}


class _Link(NamedTuple):
    """An address in a text, and the words it stands under."""

    url: str
    words: str
    #: True for one that Markdown shows instead of linking to it.
    shown: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What a text shows."""

    assets: tuple[Asset, ...]
    #: Files that it holds itself, in base64.
    files: int


def shown_in(text: str, *, drawn: bool, given: frozenset[str] = frozenset()) -> Shown:
    """What the text shows.

    `drawn` says that a picture was ordered: then, where nothing is shown, a link or a bare address
    that leads to a file counts too, and a path leads to the station. Without it they are
    references. What the request contained (`given`) is quoted, and not shown; so is a bare address
    in a refusal.
    """
    rest = _without_echo(text)
    links = [each for each in _links(rest, paths=drawn) if name_of(each.url) not in given]
    found = [each for each in links if each.shown]
    found += [each for each in links if not each.shown and _is_played(each, drawn=drawn)]
    if drawn and not found:
        files = [each for each in links if _medium(each.url)]
        found = [each for each in files if not _is_download(each)] or files
        if not found and not _declines(rest):
            found = [each for each in _bare(rest) if name_of(each.url) not in given]
    found += _downloads_only(links, found)
    files_within = sum(match[2] not in given for match in _BASE64.finditer(rest))
    return Shown(arranged(asset_of(each.url) for each in found), files_within)


def asset_of(url: str) -> Asset:
    """The file at this address, by its ending; a picture where that does not tell."""
    return Asset(type=_medium(url) or AssetType.IMAGE, url=url, expires_at=signed_until(url))


def arranged(assets: Iterator[Asset]) -> tuple[Asset, ...]:
    """Each file once, in their order. Beside a film, pictures are its cover."""
    by_name: dict[str, Asset] = {}
    for asset in assets:
        by_name.setdefault(asset.url, asset)
    found = tuple(by_name.values())
    if not any(asset.type is AssetType.VIDEO for asset in found):
        return found
    return tuple(_cover(each) if each.type is AssetType.IMAGE else each for each in found)


def without_base64(text: str) -> str:
    """The text with every file that stands in it cut off: they are large, and are not kept."""
    return _BASE64.sub(r"\1…", text)


def _cover(asset: Asset) -> Asset:
    return Asset(type=asset.type, url=asset.url, role="cover", expires_at=asset.expires_at)


def _without_echo(text: str) -> str:
    """The text without the parameters that relays repeat: code, and a JSON object at its start."""
    rest = _FENCE.sub(" ", text).lstrip()
    if rest.startswith("{"):
        try:
            _, end = json.JSONDecoder().raw_decode(rest)
        except (ValueError, RecursionError):
            return rest
        rest = rest[end:]
    return rest


def _links(text: str, *, paths: bool) -> Iterator[_Link]:
    """Links and shown files in the order in which they stand in the text."""
    read = wire.address if paths else wire.url
    places = [
        *((m.start(), _Link(read(m[3]), m[2], bool(m[1]))) for m in _LINK.finditer(text)),
        *((m.start(), _Link(read(m[1]), "", True)) for m in _TAG.finditer(text)),
    ]
    yield from (link for _, link in sorted(places, key=lambda place: place[0]) if link.url)


def _bare(text: str) -> Iterator[_Link]:
    for match in _BARE.finditer(text):
        url = wire.url(match[0].rstrip(".,;:!?"))
        announced = _ANNOUNCED.search(text[max(0, match.start() - 40) : match.start()])
        if url and (_medium(url) or announced):
            yield _Link(url, "", True)


def _declines(text: str) -> bool:
    """Whether it is a refusal for the content's sake; an address in it is what it refuses."""
    return bool(_DECLINED.match(text)) and is_moderation(text)


def _is_played(link: _Link, *, drawn: bool) -> bool:
    """Whether a link leads to a film or a sound rather than to a page or to a download."""
    if _is_download(link):
        return False
    if _medium(link.url) in (AssetType.VIDEO, AssetType.AUDIO):
        return True
    return drawn and bool(_PLAYED.search(link.words))


def _downloads_only(links: list[_Link], found: list[_Link]) -> Iterator[_Link]:
    """Films and sounds that the text offers for download and shows nowhere."""
    media = {_medium(each.url) for each in found}
    for link in links:
        medium = _medium(link.url)
        if medium in (AssetType.VIDEO, AssetType.AUDIO) and medium not in media:
            yield link


def _is_download(link: _Link) -> bool:
    return bool(_DOWNLOADED.search(link.words)) or _DOWNLOAD_PATH in link.url


def _medium(url: str) -> AssetType | None:
    path = urlsplit(url).path
    return _MEDIA.get(path.rpartition(".")[2].lower())
