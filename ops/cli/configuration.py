"""The settings, and what is wrong with them in an operator's words."""
# ruff: noqa: PLC0415  (callers' commands need no settings, and are quicker without)

import logging
from typing import TYPE_CHECKING, Any

from ops.cli.exit_codes import CliError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from generation.settings import Settings

#: Where pydantic's own words would not tell an operator what to write instead.
HINTS = {
    "time_delta_parsing": "give a duration, as 30, 0.5s, 5m or 2h",
    "time_delta_type": "give a duration, as 30, 0.5s, 5m or 2h",
    "int_parsing": "give a whole number",
    "bool_parsing": "give true or false",
}


class InvalidSettings(CliError):
    """The settings cannot be used. `setting_errors` has one sentence for each variable at fault."""

    def __init__(self, setting_errors: list[str]) -> None:
        super().__init__("; ".join(setting_errors))
        self.setting_errors = setting_errors


def load_settings() -> "Settings":
    """The settings of the environment and the `.env` file. Raises `InvalidSettings`."""
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
    """What is wrong although it is text of the right form."""
    found: list[str] = []
    if settings.log_level.upper() not in logging.getLevelNamesMapping():
        found.append("GENQ_LOG_LEVEL: must be DEBUG, INFO, WARNING or ERROR")
    if not settings.redis_url.startswith(("redis://", "rediss://")):
        found.append("GENQ_REDIS_URL: must begin with redis:// or rediss://")
    return found


def setting_errors(error: "ValidationError", prefix: str = "GENQ_") -> list[str]:
    """One sentence for each variable at fault, without the values: they may be secret."""
    found: dict[str, str] = {}
    for each in error.errors(include_url=False, include_input=False):
        variable = variable_of(each["loc"], prefix)
        found.setdefault(variable, f"{variable}: {advice(each)}".removeprefix(": "))
    return list(found.values())


def variable_of(place: tuple[str | int, ...], prefix: str) -> str:
    """`GENQ_API_PORT`; empty where several variables are at fault and the message names them."""
    return f"{prefix}{place[0]}".upper() if place else ""


def advice(complaint: Any) -> str:
    words = str(complaint["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    return HINTS.get(complaint["type"], words)
