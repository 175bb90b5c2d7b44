"""The payload files and how they are read. Their format: `tests/payloads/README.md`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from ulid import ULID

from generation.contract.given import given_in
from generation.contract.inspect_reply import Kind
from generation.contract.operation import Operation, Order
from generation.contract.reply import Reply

ROOT = Path(__file__).parents[1] / "payloads"

#: A folder of this name speaks to every dialect of its provider.
ANY_DIALECT = "any"
#: An `operation` of this name speaks to every operation of its dialect.
EVERY_OPERATION = "*"

#: Whose job a `find` is read for.
JOB_ID = "01JZ8Q4W7Y6T5R4E3W2Q1A0S9D"
ORDER = Order(job_id=JOB_ID, submitted_at=ULID.from_str(JOB_ID).datetime)


class PayloadFile(BaseModel):
    """One file, checked: a misspelt key is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    operation: str | list[str]
    but: list[str] = []
    status: int = 200
    headers: dict[str, str] = {}
    given: list[str] = []
    body: JsonValue = None
    text: str | None = None
    expect: dict[str, JsonValue] | list[dict[str, JsonValue]]
    also: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def one_body(self) -> "PayloadFile":
        if ("body" in self.model_fields_set) == ("text" in self.model_fields_set):
            raise ValueError("give exactly one of body and text")
        return self

    def reply(self) -> Reply:
        text = json.dumps(self.body, ensure_ascii=False) if self.text is None else self.text
        return Reply(self.status, text.encode(), self.headers, given_in(self.given))


@dataclass(frozen=True, slots=True)
class Payload:
    """One answer, whom it concerns, and what must be made of it."""

    name: str
    provider: str
    dialect: str
    kind: Kind
    operations: frozenset[str]
    #: Operations that read such an answer as something else.
    but: frozenset[str]
    reply: Reply
    expect: dict[str, Any] | list[dict[str, Any]]
    also: dict[str, Any]
    is_json: bool

    def concerns(self, operation: Operation[Any]) -> bool:
        return (
            self.provider == operation.provider
            and self.dialect in (ANY_DIALECT, operation.dialect)
            and not self.operations.isdisjoint((EVERY_OPERATION, operation.name))
            and operation.name not in self.but
        )


@cache
def payloads() -> tuple[Payload, ...]:
    """Every payload there is, in the order of their names."""
    return tuple(_load(path) for path in sorted(ROOT.glob("*/*/*/*.json")))


def _load(path: Path) -> Payload:
    provider, dialect, kind = path.relative_to(ROOT).parts[:3]
    try:
        file = PayloadFile.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    names = [file.operation] if isinstance(file.operation, str) else file.operation
    return Payload(
        name=f"{provider}/{dialect}/{kind}/{path.stem}",
        provider=provider,
        dialect=dialect,
        kind=Kind(kind),
        operations=frozenset(names),
        but=frozenset(file.but),
        reply=file.reply(),
        expect=file.expect,
        also=file.also,
        is_json=file.text is None,
    )
