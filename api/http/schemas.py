"""The bases of request and response models, and the models of problems."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from api.http.problem_types import ALREADY_TERMINAL


class Document(BaseModel):
    """A response.

    Its docstring and its example describe it in the OpenAPI document.

    Responses are written as JSON documents and not validated on the way out; tests hold them
    against these models.
    """

    model_config = ConfigDict(extra="forbid")

    EXAMPLE: ClassVar[object] = None


class RequestModel(BaseModel):
    """The body of a request. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")

    #: For the OpenAPI document: example bodies by their summaries.
    EXAMPLES: ClassVar[Mapping[str, Any]] = {}


class ProblemEntry(Document):
    """One thing to change in the body."""

    pointer: str = Field(description="JSON pointer into the body, such as `#/input/duration`.")
    detail: str
    code: str


class Problem(Document):
    """A problem, in the form of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[ProblemEntry] | None = None
    violated_policies: list[str] | None = Field(
        None,
        alias="violated-policies",
        description="Of `quota_exceeded`: the limits that were used up.",
    )


class ProblemKind(Document):
    """The explanation of a kind of problem, which its `type` leads to."""

    EXAMPLE: ClassVar[object] = {
        "code": ALREADY_TERMINAL.code,
        "status": ALREADY_TERMINAL.status,
        "title": ALREADY_TERMINAL.title,
        "advice": ALREADY_TERMINAL.advice,
    }

    code: str
    status: int
    title: str
    advice: str
