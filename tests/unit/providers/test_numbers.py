"""Whole numbers in requests: none may be larger than a database keeps."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from pydantic import ValidationError

from generation import providers
from generation.contract.operation import Operation
from generation.contract.request import LARGEST_INTEGER


def integers(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    match schema:
        case dict():
            found = cast(dict[str, Any], schema)
            if found.get("type") == "integer":
                yield path, found
            for name, each in found.items():
                yield from integers(each, f"{path}/{name}")
        case list():
            for at, each in enumerate(cast(list[Any], schema)):
                yield from integers(each, f"{path}/{at}")
        case _:
            return


@pytest.mark.parametrize(
    "operation", providers.OPERATIONS, ids=lambda each: f"{each.dialect}.{each.name}"
)
def test_every_whole_number_of_a_request_has_bounds(operation: Operation[Any]) -> None:
    for path, schema in integers(operation.request.model_json_schema()):
        bounded = "maximum" in schema or "exclusiveMaximum" in schema
        assert bounded or "enum" in schema or "const" in schema, path


@pytest.mark.parametrize(
    ("provider", "name"),
    [("flux", "pro_1_1"), ("flux", "flux_2_pro"), ("flux", "schnell"), ("openai", "chat")],
)
@pytest.mark.parametrize("seed", [LARGEST_INTEGER + 1, -LARGEST_INTEGER - 2, str(10**30)])
def test_a_seed_beyond_64_bits_is_refused(provider: str, name: str, seed: Any) -> None:
    for dialect in providers.dialects(provider, name):
        operation = providers.find(provider, name, dialect)
        assert operation is not None
        fine = operation.request.model_validate({"prompt": "a", "seed": LARGEST_INTEGER})
        assert fine.model_dump()["seed"] == LARGEST_INTEGER
        with pytest.raises(ValidationError, match="seed"):
            operation.request.model_validate({"prompt": "a", "seed": seed})
