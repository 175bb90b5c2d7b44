"""JSON responses."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

#: Headers of a response that contains a secret or changes at any moment.
NOT_KEPT = {"Cache-Control": "no-store"}


def json_answer(
    document: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return `document` as compact JSON in UTF-8."""
    return Response(to_json(document), status, headers, "application/json")
