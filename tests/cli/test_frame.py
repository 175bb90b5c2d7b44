"""What all commands share: help, version, usage errors, fast start."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from ops import cli
from ops.cli.exit_codes import ExitCode
from tests.cli.script import Genq

MANUAL = Path(__file__).parents[2] / "docs" / "cli.md"
HEAVY = ("celery", "sqlalchemy", "fastapi", "flower", "uvicorn", "alembic", "generation.providers")


def commands(group: Any = None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command by its words: `("keys", "create")`."""
    group = group or typer.main.get_command(cli.app)
    found: dict[tuple[str, ...], Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= commands(command, (*path, name)) if inner else {(*path, name): command}
    return found


def test_help_imports_no_heavy_modules() -> None:
    code = f"import sys, ops.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_every_command_and_option_is_explained() -> None:
    found = commands()
    assert {("submit",), ("wait",), ("keys", "create"), ("health", "worker")} <= set(found)
    for words, command in found.items():
        assert command.help, words
        for parameter in command.params:
            assert parameter.help, f"{words}: {parameter.name}"


def test_help_names_the_demo_and_exit_codes(genq: Genq) -> None:
    answer = genq("--help")
    assert answer.code == ExitCode.OK
    assert "genq demo" in answer.out
    assert "Exit codes" in answer.out


def test_version(genq: Genq) -> None:
    answer = genq("--version")
    assert (answer.code, answer.err) == (ExitCode.OK, "")
    assert answer.out.startswith("genq 0.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sumbit"], "genq: No such command 'sumbit'. Did you mean 'submit'?; see genq --help"),
        (["submit"], "genq: Missing argument 'OPERATION'; see genq submit --help"),
        (["list", "--state", "bored"], "genq: Invalid value for '--state': 'bored' is not one of"),
        (["keys", "create", " "], "genq: NAME must have 1 to 100 printable characters"),
    ],
)
def test_a_usage_error_is_one_sentence(genq: Genq, arguments: list[str], sentence: str) -> None:
    answer = genq(*arguments)
    assert (answer.code, answer.out) == (ExitCode.USAGE, "")
    assert answer.sentence.startswith(sentence)
    assert answer.err.count("\n") == 1


def test_the_manual_describes_every_command_and_option() -> None:
    manual = MANUAL.read_text()
    for words, command in commands().items():
        assert f"genq {' '.join(words)}" in manual
        for option in (each for parameter in command.params for each in parameter.opts):
            assert option in manual or not option.startswith("--"), f"{words}: {option}"
    for code in ExitCode:
        assert f"| {code.value} |" in manual
