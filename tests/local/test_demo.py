"""The whole demonstration, as in continuous integration."""

import re
import socket
import subprocess
from datetime import timedelta
from pathlib import Path

from ops.local.planning import genq_command
from tests.local.terminal import environment
from tests.services.processes import descendants, is_running
from tests.services.waiting import wait_for

IN_TIME = timedelta(seconds=200)


def test_demo_once(tmp_path: Path) -> None:
    screen = tmp_path / "screen"
    seen: set[int] = set()
    with screen.open("wb") as writing:
        command = subprocess.Popen(
            [*genq_command(), "demo", "--once"],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=writing,
            stderr=subprocess.STDOUT,
        )

    def has_ended() -> bool:
        seen.update(child.pid for child in descendants(command.pid))
        return command.poll() is not None

    try:
        wait_for(has_ended, IN_TIME, "the demonstration to end")
    finally:
        command.kill()
        command.wait()
    text = screen.read_text()
    assert command.returncode == 0, text
    made = r"succeeded +\d+\.\d s +(?:\d )?(?:image|video|audio) +verified"
    assert len(re.findall(made, text)) == 6, text
    assert re.search(r"failed +\d+\.\d s +– +verified", text), text
    assert "6 jobs were paid exactly once" in text
    assert re.search(r"\d+ files were fetched from their URLs", text)
    assert "7 webhooks arrived" in text
    assert len(seen) >= 6
    assert not any(is_running(pid) for pid in seen)
    ports = {int(port) for port in re.findall(r"(?:http|redis)://127\.0\.0\.1:(\d+)", text)}
    assert len(ports) == 4, text
    assert not any(is_open(port) for port in ports)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
