"""What an upstream answers, before anybody knows what it means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from generation.contract import retry_after
from generation.contract.errors import UnrecognizedReply


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, as it came. `headers` has lower-case names."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    #: What the answered request contained (`generation.contract.given`): none of it is a result.
    #: Known to the parser of a submit only.
    given: frozenset[str] = frozenset()

    def json(self) -> Any:
        """Return the body as JSON.

        Of several documents it is the first, because gateways append errors of their own. Raises
        `UnrecognizedReply` if there is none.
        """
        try:
            document = first_document(self.body)
            return storable(document) if b"\\u" in self.body else document
        except (ValueError, RecursionError) as error:
            raise UnrecognizedReply(
                f"the answer is not JSON: {self.excerpt()}", upstream_status=self.status
            ) from error

    def object(self) -> Mapping[str, Any]:
        """The body as a JSON object. Raises `UnrecognizedReply` where it is something else."""
        document = self.json()
        if not isinstance(document, dict):
            raise UnrecognizedReply(
                f"the answer is not a JSON object: {self.excerpt()}", upstream_status=self.status
            )
        return cast(Mapping[str, Any], document)

    @property
    def is_page(self) -> bool:
        """Whether it is HTML: a gateway's error page, or a dashboard where no such path exists."""
        return self.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")

    @property
    def retry_after(self) -> timedelta | None:
        """The wait it asks for, at most a day; None where it asks for none."""
        found = retry_after.in_headers(self.headers, limited=self.status == 429)
        return retry_after.in_body(self.body) if found is None else found

    def excerpt(self, limit: int = 200) -> str:
        """The first `limit` characters of the body, for messages that people read."""
        text = self.body[: limit * 4].decode("utf-8", "replace").strip()
        return text[:limit].replace("\0", "") or f"an empty body with HTTP {self.status}"


def first_document(body: bytes | str) -> Any:
    """The first of several JSON documents.

    Raises `ValueError` or `RecursionError` where it is none, or is followed by what begins no
    other.
    """
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data" or error.doc[error.pos] not in "{[":
            raise
        return json.loads(error.doc[: error.pos])


def storable(value: Any) -> Any:
    """The same JSON without the characters no database keeps: NUL and halves of surrogate pairs."""
    match value:
        case str():
            return value.replace("\0", "").encode("utf-8", "replace").decode()
        case list():
            return [storable(entry) for entry in cast(list[Any], value)]
        case dict():
            entries = cast(dict[str, Any], value)
            return {storable(name): storable(entry) for name, entry in entries.items()}
        case _:
            return value
