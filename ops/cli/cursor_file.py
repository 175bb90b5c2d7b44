"""The file that stores how far `genq listen` has read each API's event feed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from ops.cli.exit_codes import CliError

#: In the data directory.
FILE_NAME = "listen.json"


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """A position in the feed: a page cursor, and the last event seen after it, if any."""

    after: str
    seen: str | None = None


class CursorFile:
    """The stored position for one API. Positions of other APIs in the file are kept."""

    def __init__(self, folder: Path, url: str) -> None:
        self._file = folder / FILE_NAME
        self._url = url

    def read(self) -> FeedCursor | None:
        """Return the position, or None if there is none. Raises `CliError` for an invalid file."""
        known = self._all().get(self._url)
        try:
            return None if known is None else FeedCursor(str(known["after"]), known.get("seen"))
        except (TypeError, KeyError, AttributeError):
            raise self._unreadable("it has no cursor") from None

    def write(self, cursor: FeedCursor) -> None:
        content = self._all() | {self._url: asdict(cursor)}
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
