"""The README's snippets, run as pasted, beside a genq like `make up` runs it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.stack.ports import free_port
from tests.local.terminal import SOON, Terminal
from tests.services.waiting import wait_for

README = Path(__file__).parents[2] / "README.md"
SECTION = "## A job, from request to webhook"
FENCE = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: What a machine of the tests may have in use already.
USUAL_API, RECEIVER_PORT = "http://127.0.0.1:8000", "9999"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A checkout as `make up` leaves it: an environment, and a genq that runs."""
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    with Terminal(tmp_path, "up", GENQ_DATA_DIR=str(tmp_path / ".genq")) as command:
        command.wait_for_text("genq is running")
        yield tmp_path


def snippets(changes: dict[str, str]) -> list[str]:
    """Those of the section, in their order, with these ports instead of the usual ones."""
    section = README.read_text().partition(SECTION)[2].partition("\n## ")[0]
    found = [text for _, text in FENCE.findall(section)]
    for old, new in changes.items():
        found = [text.replace(old, new) for text in found]
    return found


def pasted(folder: Path, script: str) -> str:
    """What a shell prints that runs the snippet."""
    ended = subprocess.run(
        ["/bin/sh", "-e", "-c", script],
        cwd=folder,
        env=newcomers(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def newcomers() -> dict[str, str]:
    """An environment that says nothing of genq."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GENQ_") or name == "GENQ_TEST_SESSION"
    }


def test_the_snippets_run_as_pasted(folder: Path) -> None:
    client = json.loads((folder / ".genq" / "client.json").read_text())
    hook, serve, curl, boat, terminal, batch = snippets(
        {USUAL_API: client["url"], RECEIVER_PORT: str(free_port())}
    )
    (folder / "hook.py").write_text(hook)
    (folder / "boat.py").write_text(boat)
    log = folder / "receiver.log"
    with log.open("wb") as writing:
        receiver = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {serve}"],
            cwd=folder,
            env=newcomers(),
            stdout=writing,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "running on" in log.read_text(), SOON, "the receiver to listen")
        assert "202 Accepted" in pasted(folder, curl)
        wait_for(lambda: "job.succeeded ['http" in log.read_text(), SOON, "the webhook")
    finally:
        receiver.terminate()
        receiver.wait()
    assert "Asset(type='video'" in pasted(folder, ".venv/bin/python boat.py")
    shown = pasted(folder, terminal)
    assert "midjourney.imagine" in shown
    assert "kling.image2video" in shown
    assert "batch_" in pasted(folder, batch)
    assert "those of the genq that runs" in pasted(folder, ".venv/bin/genq check")
    assert "a worker ticked" in pasted(folder, ".venv/bin/genq health worker")
    assert "the API answers" in pasted(folder, ".venv/bin/genq health api")
