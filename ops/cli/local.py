"""The whole of genq on one machine."""

import typer


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    del app
