"""The jobs of the demonstration and their expected states. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from generation.job import JobState

#: Limits how long jobs of an interrupted demonstration remain.
DEADLINE = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoJob:
    """One job of the demonstration."""

    provider: str
    operation: str
    #: Two or three words for the table.
    title: str
    input: Mapping[str, Any]
    expected: JobState = JobState.SUCCEEDED

    @property
    def type(self) -> str:
        return f"{self.provider}.{self.operation}"

    @property
    def expects_failure(self) -> bool:
        return self.expected is JobState.FAILED

    def body(self, webhook_url: str) -> dict[str, Any]:
        """Return the body of its `POST /v1/jobs`."""
        return {
            "provider": self.provider,
            "operation": self.operation,
            "input": dict(self.input),
            "webhook": {"url": webhook_url},
            "metadata": {"demo": self.title},
            "deadline": DEADLINE.total_seconds(),
        }


DEMO_JOBS = (
    DemoJob(
        provider="midjourney",
        operation="imagine",
        title="lighthouse",
        input={"prompt": "a lighthouse at dusk, oil on canvas --ar 16:9"},
    ),
    DemoJob(
        provider="kling",
        operation="text2video",
        title="paper boat",
        input={"prompt": "A paper boat sails down a rainy street", "duration": "5"},
    ),
    DemoJob(
        provider="suno",
        operation="music",
        title="sea shanty",
        input={"gpt_description_prompt": "a slow sea shanty about a lighthouse"},
    ),
    DemoJob(
        provider="luma",
        operation="video",
        title="mountain pass",
        input={"prompt": "Clouds roll over a mountain pass", "aspect_ratio": "16:9"},
    ),
    DemoJob(
        provider="flux",
        operation="pro_1_1",
        title="paper city",
        input={"prompt": "a city folded from paper, morning light"},
    ),
    DemoJob(
        provider="openai",
        operation="image_by_chat",
        title="drawn in a chat",
        input={"prompt": "Draw a crane, folded from paper"},
    ),
    DemoJob(
        provider="midjourney",
        operation="imagine",
        title="expected to fail",
        # The word in brackets makes the sandbox's moderation reject this prompt.
        input={"prompt": "a prompt that moderation rejects [moderated]"},
        expected=JobState.FAILED,
    ),
)
