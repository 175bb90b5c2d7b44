"""Python packages that cannot share genq's environment, because they need other versions.

Each is installed once, with all it needs, into a folder of the virtual environment.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.services.missing import miss

INSTALL_SECONDS = 200


class PackageUnavailable(Exception):
    """pip cannot install the package."""


def python_path_of(package: str) -> Path:
    """Return a `PYTHONPATH` with this package, given as `name==version`.

    Skips the test if it cannot be installed, and fails it where CI is set.
    """
    folder = Path(sys.prefix) / "packages" / package
    try:
        if not folder.is_dir():
            install(package, folder)
    except PackageUnavailable as missing:
        miss(missing)
    return folder


def install(package: str, folder: Path) -> None:
    """Install into a folder of this process, and rename it when it is complete."""
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", f"--target={fresh}", package]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise PackageUnavailable(f"pip has not installed {package} in time") from None
    if ended.returncode != 0:
        raise PackageUnavailable(f"pip cannot install {package}: {ended.stderr[-500:]}")
    if not folder.is_dir():
        fresh.rename(folder)
    else:
        shutil.rmtree(fresh, ignore_errors=True)
