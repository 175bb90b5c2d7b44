"""`python -m ops.sandbox --host 127.0.0.1 --port 0`: a sandbox station, set by GENQ_SANDBOX_*."""

import argparse

from ops.sandbox.config import SandboxConfig
from ops.sandbox.server import serve


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m ops.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=9000, help="port to listen on; 0: any free one")
    arguments = parser.parse_args()
    try:
        serve(SandboxConfig(), arguments.host, arguments.port)
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
