"""`name=value` arguments are typed by the operation's schema."""

import json
from typing import Any

import pytest
from genq.poll_interval import poll_pause

from generation.contract.operation import Operation
from generation.providers import OPERATIONS
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.key_value_arguments import read_json, read_key_values

SCHEMA: dict[str, Any] = {
    "properties": {
        "prompt": {"type": "string"},
        "negative": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "seconds": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "scale": {"type": "number"},
        "sound": {"anyOf": [{"enum": ["on", "off"]}, {"type": "null"}]},
        "camera": {"anyOf": [{"$ref": "#/$defs/Camera"}, {"type": "null"}]},
        "pictures": {"type": "array"},
        "multi": {"type": ["boolean", "null"]},
        "anything": {},
    },
    "$defs": {"Camera": {"type": "object"}},
}


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("prompt=a cat", "a cat"),
        ("prompt=5", "5"),
        ('prompt={"a": 1}', '{"a": 1}'),
        ("prompt=a=b", "a=b"),
        ("prompt=", ""),
        ("negative=null", "null"),
        ("seconds=5", 5),
        ("seconds=five", "five"),
        ("seconds=[5]", "[5]"),
        ("scale=1", 1),
        ("scale=0.5", 0.5),
        ("scale=NaN", "NaN"),
        ("sound=on", "on"),
        ("sound=true", "true"),
        ('camera={"pan": 1}', {"pan": 1}),
        ("camera=null", None),
        ("pictures=[1, 2]", [1, 2]),
        ("pictures=http://a.test.invalid/b.png", "http://a.test.invalid/b.png"),
        ("multi=true", True),
        ("anything=1e3", 1000.0),
        ("anything=" + "[" * 100_000, "[" * 100_000),
        ("unknown=7", 7),
        ("unknown=seven", "seven"),
    ],
)
def test_a_value_has_the_type_of_its_field(assignment: str, value: Any) -> None:
    (found,) = read_key_values([assignment], SCHEMA).values()
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("assignment", ["prompt", "=5", ""])
def test_an_argument_without_name_or_value_is_rejected(assignment: str) -> None:
    with pytest.raises(CliError, match="is not NAME=VALUE") as stop:
        read_key_values([assignment], SCHEMA)
    assert stop.value.code is ExitCode.USAGE


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.dialect}:{each.name}")
def test_every_example_can_be_given_as_arguments(operation: Operation[Any]) -> None:
    """Text as it is, and everything else as JSON: the order is the same."""
    typed = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in operation.example.items()
    ]
    found = read_key_values(typed, operation.request.model_json_schema())
    assert operation.request(**found) == operation.request(**operation.example)


def test_polls_become_rarer_and_follow_the_apis_hint() -> None:
    assert [poll_pause(waited, None) for waited in (0, 5, 50, 500)] == [1, 1, 5, 10]
    assert [poll_pause(0, hint) for hint in (0.0, 3.0, 127.0)] == [1, 3, 10]


def test_duplicate_names_are_rejected() -> None:
    with pytest.raises(CliError, match="prompt is given twice") as stop:
        read_key_values(["prompt=a", "seconds=5", "prompt=a"], SCHEMA)
    assert stop.value.code is ExitCode.USAGE
    with pytest.raises(ValueError, match="'pan' is given twice in one object"):
        read_json('{"camera": {"pan": 1, "pan": 2}}')
