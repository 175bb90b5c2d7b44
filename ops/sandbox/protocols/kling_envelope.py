"""Kling's v1 responses: envelope, error codes, the task, and two kinds of authentication."""

from uuid import uuid4

from starlette.datastructures import Headers
from starlette.responses import Response

from ops.sandbox.accounts import (
    KeyState,
    TokenFault,
    access_key_of,
    bearer_token,
    is_signed_token,
    key_state_of,
)
from ops.sandbox.clock import milliseconds
from ops.sandbox.config import SandboxConfig
from ops.sandbox.dialect import Refusal
from ops.sandbox.protocols.authentication import RelayAuthentication
from ops.sandbox.protocols.kling_results import ENDPOINTS, speech
from ops.sandbox.replies import json_reply
from ops.sandbox.tasks import Phase, SandboxTask, View

_STATUS = {
    Phase.QUEUED: "submitted",
    Phase.SUBMITTED: "submitted",
    Phase.RUNNING: "processing",
    Phase.UNKNOWN: "marinating",
    Phase.SUCCEEDED: "succeed",
    Phase.FAILED: "failed",
    Phase.MODERATED: "failed",
    Phase.CANCELED: "failed",
}
MODERATED = "Failure to pass the risk control system"

#: HTTP status, code and message of each refusal.
ERRORS: dict[Refusal, tuple[int, int, str]] = {
    Refusal.AUTH: (401, 1000, "authentication failed"),
    Refusal.NO_CREDIT: (429, 1102, "Account balance not enough"),
    Refusal.INVALID: (400, 1201, "prompt is invalid"),
    Refusal.MODERATED: (400, 1301, "content security policy triggered"),
    Refusal.THROTTLED: (429, 1302, "request too fast"),
    Refusal.QUEUE_FULL: (429, 1303, "parallel task over resource pack limit"),
    Refusal.DUPLICATE: (400, 1201, "external_task_id is invalid: this account has used it before"),
}
_STANDINGS: dict[KeyState, tuple[int, int, str]] = {
    KeyState.MISSING: (401, 1002, "Authorization is invalid"),
    KeyState.UNKNOWN: (401, 1000, "authentication failed"),
    KeyState.BLOCKED: (429, 1100, "account exception"),
    KeyState.NO_CREDIT: (429, 1101, "account in arrears"),
}
_TOKENS: dict[TokenFault, tuple[int, int, str]] = {
    TokenFault.MALFORMED: (401, 1002, "Authorization is invalid"),
    TokenFault.FORGED: (401, 1000, "authentication failed"),
    TokenFault.EARLY: (401, 1003, "token is not valid yet"),
    TokenFault.EXPIRED: (401, 1004, "token expired"),
}


class KlingRenderer:
    """The responses that all of the vendor's APIs share."""

    def refusal(self, refusal: Refusal, prompt: str = "") -> Response:
        status, code, message = ERRORS[refusal]
        retry_after = 1 if refusal is Refusal.THROTTLED else None
        return error(status, code, message, retry_after)

    def invalid(self, message: str) -> Response:
        return error(400, 1201, message)

    def accepted(self, task: SandboxTask, place: int) -> Response:
        return success(task_data(task, View(Phase.QUEUED, 0, None, None)))

    def accepted_without_id(self) -> Response:
        return success({})

    def found(self, task: SandboxTask, view: View) -> Response:
        return success(task_data(task, view))

    def several(self, seen: list[tuple[SandboxTask, View]]) -> Response:
        return success([task_data(task, view) for task, view in seen])

    def not_found(self) -> Response:
        return error(404, 1203, "task not found")


class KlingVendorRenderer(KlingRenderer):
    """The vendor itself: a plain key, or a token signed with the account's secret key."""

    def authenticate(
        self, headers: Headers, config: SandboxConfig, *, submits: bool
    ) -> str | Response:
        if not headers.get("authorization"):
            return error(401, 1001, "Authorization is empty")
        account = bearer_token(headers)
        if is_signed_token(account):
            signer = access_key_of(account, config.kling_access_keys)
            if isinstance(signer, TokenFault):
                return error(*_TOKENS[signer])
            return self._pass(signer, _signer_state(signer, config), submits)
        return self._pass(account, key_state_of(account, config), submits)

    def _pass(self, account: str, key_state: KeyState, submits: bool) -> str | Response:
        return account if key_state.passes(submits=submits) else error(*_STANDINGS[key_state])


class KlingRelayRenderer(RelayAuthentication, KlingRenderer):
    """A relay that passes on the vendor's responses and checks keys itself."""

    def no_credit(self) -> Response:
        _, code, message = ERRORS[Refusal.NO_CREDIT]
        return error(400, code, message)  # relays were seen to pass on the vendor's 429 as a 400

    def relayed_refusal(self, refusal: Refusal, prompt: str) -> Response:
        return KlingRenderer.refusal(self, refusal, prompt)


def task_data(task: SandboxTask, seen: View) -> dict[str, object]:
    """The task as `data` of a response, and as a callback's whole body."""
    data: dict[str, object] = {
        "task_id": task.id,
        "task_status": word_of(seen.phase),
        "task_status_msg": message_of(task, seen),
        "task_info": {"external_task_id": task.submission.reference or None},
        "created_at": milliseconds(task.created_at),
        "updated_at": milliseconds(seen.finished_at or seen.started_at or task.created_at),
    }
    if parent := task.submission.details.get("parent"):
        data["task_info"] = {"external_task_id": task.submission.reference or None, **parent}
    if seen.phase is Phase.SUCCEEDED:
        endpoint = ENDPOINTS.get(task.submission.operation)
        data["task_result"] = endpoint.result(task) if endpoint else speech(task)
        data["final_unit_deduction"] = "1"
    return data


def word_of(phase: Phase) -> str:
    """The status word of v1."""
    return _STATUS[phase]


def message_of(task: SandboxTask, seen: View) -> str:
    """The reason why the task failed; "" unless it did."""
    match seen.phase:
        case Phase.FAILED:
            return task.failure
        case Phase.MODERATED:
            return MODERATED
        case _:
            return ""


def _signer_state(access_key: str, config: SandboxConfig) -> KeyState:
    """A valid signature makes an AccessKey known; it may still be blocked or without credit."""
    key_state = key_state_of(access_key, config)
    return KeyState.GOOD if key_state is KeyState.UNKNOWN else key_state


def success(data: object) -> Response:
    """A response without an error."""
    return json_reply({"code": 0, "message": "SUCCEED", "request_id": str(uuid4()), "data": data})


def error(status: int, code: int, message: str, retry_after: int | None = None) -> Response:
    """An error response."""
    body = {"code": code, "message": message, "request_id": str(uuid4())}
    return json_reply(body, status, retry_after)
