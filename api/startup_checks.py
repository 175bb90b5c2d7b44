"""Checks before the API accepts connections."""

from datetime import UTC, datetime

from generation.store import Store, revisions


class Refusal(Exception):
    """The API cannot start. The message is one sentence that says what to do."""


async def check_store(store: Store) -> None:
    """Raise `Refusal` if the database is unreachable, has another schema, or has no valid key."""
    try:
        found = await revisions(store.database)
    except Exception as error:
        raise Refusal(
            f"the database cannot be read ({first_line(error)}); start it, or correct"
            " GENQ_DATABASE_URL"
        ) from error
    if not found.match:
        raise Refusal(
            f"the database is at schema revision {found.found or 'none'} and this version of genq"
            f" needs {found.needed}; run: genq migrate"
        )
    if not await store.keys.any_valid(datetime.now(UTC)):
        raise Refusal("nobody has a valid API key; make one with: genq keys create NAME")


def first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
