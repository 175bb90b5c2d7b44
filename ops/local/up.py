"""`genq up`: the whole of genq on this machine, until Ctrl-C."""

import asyncio

from rich.console import Console

from generation.settings import Settings
from ops.local.messages import say, say_where
from ops.local.planning import home_for_up, plan_up
from ops.local.stack import running


async def up(settings: Settings, console: Console) -> None:
    """Run the stack until it ends: raises `StackEnded`, or `Stop` where it cannot be started."""
    home = home_for_up(settings)
    with home.locked():
        plan = plan_up(home, settings)
        if plan.sandbox_url:
            say(console, "There are no stations yet, so jobs go to the sandbox. It costs nothing.")
            say(console, "Stations of your own: stations.toml, or GENQ_STATION_URL and _KEY.")
            say(console)

        async with running(plan, console) as stack:
            say_where(console, plan, stack.client)
            await asyncio.Event().wait()
