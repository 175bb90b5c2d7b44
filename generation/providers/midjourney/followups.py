"""Requests about a finished Midjourney task: buttons, variations, seed, input of a dialog."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Parent
from generation.providers.midjourney.buttons import (
    Window,
    find_button,
    is_custom_id,
    makes_several_tasks,
    names_of,
    window_of,
)
from generation.providers.midjourney.images import Content
from generation.providers.midjourney.prompts import Prompt
from generation.providers.midjourney.request import (
    MidjourneyRequest,
    ParentTask,
    Submit,
    followed,
)

_ZOOM = re.compile(r"--zoom\s+(\d+(?:\.\d+)?)(?!\S)")

WindowPrompt = Annotated[
    Prompt | None,
    Field(
        description="For the window that the button opens. A custom zoom needs `--zoom 1` to"
        " `--zoom 2` in it; elsewhere it stands for the parent's prompt."
    ),
]
Mask = Annotated[
    Content | None,
    Field(
        serialization_alias="maskBase64",
        description="For `Vary (Region)`: a PNG of the picture's shape as a data URI or bare"
        " base64, black, and white where it is to be painted anew.",
    ),
]


class WindowInput(MidjourneyRequest):
    """What a task that waits is told. Without a prompt it goes on with its parent's."""

    prompt: WindowPrompt = None
    mask: Mask = None


class ModalRequest(WindowInput, Submit):
    """The same for a task that genq did not make."""

    upstream_id: str = Field(min_length=1, description="The upstream's id of the task that waits.")

    def body(self, parent: Parent | None) -> dict[str, Any]:
        return {"taskId": self.upstream_id, **self.wire(exclude={"upstream_id"})}


class ActionRequest(Submit):
    """A button of a finished task."""

    action: str | None = Field(
        None,
        min_length=1,
        description="The button: its label (`U1`, `Vary (Strong)`, `🔄`), an alias (`reroll`,"
        " `zoom_out_2x`, `pan_left`) or its custom id.",
    )
    custom_id: str | None = Field(
        None,
        min_length=1,
        validate_default=True,
        description="The button's custom id, instead of `action`.",
    )
    prompt: WindowPrompt = None
    mask: Mask = None
    choose_same_channel: bool | None = Field(
        None, description="Whether the parent's account does it, which is usual."
    )
    enable_remix: bool | None = Field(
        None,
        description="Whether a variation, pan or reroll asks for a prompt first; yes where one is"
        " given.",
    )
    strong: bool | None = Field(None, description="At stations that read it.")
    upstream_id: ParentTask = None

    @field_validator("custom_id")
    @classmethod
    def _one_button(cls, custom_id: str | None, info: ValidationInfo) -> str | None:
        if custom_id is not None and not is_custom_id(custom_id):
            raise ValueError("is no custom id, which has parts between `::`; labels go to action")
        if "action" in info.data and (info.data["action"] is None) is (custom_id is None):
            raise ValueError("give one of action and custom_id")
        return custom_id

    @property
    def early_input(self) -> WindowInput | None:
        """What the window is to be told as soon as it opens; None where the caller gave nothing."""
        given = {"prompt": self.prompt, "mask": self.mask}
        told = {name: value for name, value in given.items() if value is not None}
        return WindowInput.model_validate(told) if told else None

    def body(self, parent: Parent | None) -> dict[str, Any]:
        upstream_id = followed(self.upstream_id, parent)
        custom_id = self._pressed(parent)
        if makes_several_tasks(custom_id):
            raise Rejected(
                "this button makes four tasks at once, and a job is one: press imagine_1 to"
                " imagine_4 instead",
                code=ErrorCode.UNSUPPORTED,
            )
        window = window_of(custom_id)
        if self.early_input is not None and (complaint := self._misfit(window)):
            raise Rejected(complaint)
        body = self.wire(exclude={"action", "custom_id", "prompt", "mask", "upstream_id"})
        if window is Window.IN_REMIX and self.prompt and self.enable_remix is None:
            body["enableRemix"] = True
        return {"taskId": upstream_id, "customId": custom_id, **body}

    def _pressed(self, parent: Parent | None) -> str:
        """The custom id of the button. Raises `Rejected` where there is no such button."""
        name = self.custom_id or self.action or ""
        if is_custom_id(name):
            return name
        if parent is None:
            raise Rejected("without a parent a button is known by its custom_id only")
        actions = parent.result.actions
        if not actions:
            raise Rejected(
                "the parent offers no button here; the operation `change` upscales, varies and"
                " rerolls a grid without any"
            )
        if button := find_button(actions, name):
            return button.custom_id
        raise Rejected(f"the parent has no button {name!r}; it has {names_of(actions)}")

    def _misfit(self, window: Window) -> str | None:
        """Why prompt and mask cannot be told to this window."""
        if window is Window.NEVER:
            return "this button asks for nothing: leave prompt and mask out"
        if window is Window.REGION:
            return None if self.mask else "Vary (Region) needs a mask beside the prompt"
        if self.mask:
            return "only Vary (Region) takes a mask"
        if window is Window.ZOOM:
            zoom = _ZOOM.search(self.prompt or "")
            if zoom is None or not 1 <= float(zoom[1]) <= 2:
                return "a custom zoom needs --zoom 1 to --zoom 2 in its prompt, as --zoom 1.5"
        return None


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class ChangeRequest(Submit):
    """One picture of a grid upscaled or varied, or all of it made again."""

    action: Annotated[Literal["UPSCALE", "VARIATION", "REROLL"], BeforeValidator(_upper)]
    index: int | None = Field(
        None,
        ge=1,
        le=4,
        validate_default=True,
        description="Which of the grid's pictures: 1 to 4; for UPSCALE and VARIATION.",
    )
    upstream_id: ParentTask = None

    @field_validator("index")
    @classmethod
    def _which_one(cls, index: int | None, info: ValidationInfo) -> int | None:
        if index is None and info.data.get("action") in ("UPSCALE", "VARIATION"):
            raise ValueError("say which of the four pictures: 1 to 4")
        return index

    def body(self, parent: Parent | None) -> dict[str, Any]:
        """Relays refuse a reroll without an index, whatever it is."""
        body = self.wire(exclude={"upstream_id"}) | {"index": self.index or 1}
        return {"taskId": followed(self.upstream_id, parent), **body}


class SeedRequest(MidjourneyRequest):
    """The seed of a finished task."""

    upstream_id: ParentTask = None
