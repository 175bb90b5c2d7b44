"""Problems of requests, in the form of RFC 9457."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from api.http.problem_types import INVALID_REQUEST, Kind

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing to change in a body."""

    #: RFC 6901, as a URI fragment: `#/input/duration`.
    pointer: str
    detail: str
    #: For programs: `required`, `unknown_field`, `enum`, `type`, `length`, `range`, `invalid` …
    code: str


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[Complaint] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers
        #: Members that only this kind of problem has.
        self.extra = extra or {}


def invalid(errors: Sequence[Complaint], kind: Kind = INVALID_REQUEST) -> Problem:
    """Return the 422 with these complaints; `detail` has the first one."""
    first = errors[0]
    more = f" (and {len(errors) - 1} more, see errors)" if len(errors) > 1 else ""
    return Problem(kind, f"{first.pointer}: {first.detail}{more}", errors=errors)


def problem_url(code: str, base_url: str) -> str:
    return f"{base_url}/problems/{code}"


def problem_document(
    problem: Problem, *, instance: str, request_id: str, base_url: str
) -> dict[str, Any]:
    kind = problem.kind
    document: dict[str, Any] = {
        "type": kind.type or problem_url(kind.code, base_url),
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": instance,
        "code": kind.code,
        "request_id": request_id,
        **problem.extra,
    }
    if problem.errors:
        document["errors"] = complaint_documents(problem.errors)
    return document


def complaint_documents(errors: Sequence[Complaint]) -> list[dict[str, str]]:
    return [
        {"pointer": error.pointer, "detail": error.detail, "code": error.code} for error in errors
    ]


def problem_answer(problem: Problem, *, instance: str, request_id: str, base_url: str) -> Response:
    document = problem_document(
        problem, instance=instance, request_id=request_id, base_url=base_url
    )
    return Response(to_json(document), problem.kind.status, problem.headers, MEDIA_TYPE)
