"""Submit a Midjourney grid, then the upscale of its first picture."""

import sys

import genq

with genq.Client() as client:
    grid = client.wait(client.submit("midjourney.imagine", {"prompt": "a lighthouse at dusk"}).id)
    if not grid.succeeded:
        sys.exit(f"{grid.state}: {grid.error.message if grid.error else grid.reason}")
    print(f"grid {grid.assets[0].url}")
    print(f"actions {', '.join(grid.actions)}")

    # A job that follows another goes to the same station and key, and is a purchase of its own.
    upscale = client.wait(client.act(grid.id, "U1").id)
    if not upscale.succeeded:
        sys.exit(f"{upscale.state}: {upscale.error.message if upscale.error else upscale.reason}")
    print(f"upscale {upscale.assets[0].url}")
