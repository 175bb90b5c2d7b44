"""What can be set: by environment at the start, by /_sandbox/configure at run time."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat
from pydantic_settings import BaseSettings, SettingsConfigDict

#: HS256 requires a secret of at least 32 bytes.
SecretKey = Annotated[str, Field(min_length=32)]


class SandboxConfig(BaseSettings):
    """One sandbox station's settings; `GENQ_SANDBOX_SPEED=60` sets `speed`.

    Sets and maps are JSON.

    Durations of upstream work are *sandbox* seconds (see `speed`). Durations of responses are real
    seconds, because clients apply their timeouts to them.
    """

    model_config = SettingsConfigDict(
        env_prefix="GENQ_SANDBOX_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    #: Sandbox seconds in a real second; 0 stops the clock, which then moves only by `advance`.
    speed: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    #: Sandbox seconds an operation takes, by `provider.operation`, instead of its typical duration.
    durations: Mapping[str, NonNegativeFloat] = Field(default_factory=dict[str, float])
    #: Tasks of one account at one provider that run at the same time; 0: no limit.
    running_slots: int = Field(default=0, ge=0)
    #: Tasks beyond the running slots that may wait, at providers with a queue.
    waiting_slots: int = Field(default=10, ge=0)
    #: Keys that are accepted; an empty set accepts every key that is not empty.
    accepted_keys: frozenset[str] = Field(default=frozenset(), repr=False)
    #: Keys whose account is blocked: every protocol refuses them.
    blocked_keys: frozenset[str] = Field(default=frozenset(), repr=False)
    #: Keys without credit: they may poll but not submit.
    no_credit_keys: frozenset[str] = Field(default=frozenset(), repr=False)
    #: Kling AccessKey to SecretKey, for callers who sign their own tokens.
    kling_access_keys: Mapping[str, SecretKey] = Field(
        default_factory=lambda: {"sandbox-access-key": "sandbox-secret-key-of-32-letters"},
        repr=False,
    )
    #: The form of the Midjourney protocol; auto: the one that fits the credentials.
    midjourney_face: Literal["auto", "direct", "station"] = "auto"
    #: Real seconds by which every submit and every poll is delayed.
    answer_delay_seconds: float = Field(default=0.0, ge=0, le=3600)
    #: Share of all polls that are answered 502 with HTML.
    look_fail_rate: float = Field(default=0.0, ge=0, le=1)
    #: Share of all polls that hang for `look_hang_seconds` before their response.
    look_hang_rate: float = Field(default=0.0, ge=0, le=1)
    #: Real seconds for which a hanging poll hangs.
    look_hang_seconds: float = Field(default=5.0, ge=0, le=3600)
    #: Tasks kept; beyond them the oldest ended ones are removed. One costs about 1 kB.
    tasks_kept: int = Field(default=200_000, ge=1)
    #: Root of the asset URLs; without it, the address that the submit was sent to.
    public_url: str | None = None

    def changed(self, changes: Mapping[str, Any]) -> "SandboxConfig":
        """These settings with `changes`; raises pydantic.ValidationError naming a bad field."""
        return SandboxConfig(**{**self.model_dump(), **changes})

    def public(self) -> dict[str, Any]:
        """The settings without secrets: instead of keys, their number."""
        shown = self.model_dump(mode="json")
        for name in ("accepted_keys", "blocked_keys", "no_credit_keys", "kling_access_keys"):
            shown[name] = f"{len(shown[name])} listed"
        return shown
