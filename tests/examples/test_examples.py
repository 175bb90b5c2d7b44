"""The programs in `examples/`, run as they stand beside a genq that `genq up` started."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import genq
import httpx
import pytest

from ops.stack.ports import free_port
from tests.local.terminal import SOON, Terminal
from tests.services.waiting import wait_for

EXAMPLES = Path(__file__).parents[2] / "examples"
URL = r"http://127\.0\.0\.1:\d+/\S+"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running genq with the sandbox station."""
    folder = tmp_path_factory.mktemp("examples")
    data = folder / ".genq"
    with Terminal(folder, "up", GENQ_DATA_DIR=str(data)) as command:
        command.wait_for_text("genq is running")
        yield data


def environment(data_dir: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GENQ_")}
    return kept | {"GENQ_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}


def run(data_dir: Path, name: str, *arguments: str) -> str:
    """What the example prints. Fails the test where it does not end with exit code 0."""
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=data_dir,
        env=environment(data_dir),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def client_of(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> genq.Client:
    monkeypatch.setenv("GENQ_DATA_DIR", str(data_dir))
    return genq.Client()


def test_order_and_wait_prints_the_video(data_dir: Path) -> None:
    printed = run(data_dir, "order_and_wait.py")
    assert re.search(rf"^result video {URL}$", printed, re.MULTILINE), printed


def test_upscale_a_grid_prints_both_pictures(data_dir: Path) -> None:
    printed = run(data_dir, "upscale_a_grid.py")
    found = re.search(rf"^grid ({URL})\nactions (.*)\nupscale ({URL})$", printed, re.MULTILINE)
    assert found, printed
    assert found[1] != found[3]
    assert "U1" in found[2].split(", ")


def test_a_second_run_of_the_batch_finds_the_jobs_of_the_first(data_dir: Path) -> None:
    jobs = str(EXAMPLES / "jobs.jsonl")
    first, second = (run(data_dir, "batch_from_file.py", jobs) for _ in range(2))
    assert len(re.findall(rf"^job_\w+ \S+ succeeded {URL}$", first, re.MULTILINE)) == 3
    assert first.splitlines()[0] == second.splitlines()[0]
    assert first.splitlines()[-3:] == second.splitlines()[-3:]


def test_the_event_stream_ends_with_the_job(data_dir: Path) -> None:
    printed = run(data_dir, "event_stream.py")
    types = re.findall(r"^job\.\w+", printed, re.MULTILINE)
    assert types[0] == "job.queued"
    assert types[-1] == "job.succeeded"
    assert re.search(URL, printed)


def test_the_receiver_prints_an_event_once_and_refuses_others(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "receiver.log"
    with log.open("wb") as output:
        receiver = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "webhook_receiver.py"), str(port)],
            env=environment(data_dir),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "listening" in log.read_text(), SOON, "the receiver to listen")
        with client_of(data_dir, monkeypatch) as client:
            job = client.submit(
                "midjourney.imagine", {"prompt": "a pier"}, webhook=f"http://127.0.0.1:{port}/"
            )
            line = f"job.succeeded {job.id}"
            wait_for(lambda: line in log.read_text(), SOON, "the webhook")
            delivery = next(iter(client.endpoints.deliveries(job=job.id)))
            client.endpoints.resend(delivery["id"])
            wait_for(lambda: attempts(client, delivery["id"]) > 1, SOON, "the second delivery")
        unsigned = httpx.post(f"http://127.0.0.1:{port}/", json={"type": "job.succeeded"})
    finally:
        receiver.terminate()
        receiver.wait()
    assert log.read_text().count(line) == 1
    assert unsigned.status_code == 401


def attempts(client: genq.Client, delivery_id: str) -> int:
    return client.document(f"/v1/webhook-deliveries/{delivery_id}")["attempts"]
