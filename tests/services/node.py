"""
Packages of the npm registry, for proofs with other people's code.

They are installed once, into a folder of the virtual environment that is named after what is in it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services.missing import miss

INSTALL_SECONDS = 200


class NodeUnavailable(Exception):
    """There is no Node.js here, or npm cannot install what is asked for."""


@dataclass(frozen=True)
class Node:
    """Node.js, with some packages installed in `folder`."""

    folder: Path
    program: str

    def run(self, script: str, *arguments: str, timeout: float = 60) -> str:
        """What an ES module prints, given as text. Fails the test where it does not end with 0."""
        file = self.folder / f"{hashlib.sha256(script.encode()).hexdigest()[:16]}-{os.getpid()}.mjs"
        file.write_text(script)
        try:
            ended = subprocess.run(
                [self.program, str(file), *arguments],
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        finally:
            file.unlink()
        assert ended.returncode == 0, ended.stderr or ended.stdout
        return ended.stdout

    def tool(self, name: str) -> Path:
        """An installed package's command."""
        return self.folder / "node_modules" / ".bin" / name


def node_with(*packages: str) -> Node:
    """
    Node.js with these packages, each as `name@version`. Skips the test where there is none, and
    fails it where CI is set.
    """
    try:
        return installed(packages)
    except NodeUnavailable as missing:
        miss(missing)


def installed(packages: Sequence[str]) -> Node:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NodeUnavailable("this needs Node.js and npm on the PATH")
    name = hashlib.sha256("\n".join(sorted(packages)).encode()).hexdigest()[:16]
    folder = Path(sys.prefix) / "node" / name
    if not (folder / "node_modules").is_dir():
        install(npm, folder, packages)
    return Node(folder, node)


def install(npm: str, folder: Path, packages: Sequence[str]) -> None:
    """Install into a folder of this process's own, and move it into place when it is whole."""
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    (fresh / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
    try:
        ended = subprocess.run(
            command, cwd=fresh, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NodeUnavailable(f"npm has not installed {' '.join(packages)} in time") from None
    if ended.returncode != 0:
        raise NodeUnavailable(f"npm cannot install {' '.join(packages)}: {ended.stderr[-500:]}")
    if not (folder / "node_modules").is_dir():
        fresh.rename(folder)
    else:
        shutil.rmtree(fresh, ignore_errors=True)
