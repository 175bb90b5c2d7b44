"""A conversation as a caller writes it down: messages, their parts, and calls of tools."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field

from generation.contract.request import Form, Problem, Prompt, Request
from generation.providers.kit.media_inputs import Image, decoded

#: OpenAI's rule for the names of functions.
FunctionName = Annotated[
    str, Form(r"^[A-Za-z0-9_-]{1,64}$", "1 to 64 letters, digits, _ or -, as in get_weather")
]


def _as_openai_spells_it(type_: str) -> str:
    del type_
    return "image_url"


class TextPart(Request):
    """Words."""

    type: Literal["text"]
    text: Prompt


class Picture(Request):
    """A picture, and how closely to look at it."""

    url: Image
    detail: str | None = Field(None, description="`low`, `high` or `auto`.")


class ImagePart(Request):
    """A picture to look at. Chat Open's own spelling of it is understood everywhere."""

    type: Annotated[Literal["image_url", "imageUrl"], AfterValidator(_as_openai_spells_it)]
    image_url: Picture = Field(validation_alias=AliasChoices("image_url", "imageUrl"))


class Document(Request):
    """A document's address."""

    url: Annotated[str, Form(r"^https?://\S+$", "an http or https URL")]


class File(Request):
    """A document that OpenAI holds, or the document itself."""

    file_id: str | None = Field(None, min_length=1)
    file_data: str | None = Field(
        None, min_length=1, description="A data URI, as in `data:application/pdf;base64,…`."
    )
    filename: str | None = Field(None, min_length=1)

    def problems(self) -> Iterator[Problem]:
        if (self.file_id is None) is (self.file_data is None):
            yield ("file_id",), "or file_data is required, and not both"


class FilePart(Request):
    """A document to read: by its address, which Kimi and its like take, or in OpenAI's form."""

    type: Literal["file"]
    file_url: Document | None = None
    file: File | None = None

    def problems(self) -> Iterator[Problem]:
        if (self.file is None) is (self.file_url is None):
            yield ("file",), "or file_url is required, and not both"


def _bare(sound: str) -> str:
    return decoded(sound, "give the sound in base64")[0]


class Sound(Request):
    """A sound, by its content."""

    data: Annotated[str, AfterValidator(_bare), Field(description="Base64, or a data URI.")]
    format: str = Field(min_length=1, description="As in `wav` or `mp3`.")


class SoundPart(Request):
    """A sound to listen to."""

    type: Literal["input_audio"]
    input_audio: Sound


Part = Annotated[TextPart | ImagePart | SoundPart | FilePart, Field(discriminator="type")]


class CalledFunction(Request):
    """A function that the model called, and the arguments, which are JSON in a string."""

    name: FunctionName
    arguments: str


class ToolCall(Request):
    """One call, as the model's answer gave it."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class Message(Request):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | Annotated[list[Part], Field(min_length=1)] | None = None
    name: str | None = None
    tool_calls: Annotated[list[ToolCall], Field(min_length=1)] | None = None
    tool_call_id: str | None = None

    def problems(self) -> Iterator[Problem]:
        if self.content is None and not self.tool_calls:
            yield ("content",), "is required, but for an assistant's message with tool_calls"
        if self.tool_calls and self.role != "assistant":
            yield ("tool_calls",), "belong to messages of the role assistant"
        if (self.role == "tool") != (self.tool_call_id is not None):
            yield ("tool_call_id",), "belongs to a message of the role tool, which needs it"


class Function(Request):
    """A function the model may call; its parameters are a JSON Schema."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Request):
    """Something the model may call instead of answering."""

    type: Literal["function"] = "function"
    function: Function
