"""The pictures in an answer to an order for pictures, and what is said of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generation.contract.given import name_of
from generation.contract.status import Asset, AssetType
from generation.providers.kit import json_reader as wire
from generation.providers.kit import moderation
from generation.providers.kit.signed_urls import signed_until
from generation.providers.openai.complaints import is_success

#: Stands for a picture that is in an answer itself, whatever field it came in.
FILE = "data:"

_NOTHING: list[Any] = []
_BASE64_NAMES = ("b64_json", "b64", "base64", "image_base64")
#: What an entry says of a picture that was made and is not given.
_UNSAFE = ("moderated", "filtered", "flagged", "blocked", "nsfw", "has_nsfw_content")
_SAFE = ("respect_moderation", "is_image_safe", "safe")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What an answer has of pictures."""

    #: Whether it is such an answer at all, though none may be in it.
    listed: bool
    assets: tuple[Asset, ...] = ()
    #: Pictures that came as files.
    files: int = 0
    #: Entries without a picture that say that it was moderated.
    held_back: int = 0
    #: The prompt as the model rewrote it; "" where it did not say.
    revised_prompt: str = ""

    def without(self, given: frozenset[str]) -> "Drawn":
        """Without the pictures that the request contained."""
        assets = tuple(each for each in self.assets if name_of(each.url) not in given)
        return replace(self, assets=assets)


def drawn_in(document: Mapping[str, Any]) -> Drawn:
    """Return the pictures of an answer.

    They are in OpenAI's `data`, in `images`, or in Chat Open's `data.imageList`; `data` may be an
    envelope around any of them.
    """
    data = document.get("data") if is_success(document.get("code")) else None
    inner = wire.mapping(data)
    places = (
        data,
        document.get("images"),
        inner.get("data"),
        inner.get("images"),
        inner.get("imageList"),
    )
    lists = [wire.sequence(place) for place in places if isinstance(place, list)]
    entries = next((each for each in lists if each), _NOTHING)
    assets = {asset.url: asset for asset in map(_asset, entries) if asset}
    revised = (wire.text(wire.mapping(entry).get("revised_prompt")) for entry in entries)
    return Drawn(
        listed=bool(lists),
        assets=tuple(assets.values()),
        files=sum(map(is_file_entry, entries)),
        held_back=sum(map(_is_held_back, entries)),
        revised_prompt=next(filter(None, revised), "")[:4000],
    )


def is_file(address: str) -> bool:
    """Whether what stands in an address's place is the file itself."""
    return address.startswith(("data:", "base64://"))


def _asset(entry: Any) -> Asset | None:
    described = wire.mapping(entry)
    url = next((found for each in _addresses(entry) if (found := wire.address(each))), "")
    if not url:
        return None
    return Asset(
        type=AssetType.IMAGE,
        url=url,
        width=wire.pixels(described.get("width")),
        height=wire.pixels(described.get("height")),
        expires_at=signed_until(url),
    )


def is_file_entry(entry: Any) -> bool:
    """Whether an entry holds the picture itself, and no address of it."""
    described = wire.mapping(entry)
    coded = any(isinstance(described.get(n), str) and described[n] for n in _BASE64_NAMES)
    return _asset(entry) is None and (coded or any(is_file(a) for a in _addresses(entry)))


def _is_held_back(entry: Any) -> bool:
    described = wire.mapping(entry)
    if not described or _asset(entry) or is_file_entry(entry):
        return False
    return (
        any(described.get(name) is True for name in _UNSAFE)
        or any(described.get(name) is False for name in _SAFE)
        or moderation.is_named_in(described)
    )


def _addresses(entry: Any) -> Iterator[str]:
    """What may be the picture's address, in the order in which it is believed."""
    described = wire.mapping(entry)
    for place in (described.get("url"), described.get("image_url"), described.get("imageUrl")):
        yield wire.text(wire.mapping(place).get("url")) or wire.text(place)
    yield wire.text(entry)
