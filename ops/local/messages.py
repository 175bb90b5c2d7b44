"""Messages about a local stack: addresses and crashes."""

from pathlib import Path
from shlex import quote

from rich.console import Console

from ops.local.client_credentials import ClientCredentials
from ops.local.data_folder import shown
from ops.local.stack_plan import StackPlan

#: A job to paste, if it costs nothing.
EXAMPLE = """\
-d '{"provider": "midjourney", "operation": "imagine",
         "input": {"prompt": "a red fox in the snow"}}'"""


def print_line(console: Console, text: str = "", style: str = "") -> None:
    """Print a line without wrapping, so that the terminal keeps URLs whole."""
    console.print(text, style=style or None, soft_wrap=True)


def print_crash(console: Console, name: str, log: Path, last_lines: str) -> None:
    print_line(console, f"✗ {name} exited unexpectedly; the end of {shown(log)}:", "red")
    for line in last_lines.splitlines():
        print_line(console, f"  {line}", "dim")


def print_addresses(console: Console, plan: StackPlan, client: ClientCredentials) -> None:
    """Print the addresses and files a user of the stack needs."""
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
        print_line(console, "Submit a job yourself:")
        print_line(console)
        print_line(console, f"{curl}/v1/jobs \\")
        print_line(console, f"    {EXAMPLE}")
    else:
        print_line(console, "Operations of your stations:")
        print_line(console)
        print_line(console, f"{curl}/v1/operations")
    print_line(console)
