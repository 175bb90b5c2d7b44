"""`genq up`: runs all of genq on this machine until Ctrl-C."""

import asyncio

from rich.console import Console

from generation.settings import Settings
from ops.local.messages import print_addresses, print_line
from ops.local.planning import plan_up, up_data_folder
from ops.local.stack import running_stack


async def up(settings: Settings, console: Console) -> None:
    """Run the stack until it ends. Raises `StackEnded`, or `CliError` if it cannot start."""
    data_folder = up_data_folder(settings)
    with data_folder.locked():
        plan = plan_up(data_folder, settings)
        if plan.sandbox_url:
            print_line(console, "There are no stations yet, so jobs go to the free sandbox.")
            print_line(console, "To use stations: stations.toml, or GENQ_STATION_URL and _KEY.")
            print_line(console)

        async with running_stack(plan, console) as stack:
            print_addresses(console, plan, stack.client)
            await asyncio.Event().wait()
