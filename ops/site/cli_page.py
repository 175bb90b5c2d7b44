"""The reference of the command line, made from the typer application."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from ops.cli import app
from ops.site.markdown import code, table

INTRODUCTION = """# Commands

Every command with its arguments and options. [The command line](../cli.md) explains how to use
them, with examples and exit codes.

"""


def cli_page() -> str:
    """The page, in Markdown: a section for each command."""
    root = get_command(app)
    sections = (section(name, command) for name, command in commands(root, "genq"))
    return INTRODUCTION + "\n".join(sections)


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The commands that do something, by their full names. Groups only hold commands."""
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner:
        yield name, command
    for each, subcommand in sorted(inner.items()):
        if not subcommand.hidden:
            yield from commands(subcommand, f"{name} {each}")


def section(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    arguments, options = rows(command, context)
    parts = [
        f"## {name}\n",
        f"```\n{usage}\n```\n",
        (command.help or "").strip() + "\n",
        table(["argument", "meaning"], arguments),
        table(["option", "meaning"], options),
    ]
    return "\n".join(part for part in parts if part.strip())


def rows(command: Any, context: typer.Context) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of the arguments and those of the options."""
    arguments: list[list[str]] = []
    options: list[list[str]] = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None:
            continue
        rows = arguments if parameter.param_type_name == "argument" else options
        rows.append([code(record[0].strip()), record[1]])
    return arguments, options
