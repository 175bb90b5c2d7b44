"""How a key is put on a request, by the station's form of authentication."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import jwt

from generation.stations.station import Auth, Key, Station

#: Kling: a token is valid for half an hour, and from a little before now, for clocks that differ.
TOKEN_LIFE = timedelta(seconds=1800)
CLOCK_SKEW = timedelta(seconds=5)
#: A cached token is replaced well before it expires.
TOKEN_RENEWAL = timedelta(minutes=20)


class Credentials:
    """Authentication headers for every station. Caches signed tokens until they need renewal."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], tuple[datetime, str]] = {}

    def headers(self, station: Station, key: Key, now: datetime) -> Mapping[str, str]:
        """Return the headers that carry this key. They are secret: never log them."""
        value = key.value.get_secret_value()
        match station.auth:
            case Auth.BEARER:
                return {"authorization": f"Bearer {value}"}
            case Auth.MJ_API_SECRET:
                return {"mj-api-secret": value}
            case Auth.X_KEY:
                return {"x-key": value}
            case Auth.KEY:
                return {"authorization": f"Key {value}"}
            case Auth.KLING_JWT:
                return {"authorization": f"Bearer {self._token(station, key, now)}"}
            case Auth.ACCESS_KEYS:
                return {
                    "x-request-req-accesskeyid": value,
                    "x-request-req-accesskeysecret": secret_of(key),
                }

    def renew(self, station: Station, key: Key) -> bool:
        """Forget a token that the station calls expired.

        Returns False if there is nothing to renew.
        """
        return self._tokens.pop((station.name, key.name), None) is not None

    def _token(self, station: Station, key: Key, now: datetime) -> str:
        signed_at, token = self._tokens.get((station.name, key.name), (None, ""))
        if signed_at is None or not timedelta(0) <= now - signed_at < TOKEN_RENEWAL:
            token = kling_token(key, now)
            self._tokens[station.name, key.name] = (now, token)
        return token


def kling_token(key: Key, now: datetime) -> str:
    """Return Kling's JWT for an access key: HS256, `iss`, `exp`, `nbf` in seconds."""
    claims = {
        "iss": key.value.get_secret_value(),
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "nbf": int((now - CLOCK_SKEW).timestamp()),
    }
    return jwt.encode(claims, secret_of(key), algorithm="HS256", headers={"typ": "JWT"})


def secret_of(key: Key) -> str:
    """Return the second part of a key; "" if it has none."""
    return key.secret.get_secret_value() if key.secret else ""
