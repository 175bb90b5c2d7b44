"""
Installs genq as its users do, without asking a package index.

A new virtual environment gets links to those distributions of the running one that genq's own
metadata (or its lock) asks for, and no others: what is missing there is missing for users.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def build_wheel(folder: Path) -> Path:
    """The wheel of the source tree."""
    arguments = ("wheel", "--no-index", "--no-deps", "--no-build-isolation")
    run([*PIP, *arguments, "--wheel-dir", str(folder), str(ROOT)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def closure(requirements: Iterable[str]) -> Mapping[str, Distribution]:
    """Everything that these ask for, and what that asks for, as it is installed here."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(each), "") for each in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found[name] = distribution(name)
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                needs = found[name].requires or ()
                waiting += [(Requirement(each), wanted) for each in needs]
    return found


def locked(lock: Path) -> Mapping[str, Distribution]:
    """What a lock file names, as far as it is for this platform."""
    names = re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE)
    found: dict[str, Distribution] = {}
    for name in names:
        try:
            found[canonicalize_name(name)] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform; a missing one fails whoever imports it
    return found


def linked_environment(folder: Path, distributions: Mapping[str, Distribution]) -> Path:
    """A virtual environment that has these distributions only; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for each in distributions.values():
        tops = {file.parts[0] for file in each.files or ()} - {"..", "__pycache__"}
        for top in tops:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(each.locate_file(top))))
    return folder / "bin" / "python"


def install_wheel(python: Path, wheel: Path) -> None:
    run([*PIP, "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)])


def copy_context(folder: Path) -> None:
    """What `docker build .` hands to the builder: the tree without what is ignored."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for top in sorted(ROOT.iterdir()):
        if not is_let_in(Path(top.name), patterns):
            continue
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            place = file.relative_to(ROOT)
            if file.is_file() and is_let_in(place, patterns):
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder / place)


def is_let_in(place: Path, patterns: Iterable[str]) -> bool:
    """Docker's rule: the last pattern that matches the path, or a folder above it, decides."""
    let_in = True
    paths = [str(path) for path in (place, *place.parents) if path.name]
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        forms = {bare, bare.removeprefix("**/")}
        names = [Path(path).name for path in paths] if bare.startswith("**/") else paths
        if any(fnmatch(name, form) for name in names for form in forms):
            let_in = pattern.startswith("!")
    return let_in


def image_installs() -> list[str]:
    """The Dockerfile's commands that run pip, in their order, each on one line."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "ops" / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.startswith("RUN ") and " install " in line]
    return [line[line.index("pip --python") :] for line in lines if "pip --python" in line]


def run(command: list[str], **environment: str) -> str:
    """Run it to its end; its output. Raises `AssertionError` with its last words where it fails."""
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        cwd="/",
    )
    assert ended.returncode == 0, f"{command}:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}"
    return ended.stdout
