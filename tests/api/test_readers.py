"""Readers who go away in the middle of an answer, and readers who take nothing of it."""

import random
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

import api.http.uvicorn_protocol
import tests.api.serving
from api.server import listen
from tests.api.serving import Caller, serving, settings_of
from tests.services.waiting import wait_for

SOON = timedelta(seconds=20)
#: Closing sends a reset, as a process that is killed does.
RESET = b"\x01\0\0\0\0\0\0\0"


@contextmanager
def asking(caller: Caller, path: str, connection: str = "keep-alive") -> Generator[socket.socket]:
    """A connection that has asked for this and has read nothing of the answer."""
    url = caller.api.http.base_url
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(SOON.total_seconds())
        raw.connect((url.host, url.port or 80))
        lines = [f"GET {path} HTTP/1.1", "host: genq", f"authorization: Bearer {caller.key}"]
        raw.sendall("\r\n".join([*lines, f"connection: {connection}", "", ""]).encode())
        yield raw


@pytest.fixture
def narrow(
    tmp_path: Path, sqlite_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Caller]:
    """A caller of an API for which the kernel buffers little, with a hundred jobs."""

    def listen_narrowly(host: str, port: int) -> socket.socket:
        listener = listen(host, port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return listener

    monkeypatch.setattr(tests.api.serving, "listen", listen_narrowly)
    with serving(settings_of(tmp_path, sqlite_url, redis_url)) as served:
        caller = served.caller()
        for _ in range(100):
            caller.order()
        yield caller


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("path", ["/v1/jobs?limit=100", "/v1/events/stream?after={cursor}"])
def test_a_reader_that_takes_nothing_is_cut_off(
    narrow: Caller,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    path: str,
    connection: str,
) -> None:
    monkeypatch.setattr(api.http.uvicorn_protocol, "STALL_SECONDS", 0.6)
    cursor = narrow.get("/v1/events", params={"limit": 1}).json()["next_cursor"]
    told: list[str] = []

    def cut_off() -> bool:
        told.append(capsys.readouterr().out)
        return "reader_disconnected" in "".join(told)

    with asking(narrow, path.format(cursor=cursor), connection) as raw:
        wait_for(cut_off, SOON, "the reader to be cut off")
        received = 0
        with suppress(ConnectionResetError):
            while piece := raw.recv(65536):
                received += len(piece)
    assert received < len(narrow.get("/v1/jobs?limit=100").content) / 2, "the rest was let go of"
    assert "".join(told).count("reader_disconnected") == 1
    assert "Traceback" not in "".join(told)
    assert narrow.get("/v1/jobs?limit=1").status_code == 200


def test_a_reader_that_is_slow_gets_all(narrow: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.http.uvicorn_protocol, "STALL_SECONDS", 3)
    whole = len(narrow.get("/v1/jobs?limit=100").content)
    slowly = Event()
    with asking(narrow, "/v1/jobs?limit=100", "close") as raw:
        received = 0
        while piece := raw.recv(whole // 30):
            received += len(piece)
            slowly.wait(0.2)
    assert received > whole


def test_readers_who_go_away_leave_no_traces(
    caller: Caller, capfd: pytest.CaptureFixture[str]
) -> None:
    job = caller.order()["id"]
    cursor = caller.get("/v1/events", params={"limit": 1}).json()["next_cursor"]
    for _ in range(120):
        caller.order()
    paths = [f"/v1/jobs/{job}/stream", f"/v1/events/stream?after={cursor}", "/v1/jobs?limit=100"]
    jitter = random.Random(1)
    for number in range(90):
        with asking(caller, paths[number % 3]) as raw:
            if jitter.random() < 0.7:
                raw.recv(jitter.choice((1, 1000)))
            if jitter.random() < 0.5:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    assert caller.get("/v1/jobs?limit=1").status_code == 200
    told = "".join(capfd.readouterr())
    for trace in ("Traceback", "destroyed but it is pending", "ASGI callable", "request_failed"):
        assert trace not in told, told
