"""The example receivers of the documentation verify webhooks and drop duplicates."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from generation.webhooks.signature import new_secret, sign
from ops.stack.child_reaper import ChildReaper, kill_group
from ops.stack.ports import free_port
from tests.services.node import node_with
from tests.services.waiting import wait_for

RECEIVERS = Path(__file__).parents[3] / "docs" / "receivers"
START = timedelta(seconds=60)
SECRET = new_secret()


def python(folder: Path, port: int) -> Sequence[str]:
    return [sys.executable, "-m", "uvicorn", "receiver:app", "--port", str(port)]


def node(folder: Path, port: int) -> Sequence[str]:
    installed = node_with("express@5.3.0", "standardwebhooks@1.1.1")
    (folder / "node_modules").symlink_to(installed.folder / "node_modules")
    return [installed.program, "receiver.mjs"]


@pytest.mark.parametrize("command", [python, node])
def test_the_example_receivers_verify_and_drop_duplicates(
    command: Callable[[Path, int], Sequence[str]], tmp_path: Path, reaper: ChildReaper
) -> None:
    folder, port = tmp_path / "receiver", free_port()
    shutil.copytree(RECEIVERS, folder)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = reaper.launch(
            command(folder, port),
            cwd=folder,
            env={**os.environ, "GENQ_WEBHOOK_SECRET": SECRET, "PORT": str(port)},
            output=output,
        )
    url = f"http://127.0.0.1:{port}/hooks/genq"
    try:
        wait_for(lambda: answers(url), START, "the receiver to answer")
        assert [post(url, "evt_1"), post(url, "evt_1"), post(url, "evt_2")] == [204, 204, 204]
        assert post(url, "evt_3", tampered=True) == 401
        assert post(url, "evt_4", age=timedelta(minutes=6)) == 401
        for malformed in ("", "v1", "v1,", "v1,%%%", "v1a", ","):
            assert post(url, "evt_5", signature=malformed) == 401
        assert post(url, "evt_6", texts=["x" * 1_500_000]) == 204, "a result may be large"
        wait_for(lambda: b"job_of_evt_6" in log.read_bytes(), START, "its work to be done")
        worked = [line for line in log.read_text().splitlines() if "job_of_evt" in line]
        assert [line.split()[1] for line in worked] == [
            f"job_of_evt_{number}" for number in (1, 2, 6)
        ]
        assert all("https://cdn.example.com/1.png" in line for line in worked)
    finally:
        kill_group(process.pid)
        process.wait()
        reaper.release(process.pid)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code in {404, 405}
    except httpx.TransportError:
        return False


def post(
    url: str,
    event_id: str,
    *,
    age: timedelta = timedelta(),
    tampered: bool = False,
    signature: str | None = None,
    texts: Sequence[str] = (),
) -> int:
    job = {
        "id": f"job_of_{event_id}",
        "assets": [{"url": "https://cdn.example.com/1.png"}],
        "texts": texts,
    }
    body = json.dumps({"id": event_id, "type": "job.succeeded", "data": job}).encode()
    timestamp = int((datetime.now(UTC) - age).timestamp())
    headers: Mapping[str, str] = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature
        if signature is not None
        else sign([SECRET], event_id, timestamp, body),
    }
    sent = body + b" " if tampered else body
    return httpx.post(url, content=sent, headers=headers, trust_env=False, timeout=30).status_code
