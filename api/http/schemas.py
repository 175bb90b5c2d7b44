"""
Problems as models: the documents themselves, and what their `type` leads to.
"""

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProblemEntry(Document):
    """One thing to change in the body."""

    pointer: str = Field(description="JSON pointer into the body, such as `#/input/duration`.")
    detail: str
    code: str


class Problem(Document):
    """RFC 9457."""

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
    """What a problem's `type` leads to."""

    code: str
    status: int
    title: str
    advice: str
