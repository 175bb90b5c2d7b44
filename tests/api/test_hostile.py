"""
Hostile requests over raw sockets. Each is answered by a problem document or by a closed door; no
answer tells anything of the inside, and the API answers the next caller as before.
"""

import json
import random
import re
import select
import socket
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from time import monotonic

import httpx
import pytest

import api.http.uvicorn_protocol
from api.http.problem_types import KINDS
from api.http.problems import MEDIA_TYPE
from api.http.schemas import Problem
from tests.api.serving import ORDER, Caller
from tests.services.waiting import wait_for

#: What no answer may hold.
INSIDE = (b"Traceback", b'File "', b".py", b"Error(", b"sqlalchemy", b"pydantic", b"asyncpg")


@contextmanager
def connection(caller: Caller) -> Generator[socket.socket]:
    url = caller.api.http.base_url
    with closing(socket.create_connection((url.host, url.port or 80), timeout=10)) as raw:
        yield raw


def answer_to(caller: Caller, sent: bytes, patience: float = 10) -> bytes:
    """The first answer, whole; or what came before the door was closed, or patience was lost."""
    with connection(caller) as raw:
        raw.settimeout(patience)
        received = b""
        with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
            raw.sendall(sent)
        with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
            while not is_whole(received) and (piece := raw.recv(65536)):
                received += piece
        return received


def is_whole(received: bytes) -> bool:
    head, ended, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(ended) and length is not None and len(body) >= int(length[1])


def checked(caller: Caller, received: bytes) -> tuple[int, dict[str, object]]:
    """The answer's status and document, with nothing of the inside in it."""
    for word in INSIDE:
        assert word not in received, received
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    document: dict[str, object] = json.loads(body) if body else {}
    if status >= 400:
        assert MEDIA_TYPE.encode() in head.lower()
        problem = Problem.model_validate(document)
        assert (problem.status, KINDS[problem.code].status) == (status, status)
        assert f"x-request-id: {problem.request_id}".encode() in head.lower()
    assert caller.api.http.get("/healthz").status_code == 200
    return status, document


def request(caller: Caller, *fields: str, method: str = "GET", path: str = "/v1/jobs") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: genq", f"X-API-Key: {caller.key}", *fields]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def posted(caller: Caller, body: bytes, *fields: str) -> bytes:
    length = f"Content-Length: {len(body)}"
    return request(caller, length, *fields, method="POST") + body


NO_HTTP: list[bytes] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    b"nonsense\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nA\x00B: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nA: b\x00c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("sent", NO_HTTP, ids=range(len(NO_HTTP)))
def test_what_is_no_http_is_a_problem(caller: Caller, sent: bytes) -> None:
    received = answer_to(caller, sent)
    status, document = checked(caller, received)
    assert 400 <= status < 500
    if document["code"] == "malformed_http":
        assert b"connection: close" in received


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-5\r\nabc\r\n", b"5\r\nabcdefgh\r\n"])
def test_broken_chunks_end_the_connection(caller: Caller, chunk: bytes) -> None:
    received = answer_to(
        caller, request(caller, "Transfer-Encoding: chunked", method="POST") + chunk
    )
    assert received == b"" or checked(caller, received)[0] == 400


class TestHeads:
    @pytest.mark.parametrize(
        "fields",
        [["X-Big: " + "x" * 70_000], [f"X-{n}: {n}" for n in range(6000)]],
        ids=["one", "many"],
    )
    def test_too_large_a_head(self, caller: Caller, fields: list[str]) -> None:
        status, document = checked(caller, answer_to(caller, request(caller, *fields)))
        assert (status, document["code"]) == (431, "head_too_large")

    def test_too_long_a_url(self, caller: Caller) -> None:
        sent = request(caller, path="/v1/jobs?cursor=" + "x" * 70_000)
        assert checked(caller, answer_to(caller, sent))[0] == 431

    def test_a_head_without_end(self, caller: Caller) -> None:
        with connection(caller) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nX-Endless: ")
            raw.settimeout(10)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                while True:
                    raw.sendall(b"x" * 10_000)

    def test_just_within(self, caller: Caller) -> None:
        sent = request(caller, "X-Big: " + "x" * 60_000)
        assert checked(caller, answer_to(caller, sent))[0] == 200
        sent = request(caller, path="/v1/jobs?cursor=" + "x" * 60_000)
        assert checked(caller, answer_to(caller, sent))[0] == 400

    def test_in_small_pieces_with_a_large_body_behind(self, caller: Caller) -> None:
        body = json.dumps(ORDER).encode() + b" " * 200_000
        sent = posted(caller, body)
        with connection(caller) as raw:
            for start in range(0, 400, 7):
                raw.sendall(sent[start : start + 7] if start + 7 < 400 else sent[start:400])
            raw.sendall(sent[400:])
            assert raw.recv(65536).startswith(b"HTTP/1.1 202")

    def test_one_that_drips_is_not_waited_for(
        self, caller: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api.http.uvicorn_protocol, "HEAD_SECONDS", 0.3)
        for beginning in (b"", b"GET / HT"):
            with connection(caller) as raw:
                raw.sendall(beginning)
                assert raw.recv(1) == b""

    def test_one_that_follows_an_answer_is_waited_for_no_longer(
        self, caller: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api.http.uvicorn_protocol, "HEAD_SECONDS", 0.3)
        with connection(caller) as raw:
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /hea")
            received = b""
            while piece := raw.recv(65536):
                received += piece
        assert received.count(b"HTTP/1.1 200") == 1

    def test_an_answer_may_take_longer_than_a_head(
        self, caller: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Long polls and streams do: nobody waits for a head while a request is answered."""
        monkeypatch.setattr(api.http.uvicorn_protocol, "HEAD_SECONDS", 0.3)
        sent = request(caller, path="/v1/events?after=latest&wait=1")
        assert checked(caller, answer_to(caller, sent))[0] == 200

    def test_an_upgrade_is_not_taken_up(self, caller: Caller) -> None:
        sent = request(caller, "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        sent = sent.replace(b"Connection: close", b"Connection: upgrade, close")
        received = answer_to(caller, sent)
        assert received == b"" or checked(caller, received)[0] in {200, 400}


class TestBodiesThatDrip:
    @pytest.fixture(autouse=True)
    def _hasty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api.http.uvicorn_protocol, "BODY_SECONDS", 0.3)

    @pytest.mark.parametrize(
        ("field", "beginning"),
        [
            ("Content-Length: 500", b""),
            ("Content-Length: 500", b'{"provider": "kling", '),
            ("Transfer-Encoding: chunked", b'5\r\n{"pro\r\n'),
        ],
    )
    @pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/batch", "/v1/webhook-endpoints"])
    def test_they_are_not_waited_for(
        self, caller: Caller, path: str, field: str, beginning: bytes
    ) -> None:
        began = monotonic()
        sent = request(caller, field, method="POST", path=path).replace(b"close", b"keep-alive")
        with connection(caller) as raw:
            raw.sendall(sent + beginning)
            received = b""
            while piece := raw.recv(65536):
                received += piece
        status, document = checked(caller, received)
        assert (status, document["code"]) == (408, "body_too_slow")
        assert b"connection: close" in received
        assert 0.3 <= monotonic() - began < 10
        assert caller.get("/v1/jobs").json()["data"] == []

    def test_one_byte_at_a_time_does_not_buy_time(self, caller: Caller) -> None:
        with connection(caller) as raw:
            raw.sendall(request(caller, "Content-Length: 5000", method="POST"))
            with suppress(ConnectionResetError, BrokenPipeError):
                while not select.select([raw], [], [], 0.02)[0]:
                    raw.sendall(b" ")
            assert raw.recv(65536).startswith(b"HTTP/1.1 408")

    def test_what_was_answered_already_just_ends(self, caller: Caller) -> None:
        sent = request(caller, "Content-Length: 50", path="/healthz")
        with connection(caller) as raw:
            raw.sendall(sent.replace(b"close", b"keep-alive"))
            received = b""
            while piece := raw.recv(65536):
                received += piece
        assert received.count(b"HTTP/1.1") == 1
        assert received.startswith(b"HTTP/1.1 200")

    def test_nothing_is_said_behind_a_request_that_is_not_answered(self, caller: Caller) -> None:
        first = request(caller, path="/v1/events?after=latest&wait=5")
        second = request(caller, "Content-Length: 50", method="POST") + b"{"
        with connection(caller) as raw:
            raw.sendall(first.replace(b"close", b"keep-alive") + second)
            assert raw.recv(65536) == b""

    def test_an_answer_may_take_longer_than_a_body(
        self, caller: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = json.dumps(ORDER).encode()
        sent = posted(caller, body, "Prefer: wait=1").replace(b"close", b"keep-alive")
        # The body comes in two pieces, and the second one late, should this machine be busy.
        monkeypatch.setattr(api.http.uvicorn_protocol, "BODY_SECONDS", 0.9)
        with connection(caller) as raw:
            raw.sendall(sent[:-5])
            raw.sendall(sent[-5:])
            assert raw.recv(65536).startswith(b"HTTP/1.1 202")
            raw.sendall(sent.replace(b"Prefer: wait=1\r\n", b""))
            assert raw.recv(65536).startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"provider": "kling", "provider": "luma"}', "provider"),
        (b'{"input": {"prompt": "a: b", "duration": 5, "duration": 10}}', "duration"),
        (b'{"input": {"a": [1, {"b": {"deep": 1, "de\\u0065p": 2}}]}}', "deep"),
        (b'[{"url": "https://a.example/:", "url": "https://b.example"}]', "url"),
        (b'{"a":1,"a" :2,"b":":"}', "a"),
        (b'{"a":1,"a"\t\n:2}', "a"),
        (b'{"image": "data:image/png;base64,AAAA", "image" : "data:,"}', "image"),
    ],
)
def test_a_name_given_twice_is_named(caller: Caller, body: bytes, name: str) -> None:
    status, document = checked(caller, answer_to(caller, posted(caller, body)))
    assert (status, document["code"]) == (400, "malformed_json")
    assert document["detail"] == f"the body gives '{name}' twice in one object; give it once"


@pytest.mark.parametrize("prompt", ['12:30, https://a.example, a: b, {"a":1}', 'data:, "data:'])
def test_colons_elsewhere_are_nobodys_business(caller: Caller, prompt: str) -> None:
    order = ORDER | {"input": {"prompt": prompt}, "metadata": {"a:b": "c:d", "e": ":"}}
    status, document = checked(
        caller, answer_to(caller, posted(caller, json.dumps(order).encode()))
    )
    assert (status, document["input"]) == (202, {"prompt": prompt})


BODIES: list[tuple[bytes, str]] = [
    (b"", "malformed_json"),
    (b"\x00" * 50, "malformed_json"),
    (b"\xff\xfe{\x00}\x00", "malformed_json"),
    (b'{"provider": "\xc3\x28"}', "malformed_json"),
    (b'{"a": "\\udc00"}', "malformed_json"),
    (b"[" * 200_000, "malformed_json"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "malformed_json"),
    (b'{"input": ' + b'{"a":' * 150 + b"1" + b"}" * 151, "invalid_request"),
    (b'{"a\\u0000b": 1}', "invalid_request"),
    (b'{"provider": "kling", "provider": 5}', "malformed_json"),
    (b'{"__proto__": 1, "constructor": 2, "__class__": 3}', "invalid_request"),
    (b'{"deadline": 1e400}', "malformed_json"),
    (b'{"deadline": -0}', "invalid_request"),
    (b'{"metadata": {"k": "' + b"x" * 600 + b'"}}', "invalid_request"),
    (b'{"input": [' + b"1," * 400_000 + b"1]}", "invalid_request"),
    (b'{"' + b"x" * 3_000_000 + b'": 1}', "invalid_request"),
    (json.dumps([ORDER] * 3).encode(), "invalid_request"),
]


@pytest.mark.parametrize(("body", "code"), BODIES, ids=range(len(BODIES)))
def test_hostile_bodies(caller: Caller, body: bytes, code: str) -> None:
    is_refused(caller, body, code)


@pytest.mark.parametrize("count", [20_000, 600_000])
def test_fields_without_end(caller: Caller, count: int) -> None:
    fields = {f"field{n}": n for n in range(count)}
    is_refused(caller, json.dumps(fields).encode(), "invalid_request")


def is_refused(caller: Caller, body: bytes, code: str) -> None:
    received = answer_to(caller, posted(caller, body))
    assert len(received) < 100_000
    status, document = checked(caller, received)
    assert 400 <= status < 500
    assert document["code"] in {code, "malformed_json", "invalid_request"}
    assert caller.get("/v1/jobs").json()["data"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/../../etc/passwd",
        "/v1/jobs/%00",
        "/v1/jobs/%ff%fe",
        "/v1/jobs/" + "a" * 10_000,
        "/v1/jobs/job_%E2%80%AE",
        "/v1//jobs",
        "/v1/jobs/",
        "//evil.example.com/v1/jobs",
        "/%2e%2e/%2e%2e/secret",
        "/v1/jobs?" + "&".join(f"a{n}=1" for n in range(3000)),
        "/v1/jobs?limit=%00&state=%ff",
        "/v1/jobs?cursor=%F0%9F%92%A9",
        "http://evil.example.com/v1/nowhere",
        "/problems/%3Cscript%3E",
        "/v1/operations/%2e%2e/%00",
    ],
)
def test_hostile_paths(caller: Caller, path: str) -> None:
    status, document = checked(caller, answer_to(caller, request(caller, path=path)))
    assert status in {400, 404}
    assert "<script>" not in str(document)


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "DELETE", "PATCH"])
def test_other_methods(caller: Caller, method: str) -> None:
    received = answer_to(caller, request(caller, method=method, path="/healthz"))
    status, document = checked(caller, received)
    assert (status, document["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "value", ["a\tb", "x" * 300, "ä", "{}", "..", "'; DROP TABLE jobs;--", "\x7f", "\x80\xff"]
)
def test_hostile_request_ids_and_keys(caller: Caller, value: str) -> None:
    received = answer_to(caller, request(caller, f"X-Request-Id: {value}", f"X-API-Key: {value}"))
    status, _ = checked(caller, received)
    assert status in {200, 400, 401}


def test_trailer_fields_are_no_header_fields(caller: Caller) -> None:
    """A proxy that checks header fields does not see trailers, so they must not admit anybody."""
    head = b"GET /v1/jobs HTTP/1.1\r\nHost: genq\r\nTransfer-Encoding: chunked\r\n"
    sent = head + b"Connection: close\r\n\r\n0\r\nX-API-Key: " + caller.key.encode() + b"\r\n\r\n"
    status, document = checked(caller, answer_to(caller, sent))
    assert (status, document["code"]) == (401, "unauthenticated")


def test_noise(caller: Caller) -> None:
    """Good requests with bytes changed at random."""
    jitter = random.Random(20260131)
    good = posted(caller, json.dumps(ORDER).encode())
    statuses: set[int] = set()
    for _ in range(100):
        sent = bytearray(good)
        for _ in range(jitter.randint(1, 8)):
            sent[jitter.randrange(len(sent))] = jitter.randrange(256)
        received = answer_to(caller, bytes(sent), patience=0.3)
        if received:
            head = received.split(b"\r\n", 1)[0]
            statuses.add(int(head.split(b" ")[1]))
            assert not any(word in received for word in INSIDE), (bytes(sent), received)
    assert max(statuses) < 500
    assert len(statuses) > 3


def test_a_caller_who_leaves_is_nobodys_trouble(caller: Caller) -> None:
    for cut in (10, 60, 200):
        with connection(caller) as raw:
            raw.sendall(posted(caller, json.dumps(ORDER).encode())[:cut])

    def fine() -> bool:
        answer: httpx.Response = caller.get("/v1/jobs")
        return answer.status_code == 200

    assert wait_for(fine, timedelta(seconds=20), "the API to answer")
