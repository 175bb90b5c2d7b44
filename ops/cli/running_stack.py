"""The settings of the genq that runs on this machine.

`genq up` and `genq demo` choose ports, broker and stations, and store them in the data directory
for the commands that inspect the stack.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ops.cli.configuration import load_settings

if TYPE_CHECKING:
    from generation.settings import Settings

#: In the data directory: `process`, and the `environment` of its programs. Mode 0600.
FILE_NAME = "running.json"


def local_settings() -> "tuple[Settings, str | None]":
    """Return the settings of the stack in the data directory, and a text that names it.

    Without a running stack, return the usual settings and None. This command's own environment
    variables take precedence.
    """
    settings = load_settings()
    file = settings.data_dir / FILE_NAME
    environment = environment_of(file)
    if environment is None:
        return settings, None
    for name, value in environment.items():
        if value and not os.environ.get(name):
            os.environ[name] = value
    return load_settings(), f"those of the genq that runs in {settings.data_dir}"


def environment_of(file: Path) -> dict[str, str] | None:
    """Return the environment a running stack has stored; None if none runs."""
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
        process, environment = int(document["process"]), document["environment"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return cast(dict[str, str], environment) if is_alive(process) else None


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
