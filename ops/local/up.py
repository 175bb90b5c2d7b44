"""`genq up`: the whole of genq on this machine, until Ctrl-C."""

import asyncio

from rich.console import Console

from generation.settings import Settings
from ops.local.messages import print_addresses, print_line
from ops.local.planning import plan_up, up_data_folder
from ops.local.stack import running


async def up(settings: Settings, console: Console) -> None:
    """Run the stack until it ends: raises `StackEnded`, or `CliError` where it cannot be started."""
    data_folder = up_data_folder(settings)
    with data_folder.locked():
        plan = plan_up(data_folder, settings)
        if plan.sandbox_url:
            print_line(
                console, "There are no stations yet, so jobs go to the sandbox. It costs nothing."
            )
            print_line(
                console, "Stations of your own: stations.toml, or GENQ_STATION_URL and _KEY."
            )
            print_line(console)

        async with running(plan, console) as stack:
            print_addresses(console, plan, stack.client)
            await asyncio.Event().wait()
