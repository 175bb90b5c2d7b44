"""How far `genq listen` has come with each API, in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from ops.cli.exit_codes import CliError

#: In the data directory.
FILE_NAME = "listen.json"


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """Behind a cursor of the feed; and behind that, up to and with an event, if any."""

    after: str
    seen: str | None = None


class CursorFile:
    """The place for one API. Others in the same file stay as they are."""

    def __init__(self, folder: Path, url: str) -> None:
        self._file = folder / FILE_NAME
        self._url = url

    def read(self) -> FeedCursor | None:
        """None where nothing is written down. Raises `CliError` for a file that is none of ours."""
        known = self._all().get(self._url)
        try:
            return None if known is None else FeedCursor(str(known["after"]), known.get("seen"))
        except (TypeError, KeyError, AttributeError):
            raise self._unreadable("it names no place") from None

    def write(self, place: FeedCursor) -> None:
        content = self._all() | {self._url: asdict(place)}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(f"{self._file.name}.new")
        fresh.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._file)

    def _all(self) -> dict[str, Any]:
        try:
            document = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._unreadable(str(error)) from None
        if not isinstance(document, dict):
            raise self._unreadable("it is not a JSON object")
        return cast(dict[str, Any], document)

    def _unreadable(self, why: str) -> CliError:
        return CliError(f"{self._file} cannot be read ({why}): delete it, or give --since")
