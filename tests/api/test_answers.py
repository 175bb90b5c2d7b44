"""What every answer has: an id, and where it is a refusal, the form of a problem."""

import gzip
import json
import sqlite3
from contextlib import closing

import pytest

from generation.stations.key_health import KeyHealth
from tests.api.serving import ORDER, Caller, Served
from tests.api.test_refused_orders import problem

RELAY = ("relay", "main")


def test_an_answer_has_an_id_of_its_own(caller: Caller) -> None:
    ids = {caller.get(path).headers["x-request-id"] for path in ("/", "/v1/jobs", "/nowhere")}
    assert len(ids) == 3
    assert all(each.startswith("req_") for each in ids)


def test_a_sane_id_of_the_caller_is_kept(caller: Caller) -> None:
    answer = caller.get("/nowhere", headers={"x-request-id": "trace-01:ab.C_d"})
    assert answer.headers["x-request-id"] == "trace-01:ab.C_d"
    assert problem(answer, 404, "not_found")["request_id"] == "trace-01:ab.C_d"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", "é"])
def test_another_id_is_replaced(caller: Caller, sent: str) -> None:
    answer = caller.get("/", headers={"x-request-id": sent.encode("latin-1")})
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1", "/v1/jobs/", "/v1/jobs/a/b", "/v1//jobs", "/a%0ab"]
)
def test_an_unknown_path_is_a_problem(caller: Caller, path: str) -> None:
    answer = caller.api.http.get(path)
    assert problem(answer, 404, "not_found")["instance"] == path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/jobs/", "there is nothing at this path; write /v1/jobs"),
        ("/v1/jobs/mine/events/", "there is nothing at this path; write /v1/jobs/mine/events"),
        ("/v1/job/", "there is nothing at this path; GET / says where to begin"),
    ],
)
def test_a_slash_too_many_is_told(caller: Caller, path: str, words: str) -> None:
    assert problem(caller.get(path), 404, "not_found")["detail"] == words


def test_a_compressed_body_is_told_as_that(caller: Caller) -> None:
    packed = gzip.compress(json.dumps(ORDER).encode())
    answer = caller.request(
        "POST", "/v1/jobs", content=packed, headers={"content-encoding": "gzip"}
    )
    assert "is compressed; send it plain" in problem(answer, 400, "malformed_json")["detail"]


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (b"\x28\xb5\x2f\xfd\x00", "it is compressed with zstd; send it plain"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark; send UTF-8 without one"),
        ("{}".encode("utf-16"), "it is UTF-16; send UTF-8"),
        ("{}".encode("utf-16-le"), "it is UTF-16 or UTF-32; send UTF-8"),
        ("{}".encode("utf-16-be"), "it is UTF-16 or UTF-32; send UTF-8"),
    ],
)
def test_a_body_in_another_encoding_is_told_as_that(
    caller: Caller, packed: bytes, words: str
) -> None:
    answer = caller.request("POST", "/v1/jobs", content=packed)
    assert problem(answer, 400, "malformed_json")["detail"] == f"the body is not JSON: {words}"


def test_a_misspelt_filter_is_told_the_likeliest(caller: Caller) -> None:
    for path in ("/v1/jobs?status=failed", "/v1/webhook-deliveries?status=failed"):
        detail = problem(caller.get(path), 400, "invalid_query")["detail"]
        assert detail.startswith("there is no parameter 'status'; did you mean state? There are ")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/jobs", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/v1/jobs/job_x", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("GET", "/v1/jobs/job_x/cancel", "OPTIONS, POST"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("PATCH", "/", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    caller: Caller, method: str, path: str, allowed: str
) -> None:
    answer = caller.request(method, path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed
    options = caller.request("OPTIONS", path)
    assert (options.status_code, options.headers["allow"]) == (204, allowed)


def test_options_of_a_path_that_is_not_there(caller: Caller) -> None:
    problem(caller.request("OPTIONS", "/v1/nowhere"), 404, "not_found")


def test_a_head_is_a_get_without_its_body(caller: Caller) -> None:
    for path in ("/healthz", "/docs", "/v1/jobs", "/nowhere"):
        got, head = caller.get(path), caller.request("HEAD", path)
        assert head.status_code == got.status_code
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]


def test_an_error_of_ours_says_nothing_of_its_cause(served: Served) -> None:
    caller = served.admin()
    spoil(served)
    answer = caller.get("/metrics")
    document = problem(answer, 500, "internal")
    assert document["request_id"] in answer.headers["x-request-id"]
    for cause in ("nonsense", "cool_until", "Traceback", ".py"):
        assert cause not in answer.text
    assert caller.get("/healthz").status_code == 200


def spoil(served: Served) -> None:
    """Write a moment into an account that no version of genq ever wrote."""
    served.in_store(lambda store: store.accounts.change(RELAY, lambda _: KeyHealth.of(RELAY)))
    with closing(sqlite3.connect(served.settings.data_dir / "genq.db")) as connection:
        connection.execute("UPDATE accounts SET cool_until = 'nonsense'")
        connection.commit()
