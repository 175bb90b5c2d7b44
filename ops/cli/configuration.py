"""Loads the settings and explains what is wrong with them."""
# ruff: noqa: PLC0415  (commands of callers need no settings and start faster without them)

import logging
from typing import TYPE_CHECKING, Any

from ops.cli.exit_codes import CliError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from generation.settings import Settings

#: Advice where pydantic's message does not say which value to write.
HINTS = {
    "time_delta_parsing": "give a duration such as 30, 0.5s, 5m or 2h",
    "time_delta_type": "give a duration such as 30, 0.5s, 5m or 2h",
    "int_parsing": "give a whole number",
    "bool_parsing": "give true or false",
}


class InvalidSettings(CliError):
    """The settings are unusable. `setting_errors` has one sentence per invalid variable."""

    def __init__(self, setting_errors: list[str]) -> None:
        super().__init__("; ".join(setting_errors))
        self.setting_errors = setting_errors


def load_settings() -> "Settings":
    """Load the environment and the `.env` file. Raises `InvalidSettings`."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from generation.setting_names import unknown_settings
    from generation.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        raise InvalidSettings(setting_errors(error)) from None
    except SettingsError as error:
        raise InvalidSettings([f"the settings cannot be read: {error}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings([f"the file .env cannot be read: {error}"]) from None
    if unusable := [*unknown_settings(settings), *value_errors(settings)]:
        raise InvalidSettings(unusable)
    return settings


def value_errors(settings: "Settings") -> list[str]:
    """Return errors that the settings' types do not catch."""
    found: list[str] = []
    if settings.log_level.upper() not in logging.getLevelNamesMapping():
        found.append("GENQ_LOG_LEVEL: must be DEBUG, INFO, WARNING or ERROR")
    if not settings.redis_url.startswith(("redis://", "rediss://")):
        found.append("GENQ_REDIS_URL: must begin with redis:// or rediss://")
    return found


def setting_errors(error: "ValidationError", prefix: str = "GENQ_") -> list[str]:
    """Return one sentence per invalid variable, without values: they may be secret."""
    found: dict[str, str] = {}
    for each in error.errors(include_url=False, include_input=False):
        variable = variable_of(each["loc"], prefix)
        found.setdefault(variable, f"{variable}: {advice(each)}".removeprefix(": "))
    return list(found.values())


def variable_of(location: tuple[str | int, ...], prefix: str) -> str:
    """Return the variable, such as `GENQ_API_PORT`; empty if the message names several."""
    return f"{prefix}{location[0]}".upper() if location else ""


def advice(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    return HINTS.get(error["type"], message)
