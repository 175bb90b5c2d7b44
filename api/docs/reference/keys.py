"""
What the API's description says of `/v1/keys`.
"""

from datetime import timedelta

from api.docs.examples import BORN
from api.docs.openapi_parts import Spec, complains, describe, in_path, in_query, says, takes
from api.http.problem_types import (
    INVALID_QUERY,
    KEY_REVOKED,
    MALFORMED_JSON,
    NOT_FOUND,
    OWN_KEY,
    STORE_UNAVAILABLE,
    UNAUTHENTICATED,
)
from api.http.problems import Complaint, Problem, invalid
from generation.access.key_document import key_document
from generation.access.permissions import Access, Limits, Rate, Scope
from generation.store import ApiKey

KEY_ID = "key_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"
_EXAMPLE = ApiKey(
    id=KEY_ID,
    tenant="my-team",
    prefix="genq_2fA9xQ",
    webhook_secret="",
    access=Access(
        scopes=frozenset({Scope.SUBMIT, Scope.READ}),
        providers=frozenset({"kling"}),
        limits=Limits(rate=Rate(60, timedelta(minutes=1)), max_in_flight=20, daily_jobs=1000),
        expires_at=BORN + timedelta(days=3650),
    ),
    created_at=BORN,
)
_KEY = key_document(_EXAMPLE)
_ORDER = {
    name: _KEY[name]
    for name in (
        "tenant",
        "scopes",
        "providers",
        "rate",
        "max_in_flight",
        "daily_jobs",
        "expires_at",
    )
}
_NO_KEY = Problem(UNAUTHENTICATED, "this path needs an API key")
_NONE = Problem(NOT_FOUND, "there is no such key; GET /v1/keys lists them")
_ITSELF = Problem(OWN_KEY, "a key cannot change or revoke itself; use another one, or genq keys")
_NO_STORE = Problem(STORE_UNAVAILABLE, "the database does not answer; try again later")
_MALFORMED = Problem(MALFORMED_JSON, "the body is empty; send a JSON object")
_PARAMETER = in_path("key_id", "The key's `id`.")
_AT = f"/v1/keys/{KEY_ID}"


class KeysReference:
    """The OpenAPI operation objects of `/v1/keys`."""

    def create(self) -> Spec:
        secret = {"key": "genq_2fA9xQ…", "webhook_secret": "whsec_…"}
        return describe(
            "Keys",
            "createKey",
            "Make a key",
            "The key and its webhook secret are in the answer, and nowhere else ever again. What is"
            " not said is not limited; without `scopes` it may `submit`, `read` and `cancel`.",
            body=takes(
                "KeyOrder",
                {
                    "a team's": ("Nothing is limited.", {"tenant": "my-team"}),
                    "a partner's": ("Everything is limited.", _ORDER),
                },
            ),
            answers={
                201: says("The key.", "NewKey", _KEY | secret, {"Location": "Where the key is."})
            }
            | complains(
                _MALFORMED,
                _NO_KEY,
                invalid(
                    [
                        Complaint("#/tenant", "is required", "required"),
                        Complaint("#/rate", "must be jobs per second, minute or hour", "invalid"),
                    ]
                ),
                _NO_STORE,
                instance="/v1/keys",
            ),
        )

    def all(self) -> Spec:
        return describe(
            "Keys",
            "listKeys",
            "List keys",
            "All of them, oldest first, the revoked ones too.",
            parameters=[
                in_query("tenant", "Only keys of this tenant.", {"type": "string", "minLength": 1})
            ],
            answers={200: says("The keys.", "KeyList", {"data": [_KEY]})}
            | complains(
                Problem(INVALID_QUERY, "there is no parameter 'tennant'; there is tenant"),
                _NO_KEY,
                _NO_STORE,
                instance="/v1/keys",
            ),
        )

    def get(self) -> Spec:
        return describe(
            "Keys",
            "getKey",
            "Look at a key",
            "Whose it is, what it may do, when it was last used.",
            parameters=[_PARAMETER],
            answers={200: says("The key.", "Key", _KEY)}
            | complains(_NO_KEY, _NONE, _NO_STORE, instance=_AT),
        )

    def change(self) -> Spec:
        return describe(
            "Keys",
            "changeKey",
            "Change what a key may do",
            "What is named is changed, `null` lifts a limit, and all else stays. It holds from the"
            " next request on. Lowered limits end no job; they count those in flight.",
            parameters=[_PARAMETER],
            body=takes(
                "AccessOrder",
                {
                    "slower": ("Another rate.", {"rate": "10/m"}),
                    "freer": ("No limits.", {"rate": None, "max_in_flight": None}),
                },
            ),
            answers={200: says("The key as it is now.", "Key", _KEY | {"rate": "10/m"})}
            | complains(
                _MALFORMED,
                _NO_KEY,
                _NONE,
                Problem(KEY_REVOKED, "the key was revoked; what it may do cannot be changed"),
                _ITSELF,
                invalid([Complaint("#/scopes", "must not be empty", "length")]),
                _NO_STORE,
                instance=_AT,
            ),
        )

    def revoke(self) -> Spec:
        revoked = _KEY | {"revoked_at": "2026-02-01T00:00:00.000Z"}
        return describe(
            "Keys",
            "revokeKey",
            "Let a key in no longer",
            "At once at this process, and within a tenth of a second (`GENQ_KEY_CACHE`) at all"
            " others. What was ordered goes on, and webhooks owed are still sent. Asking again"
            " changes nothing.",
            parameters=[_PARAMETER],
            answers={200: says("The key, revoked.", "Key", revoked)}
            | complains(_NO_KEY, _NONE, _ITSELF, _NO_STORE, instance=f"{_AT}/revoke"),
        )
