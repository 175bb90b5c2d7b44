"""What is said around a local stack: where things are, and what went wrong meanwhile."""

from pathlib import Path
from shlex import quote

from rich.console import Console

from ops.local.client_credentials import ClientCredentials
from ops.local.data_folder import shown
from ops.local.stack_plan import StackPlan

#: An order to paste, where it costs nothing.
EXAMPLE = """\
-d '{"provider": "midjourney", "operation": "imagine",
         "input": {"prompt": "a red fox in the snow"}}'"""


def print_line(console: Console, text: str = "", style: str = "") -> None:
    """A line as it is: what is too long is left to the terminal, so that a URL stays whole."""
    console.print(text, style=style or None, soft_wrap=True)


def print_crash(console: Console, name: str, log: Path, last_lines: str) -> None:
    print_line(console, f"✗ {name} ended by itself; the end of {shown(log)}:", "red")
    for line in last_lines.splitlines():
        print_line(console, f"  {line}", "dim")


def print_addresses(console: Console, plan: StackPlan, client: ClientCredentials) -> None:
    """Where everything is that somebody who runs the stack wants to open."""
    data_folder = plan.data_folder
    key = f"{shown(data_folder.client)}{'  (new)' if client.is_new else ''}"
    print_line(console)
    print_line(console, "genq is running. Ctrl-C stops everything.", "bold")
    print_line(console)
    for what, where in (
        ("API", f"{plan.api_url}/docs"),
        ("Flower", plan.flower_url),
        ("API key", key),
        ("logs", shown(data_folder.logs)),
    ):
        print_line(console, f"  {what:8} {where}")
    print_line(console)
    curl = f"  curl -K {quote(shown(data_folder.curl))} {plan.api_url}"
    if plan.sandbox_url:
        print_line(console, "Order something yourself:")
        print_line(console)
        print_line(console, f"{curl}/v1/jobs \\")
        print_line(console, f"    {EXAMPLE}")
    else:
        print_line(console, "What can be ordered from your stations:")
        print_line(console)
        print_line(console, f"{curl}/v1/operations")
    print_line(console)
