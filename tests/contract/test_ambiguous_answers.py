"""
What an answer to an order proves. A relay whose database broke may have bought the task before, so
that no word in an answer above 499 proves that there is none; only a refusal that is known to come
before the upstream is asked does.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from generation.contract.errors import Acceptance, Fault
from generation.contract.operation import Operation
from generation.contract.reply import Reply
from generation.providers import OPERATIONS

#: Steps of relays at which the upstream may have taken the order.
CODES = (
    "insert_task_failed",
    "insert_midjourney_task_failed",
    "copy_response_body_failed",
    "read_response_body_failed",
    "unmarshal_response_body_failed",
    "close_response_body_failed",
    "empty_response_body",
    "do_request_failed",
    "post_consume_quota_failed",
    "bad_response",
    "bad_response_body",
    "empty_response",
    "update_data_error",
    "query_data_error",
    "new_api_panic",
)
#: Codes that say nothing.
VAGUE_CODES = (
    "",
    "fail",
    "internal_error",
    "server_error",
    "upstream_error",
    "new_api_error",
    "api_error",
    "fail_to_fetch_task",
    "bad_response_status_code",
)
STATUSES = (500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526)

SENTENCES = (
    "",
    # A database, a disk, a connection.
    "Error 1040: Too many connections",
    "Error 1040 (08004): Too many connections",
    "Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction",
    "Error 1114: The table 'tasks' is full",
    "FATAL: sorry, too many clients already (SQLSTATE 53300)",
    "pq: could not serialize access due to concurrent update",
    "ERROR: deadlock detected",
    "write /data/one-api.db: disk quota exceeded",
    "Disk quota exceeded",
    "no space left on device",
    "database is locked",
    "too many open files",
    "concurrent map writes",
    "OOM command not allowed when used memory > 'maxmemory'",
    "dial tcp 10.0.0.2:3306: connect: connection refused",
    "read tcp: connection reset by peer",
    "unexpected EOF",
    "数据库连接数过多",
    "写入数据库失败，请稍后重试",
    "连接数过多，请稍后再试",
    # A gateway.
    'Post "https://upstream.test.invalid/v1": context deadline exceeded',
    "upstream connect error or disconnect/reset before headers. reset reason: overflow",
    "upstream request timeout",
    "503 Service Unavailable",
    "Service Temporarily Unavailable, please try again later",
    "error code: 524",
    "no healthy upstream",
    "server is busy, try again in 10 seconds",
    "The server is overloaded",
    "too many requests in the queue of the database",
    "系统繁忙，请稍后再试",
    "服务器繁忙，当前并发过高",
    "请求超时，请稍后重试",
    # Money and limits, after the fact.
    "post consume quota failed: quota is negative",
    "quota exceeded",
    "failed to update user quota: Too many connections",
    "update quota failed, balance was changed by a concurrent update",
    "更新用户额度失败",
    "扣除额度失败",
    "余额更新失败",
    "rate limiter: redis: connection pool timeout",
    "billing service timed out",
    # Moderation, of what was made.
    "the output image was blocked by our content policy",
    "moderation service timed out",
    "生成内容违规",
    # A relay's own bug.
    "Panic detected, error: runtime error: index out of range [1] with length 1",
)

Body = Mapping[str, Any] | str
Shape = Callable[[str, str], Body]

SHAPES: Sequence[Shape] = (
    lambda code, said: {"code": code or "fail", "message": said, "data": None},
    lambda code, said: {"code": 500, "msg": f"{code} {said}".strip(), "data": None},
    lambda code, said: {"error": {"message": said, "type": "new_api_error", "code": code or None}},
    lambda code, said: {"error": {"message": said, "type": code or "server_error", "code": None}},
    lambda code, said: {
        "description": f"{code} {said}".strip(),
        "type": "upstream_error",
        "code": 5 if code == "do_request_failed" else 4,
    },
    lambda code, said: {"detail": f"{code}: {said}" if code else said},
    lambda code, said: {
        "code": "fail_to_fetch_task",
        "message": json.dumps({"code": code or "fail", "message": said, "data": None}),
        "data": None,
    },
    lambda code, said: f"{code} {said}".strip() or "error",
    lambda code, said: f"<html><title>{code} {said}</title></html>",
)

#: One of each kind of server: new-api's own envelope, OpenAI's form, Midjourney's proxies.
USUAL_SHAPES = (SHAPES[0], SHAPES[2], SHAPES[4])


def answers() -> Iterator[tuple[int, Body]]:
    """Each pair of a code, a status, a sentence and a shape at least once."""
    every_code = (*VAGUE_CODES, *CODES)
    for shape in SHAPES:
        for status, said in product((500, 503, 524), SENTENCES):
            yield status, shape("", said)
        for code, status in product(every_code, STATUSES):
            yield status, shape(code, SENTENCES[1])
    for shape, code, said in product(USUAL_SHAPES, every_code, SENTENCES):
        yield 500, shape(code, said)


def few_answers() -> Iterator[tuple[int, Body]]:
    for shape in USUAL_SHAPES:
        for said in SENTENCES:
            yield 500, shape("insert_task_failed", said)
        for status in (*STATUSES, 409, 499):
            yield status, shape("", "hm")


def as_reply(status: int, body: Body) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return Reply(status, text.encode())


def proves_nothing(operation: Operation[Any], status: int, body: Body) -> bool:
    """Whether the answer leaves open, to this operation, whether a task exists."""
    try:
        operation.parse_submit(as_reply(status, body))
    except Fault as fault:
        return fault.accepted is not Acceptance.NO
    return True


BUYING = [operation for operation in OPERATIONS if not operation.repeatable]
ONE_OF_EACH_DIALECT = list({operation.dialect: operation for operation in BUYING}.values())


def label(operation: Operation[Any]) -> str:
    return f"{operation.dialect}:{operation.name}"


@pytest.mark.parametrize("operation", ONE_OF_EACH_DIALECT, ids=label)
def test_no_ambiguous_answer_proves_that_nothing_was_bought(operation: Operation[Any]) -> None:
    wrong = [each for each in answers() if not proves_nothing(operation, *each)]
    assert not wrong


@pytest.mark.parametrize("operation", BUYING, ids=label)
def test_every_operation_reads_them_so(operation: Operation[Any]) -> None:
    wrong = [each for each in few_answers() if not proves_nothing(operation, *each)]
    assert not wrong


@pytest.mark.parametrize("operation", ONE_OF_EACH_DIALECT, ids=label)
@pytest.mark.parametrize("status", [200, 400, 409, 499])
def test_a_known_step_after_the_upstream_is_ambiguous_at_every_status(
    operation: Operation[Any], status: int
) -> None:
    each = ((shape(code, SENTENCES[1]), code) for shape in USUAL_SHAPES for code in CODES)
    wrong = [code for body, code in each if not proves_nothing(operation, status, body)]
    assert not wrong


#: What is only said before an upstream is asked.
REFUSALS = (
    (503, "", "当前分组 default 下对于模型 m 无可用渠道 (request id: 1)"),
    (503, "model_not_found", "No available channel for model m under group default"),
    (503, "no_available_accounts", "No available compatible accounts"),
    (500, "get_channel_failed", "no channel"),
    (500, "convert_request_failed", "not supported model for image generation"),
    (500, "channel:no_available_key", "no key"),
    (500, "insufficient_user_quota", "用户额度不足, 剩余额度: ＄0.01"),
    (500, "", "预扣费额度失败, 用户剩余额度: ＄0.01"),
    (500, "rate_limit_exceeded", "slow down"),
    (500, "invalid_api_key", "Incorrect API key provided"),
    (500, "", "无效的令牌 (request id: 1)"),
    (500, "", "提交失败，队列已满，请稍后重试"),
    (503, "queue_full", "queue is full"),
    (429, "", "当前分组上游负载已饱和，请稍后再试"),
    (429, "", "Too Many Requests"),
    (402, "", "Payment Required"),
    (401, "", "无效的令牌"),
    (403, "", "User not permitted"),
    (400, "", "prompt is required"),
    (422, "", "width: must be a multiple of 32"),
)


@pytest.mark.parametrize("operation", ONE_OF_EACH_DIALECT, ids=label)
@pytest.mark.parametrize(("status", "code", "said"), REFUSALS)
def test_a_clear_refusal_is_one(
    operation: Operation[Any], status: int, code: str, said: str
) -> None:
    error = {"message": said, "type": "new_api_error", "code": code or None}
    with pytest.raises(Fault) as raised:
        operation.parse_submit(as_reply(status, {"error": error}))
    assert raised.value.accepted is Acceptance.NO
