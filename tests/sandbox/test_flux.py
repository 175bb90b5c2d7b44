"""Flux at the sandbox: the vendor, a relay, Replicate, fal and OpenAI's form, asked by genq."""

from typing import Any

import httpx
import pytest

from generation.contract.call import Call
from generation.contract.errors import (
    AccountBlocked,
    ErrorCode,
    Fault,
    InDoubt,
    QueueFull,
    Rejected,
    Throttled,
    UnrecognizedReply,
)
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.status import Accepted, Ask, AssetType, Failed, Running, Succeeded
from generation.providers import find
from generation.providers.flux import OPERATIONS
from generation.stations.station import Dialect
from ops.sandbox.handle import SandboxHandle

KEYS = {
    "flux.bfl": {"x-key": "sk-tests"},
    "flux.relay": {"authorization": "Bearer sk-tests"},
    "flux.replicate": {"authorization": "Bearer sk-tests"},
    "flux.fal": {"authorization": "Key sk-tests"},
    "flux.openai": {"authorization": "Bearer sk-tests"},
}
QUEUED = ("flux.bfl", "flux.relay", "flux.replicate", "flux.fal")
#: OpenAI's plain path means other models too; this is where the sandbox keeps Flux.
PREFIXES = {"flux.openai": "/flux"}

every_dialect = pytest.mark.parametrize("dialect", KEYS)
every_queue = pytest.mark.parametrize("dialect", QUEUED)


def flux(name: str, dialect: str) -> Operation[Any]:
    operation = find("flux", name, dialect)
    assert operation is not None
    return operation


def send(client: httpx.Client, operation: Operation[Any], call: Call) -> Reply:
    """What the sandbox answers to a call; a whole URL is asked as it is."""
    spoken = Dialect(dialect=operation.dialect, prefix=PREFIXES.get(operation.dialect))
    path = spoken.path(call.path, submit=True) if call.path.startswith("/") else call.path
    answer = client.request(
        call.method,
        path,
        json=call.json,
        params=call.params or None,
        headers=KEYS[operation.dialect],
    )
    return Reply(answer.status_code, answer.content, dict(answer.headers))


def submit(
    client: httpx.Client,
    operation: Operation[Any],
    fields: dict[str, Any],
    parent: Parent | None = None,
    callback_url: str | None = None,
) -> Any:
    request = operation.request.model_validate(fields)
    order = Order("job-1", parent=parent, callback_url=callback_url)
    return operation.parse_submit(send(client, operation, operation.build_submit(request, order)))


def accepted(client: httpx.Client, operation: Operation[Any], prompt: str) -> Task:
    answer = submit(client, operation, {"prompt": prompt})
    assert isinstance(answer, Accepted)
    return Task(answer.upstream_id, answer.details)


def look(client: httpx.Client, operation: Operation[Any], task: Task) -> Any:
    status = operation.parse_query(send(client, operation, operation.build_query(task)))
    if isinstance(status, Ask):
        return operation.parse_query(send(client, operation, status.call))
    return status


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
def test_every_example_ends_with_a_file_that_is_served(
    operation: Operation[Any], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = submit(client, operation, dict(operation.example))
    [made] = sandbox.tasks()
    assert (made["operation"], sandbox.paid(made["id"])) == (operation.name, 1)
    if isinstance(answer, Accepted):
        assert answer.upstream_id == made["id"]
        task = Task(answer.upstream_id, answer.details)
        assert look(client, operation, task) == Running(queued=True)
        sandbox.finish(task.upstream_id)
        answer = look(client, operation, task)
    assert isinstance(answer, Succeeded)
    video = operation.name == "flux_3_video"
    asset, *beside = answer.assets
    drafts = [(AssetType.FILE, "draft_cache")] if video else []
    assert [(each.type, each.role) for each in beside] == drafts
    assert (asset.type, asset.role) == (AssetType.VIDEO if video else AssetType.IMAGE, "result")
    served = client.get(asset.url)
    assert served.status_code == 200
    assert served.headers["content-type"] == ("video/mp4" if video else "image/png")
    assert served.content[:8] == b"\x89PNG\r\n\x1a\n" or served.content[4:8] == b"ftyp"


@every_queue
def test_a_picture_waits_is_made_and_ends(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = flux("pro_1_1", dialect)
    task = accepted(client, operation, "a boat [seconds=100] [unknown-status]")
    assert look(client, operation, task) == Running(queued=True)
    sandbox.advance(20)
    running = look(client, operation, task)
    assert isinstance(running, Running)
    assert (running.queued, running.unknown_word) == (False, None)
    sandbox.advance(30)
    assert look(client, operation, task).unknown_word in ("Marinating", "marinating", "IN_LIMBO")
    sandbox.advance(50)
    assert isinstance(look(client, operation, task), Succeeded)


@pytest.mark.parametrize(("dialect", "life"), [("flux.bfl", 600), ("flux.relay", 600)])
def test_a_file_is_gone_when_it_is_said_to_be(
    dialect: str, life: float, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = flux("pro_1_1", dialect)
    task = accepted(client, operation, "a boat [seconds=0]")
    [asset] = look(client, operation, task).assets
    assert asset.expires_at is not None
    left = asset.expires_at.timestamp() - client.get("/_sandbox/").json()["time"]
    assert left == pytest.approx(life, abs=20)
    assert client.get(asset.url).status_code == 200
    sandbox.advance(left + 1)
    assert client.get(asset.url).status_code == 404


def test_replicates_files_are_kept_an_hour(sandbox: SandboxHandle, client: httpx.Client) -> None:
    operation = flux("schnell", "flux.replicate")
    task = accepted(client, operation, "a boat [seconds=0]")
    [asset] = look(client, operation, task).assets
    assert asset.expires_at is not None
    sandbox.advance(3601)
    assert asset.expires_at.timestamp() < client.get("/_sandbox/").json()["time"]
    assert client.get(asset.url).status_code == 404


def test_only_the_polling_url_leads_to_the_vendors_task(client: httpx.Client) -> None:
    operation = flux("pro_1_1", "flux.bfl")
    task = accepted(client, operation, "a boat [seconds=0]")
    assert isinstance(look(client, operation, task), Succeeded)
    with pytest.raises(Rejected) as raised:
        look(client, operation, Task(task.upstream_id))
    assert raised.value.code is ErrorCode.NOT_FOUND


def test_a_task_with_a_webhook_is_known_at_the_plain_address(client: httpx.Client) -> None:
    body = {"prompt": "a boat [seconds=0]", "webhook_url": "http://127.0.0.1:9/hook"}
    answer = client.post("/v1/flux-pro-1.1", json=body, headers=KEYS["flux.bfl"]).json()
    assert set(answer) == {"id", "status", "webhook_url"}
    operation = flux("pro_1_1", "flux.bfl")
    assert isinstance(look(client, operation, Task(answer["id"])), Succeeded)


def test_a_relay_passes_on_an_address_that_is_not_asked(client: httpx.Client) -> None:
    operation = flux("pro_1_1", "flux.relay")
    task = accepted(client, operation, "a boat [seconds=0]")
    assert "test.invalid" in task.details["polling_url"]
    assert operation.build_query(task).path == "/v1/get_result"
    assert isinstance(look(client, operation, task), Succeeded)


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault", "code"),
    [
        ("throttle", Throttled, ErrorCode.RATE_LIMITED),
        ("queue-full", QueueFull, ErrorCode.QUEUE_FULL),
        ("auth", AccountBlocked, ErrorCode.AUTH),
        ("no-credit", AccountBlocked, ErrorCode.OUT_OF_CREDITS),
        ("invalid", Rejected, ErrorCode.INVALID_REQUEST),
        ("moderated", Rejected, ErrorCode.MODERATED),
        ("html", Rejected, ErrorCode.UNSUPPORTED),
    ],
)
def test_a_refused_submit_is_not_paid(
    dialect: str,
    knob: str,
    fault: type[Fault],
    code: ErrorCode,
    *,
    sandbox: SandboxHandle,
    client: httpx.Client,
) -> None:
    with pytest.raises(fault) as raised:
        submit(client, flux("pro_1_1", dialect), {"prompt": f"a boat [{knob}]"})
    assert raised.value.code is code
    stats = sandbox.stats()
    assert (stats["paid_submits"], stats["refused_by_reason"]) == (0, {knob: 1})
    if fault is Throttled:
        assert raised.value.retry_after is not None
        assert raised.value.retry_after.total_seconds() == 1


@every_dialect
@pytest.mark.parametrize(
    ("knob", "fault"), [("bad-gateway", InDoubt), ("no-id", UnrecognizedReply)]
)
def test_a_paid_submit_without_a_clear_answer_stays_in_doubt(
    dialect: str, knob: str, fault: type[Fault], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    with pytest.raises(fault):
        submit(client, flux("pro_1_1", dialect), {"prompt": f"a boat [{knob}]"})
    assert sandbox.stats()["paid_by_provider"] == {"flux": 1}


@every_queue
@pytest.mark.parametrize(
    ("knob", "code", "message"),
    [
        ("[fail=the GPU melted]", ErrorCode.UPSTREAM_FAILED, "the GPU melted"),
        ("[moderated-late]", ErrorCode.MODERATED, ""),
    ],
)
def test_a_task_that_fails_says_why(
    dialect: str, knob: str, code: ErrorCode, message: str, client: httpx.Client
) -> None:
    operation = flux("pro_1_1", dialect)
    ended = look(client, operation, accepted(client, operation, f"a boat [seconds=0] {knob}"))
    assert isinstance(ended, Failed)
    assert ended.code is code
    assert message in ended.message


@every_queue
@pytest.mark.parametrize(
    ("knob", "fault", "code"),
    [
        ("no-url", UnrecognizedReply, ErrorCode.ASSET_MISSING),
        ("lost", Rejected, ErrorCode.NOT_FOUND),
        ("look-throttle", Throttled, ErrorCode.RATE_LIMITED),
        ("look-errors", InDoubt, ErrorCode.UNAVAILABLE),
        ("look-garbage", UnrecognizedReply, ErrorCode.BAD_RESPONSE),
    ],
)
def test_a_look_without_news_says_what_it_met(
    dialect: str, knob: str, fault: type[Fault], code: ErrorCode, client: httpx.Client
) -> None:
    operation = flux("pro_1_1", dialect)
    task = accepted(client, operation, f"a boat [seconds=0] [{knob}]")
    with pytest.raises(fault) as raised:
        look(client, operation, task)
    assert raised.value.code is code


def test_openais_form_has_no_second_answer(client: httpx.Client) -> None:
    operation = flux("pro_1_1", "flux.openai")
    for knob, code in (("no-url", ErrorCode.ASSET_MISSING), ("fail", ErrorCode.IN_DOUBT)):
        with pytest.raises(Fault) as raised:
            submit(client, operation, {"prompt": f"a boat [{knob}]"})
        assert raised.value.code is code


@pytest.mark.parametrize("dialect", ["flux.replicate", "flux.fal"])
def test_a_task_can_be_canceled_until_it_has_ended(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    operation = flux("pro_1_1", dialect)
    running = accepted(client, operation, "a boat [seconds=100]")
    call = operation.build_cancel(running)
    assert call is not None
    assert operation.parse_cancel(send(client, operation, call)) is True
    assert isinstance(look(client, operation, running), Failed)
    ended = accepted(client, operation, "a boat [seconds=0]")
    call = operation.build_cancel(ended)
    assert call is not None
    send(client, operation, call)
    assert isinstance(look(client, operation, ended), Succeeded)


@every_queue
def test_a_picture_can_be_changed_further(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    first, second = flux("pro_1_1", dialect), flux("kontext_pro", dialect)
    task = accepted(client, first, "a boat [seconds=0]")
    parent = Parent("pro_1_1", task.upstream_id, {}, {}, look(client, first, task))
    assert isinstance(submit(client, second, {"prompt": "at night"}, parent), Accepted)
    assert sandbox.stats()["paid_submits"] == 2


def test_a_draft_can_be_refined(client: httpx.Client) -> None:
    video = flux("flux_3_video", "flux.bfl")
    draft = submit(client, video, {"prompt": "a boat [seconds=0]", "draft": True})
    ended = look(client, video, Task(draft.upstream_id, draft.details))
    assert ended.details["draft_cache"].endswith("/draft.mp4")
    parent = Parent("flux_3_video", draft.upstream_id, {}, {}, ended)
    assert isinstance(submit(client, video, {"mode": "draft_enhance"}, parent), Accepted)


def test_finetunes_and_other_models_are_asked_at_their_own_paths(client: httpx.Client) -> None:
    ultra = {"prompt": "a boat", "finetune_id": "mine", "finetune_strength": 1.1}
    assert isinstance(submit(client, flux("ultra", "flux.bfl"), ultra), Accepted)
    preview = {"prompt": "a boat", "model": "flux-2-pro-preview"}
    assert isinstance(submit(client, flux("flux_2_pro", "flux.bfl"), preview), Accepted)
    with pytest.raises(Rejected) as raised:
        submit(client, flux("pro_1_1", "flux.bfl"), {"prompt": "a boat", "model": "flux-9"})
    assert raised.value.code is ErrorCode.UNSUPPORTED


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/flux-pro-1.1", {}),
        ("/v1/flux-pro-1.1", {"prompt": "a boat", "width": 1000}),
        ("/v1/flux-pro-1.0-fill", {"image": "data:image/png;base64,iVBORw0KGgo="}),
        ("/v1/flux-3-video", {"prompt": "a boat", "duration": 60}),
        ("/v1/flux-pro-1.1", ["a boat"]),
    ],
)
def test_a_bad_request_is_refused_with_its_field(
    path: str, body: Any, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    answer = client.post(path, json=body, headers=KEYS["flux.bfl"])
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]
    assert sandbox.stats()["refused_by_reason"] == {"invalid": 1}


@every_dialect
def test_each_door_wants_its_own_key(
    dialect: str, sandbox: SandboxHandle, client: httpx.Client
) -> None:
    sandbox.configure(accepted_keys=["another"], no_credit_keys=["sk-tests"])
    with pytest.raises(AccountBlocked) as raised:
        submit(client, flux("pro_1_1", dialect), {"prompt": "a boat"})
    assert raised.value.code is ErrorCode.OUT_OF_CREDITS
    sandbox.configure(no_credit_keys=[])
    with pytest.raises(AccountBlocked) as raised:
        submit(client, flux("pro_1_1", dialect), {"prompt": "a boat"})
    assert raised.value.code is ErrorCode.AUTH
    assert sandbox.stats()["paid_submits"] == 0
