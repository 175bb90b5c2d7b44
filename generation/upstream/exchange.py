"""One authenticated call to a station, and its reply without our secrets."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from generation.contract.call import Call
from generation.contract.errors import AccountBlocked
from generation.contract.reply import Reply
from generation.settings import Settings
from generation.stations.auth_headers import Credentials
from generation.stations.binding import Binding
from generation.upstream.http import HttpRequest, IncompleteReply, StationHttp
from generation.upstream.redaction import redacted
from generation.upstream.requests import http_request

#: Kling's codes for a token that is not valid yet, and for one that is no longer valid.
STALE_TOKEN_CODES = frozenset({"1003", "1004"})

Answer = TypeVar("Answer")


class StationExchange:
    """Sends calls with a key's credentials, on the connections of one process.

    Nothing that reads the replies can see a secret: they are redacted here. All methods raise what
    `StationHttp.send` raises.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credentials = Credentials()
        self._http = StationHttp(
            connect_timeout=settings.connect_timeout, max_bytes=settings.max_reply_bytes
        )

    async def close(self) -> None:
        await self._http.close()

    async def submit(self, binding: Binding, call: Call) -> Reply:
        """Send a call that costs money, on a connection of its own."""
        timeout = binding.operation.submit_timeout or self._settings.submit_timeout

        async def send(request: HttpRequest) -> Reply:
            return await self._http.send(request, timeout, fresh_connection=True)

        return await self._send(binding, call, send, is_submit=True)

    async def ask(self, binding: Binding, call: Call) -> Reply:
        """Send a call that costs nothing."""
        return await self._send(binding, call, self._ask_within_timeout)

    async def look(self, binding: Binding, call: Call) -> Reply:
        """Send a call that costs nothing and is made very often."""
        return await self._send(binding, call, self._look_within_timeout)

    async def with_fresh_token(
        self, binding: Binding, exchange: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Run `exchange`, and once more with a new token if the station calls ours out of date."""
        try:
            return await exchange()
        except AccountBlocked as fault:
            is_stale = fault.upstream_code in STALE_TOKEN_CODES
            if not is_stale or not self._credentials.renew(binding.station, binding.key):
                raise
        return await exchange()

    async def _send(
        self,
        binding: Binding,
        call: Call,
        send: Callable[[HttpRequest], Awaitable[Reply]],
        *,
        is_submit: bool = False,
    ) -> Reply:
        auth = self._credentials.headers(binding.station, binding.key, datetime.now(UTC))
        secrets = secrets_of(binding, auth)
        try:
            reply = await send(http_request(binding, call, auth, is_submit=is_submit))
        except IncompleteReply as fault:
            raise IncompleteReply(fault.message, redacted(fault.reply, secrets)) from fault
        return redacted(reply, secrets)

    async def _ask_within_timeout(self, request: HttpRequest) -> Reply:
        return await self._http.send(request, self._look_timeout)

    async def _look_within_timeout(self, request: HttpRequest) -> Reply:
        return await self._http.look(request, self._look_timeout)

    @property
    def _look_timeout(self) -> timedelta:
        return self._settings.look_timeout


def secrets_of(binding: Binding, auth: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values that no stored answer may contain: the key, its secret and its token."""
    key = binding.key
    values = (key.value, key.secret) if key.secret else (key.value,)
    tokens = (value.rpartition(" ")[2] for value in auth.values())
    return (*(value.get_secret_value() for value in values), *tokens)
