"""
genq as it is installed: from its wheel, and in the image. Every command starts there, and a job
goes from the command line to its webhook.
"""

import json
import shlex
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from ops.stack.ports import free_port
from tests.deployment.deployment import Deployment
from tests.deployment.fixtures import Deploy
from tests.deployment.installed import (
    ROOT,
    build_wheel,
    closure,
    copy_context,
    image_installs,
    install_wheel,
    is_let_in,
    linked_environment,
    locked,
    run,
)

#: Shows the help of each command, found in the command line itself.
EVERY_HELP = """
import contextlib, io, sys
import typer
from ops.cli import app

def walk(command, path):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, [*path, name])

root = typer.main.get_command(app)
shown = 0
for path in walk(root, []):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        root.main([*path, "--help"], prog_name="genq")
    assert "Usage:" in out.getvalue(), path
    shown += 1
print(shown)
"""


def test_a_wheel_has_all_that_it_needs(
    deploy: Deploy, sqlite_url: str, redis_url: str, tmp_path: Path
) -> None:
    wheel = build_wheel(tmp_path)
    python = linked_environment(tmp_path / "venv", closure(requirements_of(wheel)))
    install_wheel(python, wheel)
    has_no_broker_of_its_own(python)
    works(deploy(sqlite_url, redis_url), python)


def test_the_embedded_broker_is_an_extra(tmp_path: Path) -> None:
    embedded = [each for each in requirements_of(build_wheel(tmp_path)) if "valkey" in each]
    assert sorted(each.partition("; ")[2] for each in embedded) == [
        "extra == 'demo'",
        "extra == 'dev'",
    ]


def test_a_wheel_leaves_out_the_tools_of_the_source_tree(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        folders = {name.rpartition("/")[0] for name in wheel.namelist()}
    tools = ("ops/bench", "ops/faults", "ops/site")
    assert "ops/sandbox/protocols" in folders
    assert not [folder for folder in folders if folder.startswith(tools)]


def test_the_image_has_all_that_it_needs(
    deploy: Deploy, sqlite_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The Dockerfile's pip installs the lock, and then the context without asking an index."""
    source, home = tmp_path / "src", tmp_path / "opt"
    copy_context(source)
    of_lock, of_source = image_installs()
    assert shlex.split(of_lock)[-2:] == ["-r", "/src/requirements.lock"]
    python = linked_environment(home, locked(ROOT / "requirements.lock"))
    moved = of_source.replace("/opt/genq", str(home)).replace("/src", str(source))
    run([sys.executable, "-m", *shlex.split(moved)])
    has_no_broker_of_its_own(python)
    works(deploy(sqlite_url, redis_url), python)


def requirements_of(wheel: Path) -> list[str]:
    """What the wheel's metadata asks for."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []


def has_no_broker_of_its_own(python: Path) -> None:
    """The embedded broker is not installed, and `genq up` without one says what to install."""
    command = [str(python.parent / "genq"), "up"]
    nothing = {"PATH": "/nonexistent", "GENQ_DATA_DIR": str(python.parents[1] / "data")}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=nothing)
    assert ended.returncode != 0
    assert "pip install 'genq[demo]'" in " ".join(ended.stderr.split())


def works(genq: Deployment, python: Path) -> None:
    genq.program = str(python.parent / "genq")
    where = run([str(python), "-c", "import generation; print(generation.__file__)"]).strip()
    assert not where.startswith(str(ROOT)), "the installed one runs, and not the source tree"
    assert int(run([str(python), "-c", EVERY_HELP])) > 30
    genq.start_api()
    genq.start_worker()
    flower = genq.start("flower", "flower", GENQ_FLOWER_PORT=str(free_port()))
    caller = {"GENQ_URL": genq.api_url, "GENQ_KEY": genq.key}
    order = [genq.program, "submit", "kling.text2video", "prompt=installed"]
    job_id = run([*order, "--webhook", genq.receiver.url], **caller).strip()
    run([genq.program, "wait", job_id], **caller)
    assert (
        json.loads(run([genq.program, "get", job_id, "--json"], **caller))["state"] == "succeeded"
    )
    assert genq.told(job_id)["type"] == "job.succeeded"
    assert flower.process.poll() is None, flower.output()


@pytest.mark.parametrize(
    ("path", "is_in"),
    [
        ("client/genq/client.py", True),
        ("requirements.lock", True),
        (".env", False),
        ("ops/.env", False),
        ("ops/Dockerfile", False),
        ("api/__pycache__/app.cpython-313.pyc", False),
        ("tests/conftest.py", False),
        (".git/config", False),
    ],
)
def test_what_reaches_the_builder(path: str, is_in: bool) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert is_let_in(Path(path), patterns) is is_in
