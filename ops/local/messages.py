"""What is said around a local stack: where things are, and what went wrong meanwhile."""

from pathlib import Path
from shlex import quote

from rich.console import Console

from ops.local.client_credentials import Client
from ops.local.data_folder import shown
from ops.local.stack_plan import Plan

#: An order to paste, where it costs nothing.
EXAMPLE = """\
-d '{"provider": "midjourney", "operation": "imagine",
         "input": {"prompt": "a red fox in the snow"}}'"""


def say(console: Console, text: str = "", style: str = "") -> None:
    """A line as it is: what is too long is left to the terminal, so that a URL stays whole."""
    console.print(text, style=style or None, soft_wrap=True)


def say_crash(console: Console, name: str, log: Path, last_lines: str) -> None:
    say(console, f"✗ {name} ended by itself; the end of {shown(log)}:", "red")
    for line in last_lines.splitlines():
        say(console, f"  {line}", "dim")


def say_where(console: Console, plan: Plan, client: Client) -> None:
    """Where everything is that somebody who runs the stack wants to open."""
    home = plan.home
    key = f"{shown(home.client)}{'  (new)' if client.is_new else ''}"
    say(console)
    say(console, "genq is running. Ctrl-C stops everything.", "bold")
    say(console)
    for what, where in (
        ("API", f"{plan.api_url}/docs"),
        ("Flower", plan.flower_url),
        ("API key", key),
        ("logs", shown(home.logs)),
    ):
        say(console, f"  {what:8} {where}")
    say(console)
    curl = f"  curl -K {quote(shown(home.curl))} {plan.api_url}"
    if plan.sandbox_url:
        say(console, "Order something yourself:")
        say(console)
        say(console, f"{curl}/v1/jobs \\")
        say(console, f"    {EXAMPLE}")
    else:
        say(console, "What can be ordered from your stations:")
        say(console)
        say(console, f"{curl}/v1/operations")
    say(console)
