"""Routes that behave like an upstream's: a wrong method is an unknown path, never a 405."""

from starlette.routing import Match, Route
from starlette.types import Scope


class SandboxRoute(Route):
    """A route that exists for its own method only."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL else (Match.NONE, {})
