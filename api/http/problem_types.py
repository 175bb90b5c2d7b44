"""Every kind of problem a request can meet, in words for whoever meets it.

Each has a `code`, which is public and stable, and a page at `/problems/<code>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: what it is called, and what whoever meets it can do."""

    code: str
    status: int
    title: str
    advice: str
    #: Its `type` where a registry has one; else it is the address of our own page.
    type: str | None = None


MALFORMED_HTTP = Kind(
    "malformed_http",
    400,
    "The request is not HTTP",
    "What came is no HTTP/1.1 request: a broken request line, header or chunk, two lengths that"
    " differ, or a path with bytes that must be percent-encoded. The connection was closed.",
)
MALFORMED_JSON = Kind(
    "malformed_json",
    400,
    "The body is not JSON",
    "Send one JSON object in UTF-8. `detail` says in which line and column reading stopped, or"
    " which name an object has twice.",
)
INVALID_QUERY = Kind(
    "invalid_query",
    400,
    "A query parameter cannot be used",
    "`detail` names the parameter and what it may be. Nothing is ignored: an unknown name is an"
    " error too, so that a misspelt filter does not list everything.",
)
INVALID_HEADER = Kind(
    "invalid_header",
    400,
    "A request header cannot be used",
    "`detail` names the header and what it may be. The order was not stored.",
)
UNAUTHENTICATED = Kind(
    "unauthenticated",
    401,
    "No valid API key",
    "Send `Authorization: Bearer genq_…` or `X-API-Key: genq_…`. Whoever runs this service makes a"
    " key with `genq keys create NAME`; a revoked key stays revoked.",
)
INSUFFICIENT_SCOPE = Kind(
    "insufficient_scope",
    403,
    "This API key may not do that",
    "A key has the scopes it was made with: `submit`, `read`, `cancel`, `admin`. `detail` names the"
    " one that is missing. Whoever runs this service makes another key, or changes this one.",
)
PROVIDER_NOT_ALLOWED = Kind(
    "provider_not_allowed",
    403,
    "This API key may not order from that provider",
    "The key was made for certain providers; `detail` names them. Whoever runs this service can"
    " change that.",
)
NOT_FOUND = Kind(
    "not_found",
    404,
    "There is nothing here",
    "Check the path and the id. A job can be seen with the keys of the tenant that ordered it, and"
    " with no others.",
)
METHOD_NOT_ALLOWED = Kind(
    "method_not_allowed",
    405,
    "This path does not take that method",
    "The `Allow` header lists the methods it takes.",
)
ALREADY_TERMINAL = Kind(
    "already_terminal",
    409,
    "The job has ended",
    "There is nothing left to cancel. `GET /v1/jobs/{id}` says how it ended.",
)
NOT_IN_DOUBT = Kind(
    "not_in_doubt",
    409,
    "The job is not in doubt",
    "Only a job whose state is `in_doubt` can be resolved, and once: `GET /v1/jobs/{id}` says where"
    " it stands now. A job may have been found meanwhile.",
)
STILL_NEEDED = Kind(
    "still_needed",
    409,
    "What the job holds is still needed",
    "A job is erased once it has ended and no job that follows it waits to be sent. Cancel it first"
    " (`POST /v1/jobs/{id}/cancel`), or wait.",
)
NOT_AWAITING_INPUT = Kind(
    "not_awaiting_input",
    409,
    "The job waits for no input",
    "Input is taken while a job's state is `awaiting_input`, and each time once. `GET"
    " /v1/jobs/{id}` says where it stands.",
)
OWN_KEY = Kind(
    "own_key",
    409,
    "A key cannot change itself",
    "So that a slip locks nobody out. Use another key with the scope `admin`, or `genq keys`.",
)
KEY_REVOKED = Kind(
    "key_revoked",
    409,
    "The API key was revoked",
    "A revoked key stays revoked, and as it was. Make another one: `POST /v1/keys`.",
)
BODY_TOO_SLOW = Kind(
    "body_too_slow",
    408,
    "The body did not arrive in time",
    "A request's body has a minute to arrive, whatever its size. The connection was closed, and"
    " nothing was stored: send the request again.",
)
IDEMPOTENCY_KEY_BUSY = Kind(
    "idempotency_key_busy",
    409,
    "An order with this key is being stored",
    "Send the same order with the same key again after `Retry-After` seconds: it is then answered"
    " with the job that was made.",
)
BODY_TOO_LARGE = Kind(
    "body_too_large",
    413,
    "The body is too large",
    "Give pictures and videos by https URL instead of base64. Whoever runs this service can raise"
    " the limit (GENQ_MAX_BODY_BYTES).",
)
INVALID_REQUEST = Kind(
    "invalid_request",
    422,
    "The order cannot be used as written",
    "Each entry of `errors` names one place in the body by JSON pointer and says what to change"
    " there. The order was not stored and nothing was sent to an upstream.",
)
IDEMPOTENCY_KEY_REUSED = Kind(
    "idempotency_key_reused",
    422,
    "This key stands for another order",
    "A key, or a client id, stands for one order for good. Use a new one for a new order; to repeat"
    " an order, send the body it had. What counts is its meaning: the order of names, white space"
    " and `5` or `5.0` do not matter.",
)
UNSUPPORTED = Kind(
    "unsupported",
    422,
    "This deployment does not offer that operation",
    "genq knows the operation, but no station of this deployment sells it. `GET /v1/operations`"
    " lists what is offered; a station is added in stations.toml.",
)
HEAD_TOO_LARGE = Kind(
    "head_too_large",
    431,
    "The request line and header fields are too large",
    "Send fewer or shorter header fields, or a shorter URL. The connection was closed.",
)
QUOTA_EXCEEDED = Kind(
    "quota_exceeded",
    429,
    "This API key has used up one of its limits",
    "`violated-policies` names it: `submit` is a rate, `concurrent` a number of unfinished jobs,"
    " `daily` the jobs of a day (UTC). Send the order again after `Retry-After` seconds; it was not"
    " stored. `RateLimit-Policy` and `RateLimit` say how much each limit allows and has left.",
    type="https://iana.org/assignments/http-problem-types#quota-exceeded",
)
INTERNAL = Kind(
    "internal",
    500,
    "Something is wrong with genq itself",
    "Tell whoever runs this service the `request_id`: the log has the cause under it. If this was"
    " an order, look at `GET /v1/jobs` before sending it again.",
)
UNREADABLE = Kind(
    "unreadable",
    500,
    "What is stored cannot be read",
    "The row is there and this version of genq cannot read it: another version wrote it, or the"
    " disk has damaged it. Nothing of it is changed or lost, and a job goes on once it can be read."
    " Tell whoever runs this service its id: `genq check` says what is wrong. Do not order again"
    " what may be paid for.",
)
NO_STATION = Kind(
    "no_station",
    503,
    "This deployment has no station",
    "Nothing can be generated until whoever runs this service adds a station: GENQ_STATION_URL with"
    " GENQ_STATION_KEY, or a stations.toml; then restart the API and the workers.",
)
STORE_UNAVAILABLE = Kind(
    "store_unavailable",
    503,
    "The database does not answer",
    "Try again later. If this was an order, look at `GET /v1/jobs` before sending it again: it may"
    " have been stored although the answer was lost.",
)

ENDPOINT_DISABLED = Kind(
    "endpoint_disabled",
    409,
    "The webhook endpoint is disabled",
    "Nothing is sent to it. Mend the receiver, enable it again (`PATCH` with `enabled: true`), and"
    " then `recover` what failed and `replay` what was missed.",
)
TOO_MANY_ENDPOINTS = Kind(
    "too_many_endpoints",
    409,
    "The tenant has as many webhook endpoints as it may have",
    "Delete one that is not needed. Filters by event and by metadata let one receiver serve many"
    " purposes.",
)

KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        MALFORMED_HTTP,
        MALFORMED_JSON,
        INVALID_QUERY,
        INVALID_HEADER,
        UNAUTHENTICATED,
        INSUFFICIENT_SCOPE,
        PROVIDER_NOT_ALLOWED,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        ALREADY_TERMINAL,
        NOT_IN_DOUBT,
        STILL_NEEDED,
        NOT_AWAITING_INPUT,
        KEY_REVOKED,
        IDEMPOTENCY_KEY_BUSY,
        OWN_KEY,
        BODY_TOO_SLOW,
        BODY_TOO_LARGE,
        INVALID_REQUEST,
        IDEMPOTENCY_KEY_REUSED,
        UNSUPPORTED,
        QUOTA_EXCEEDED,
        HEAD_TOO_LARGE,
        INTERNAL,
        UNREADABLE,
        NO_STATION,
        STORE_UNAVAILABLE,
        ENDPOINT_DISABLED,
        TOO_MANY_ENDPOINTS,
    )
}
