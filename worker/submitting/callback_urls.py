"""Callback URLs of jobs that are about to be submitted."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from generation.access.callback_tokens import SECRET_NAME, callback_url
from generation.store.access.secrets import SecretStore

log = structlog.get_logger(__name__)


class CallbackUrls:
    """Signs callback URLs below `public_url`; without one there are none."""

    def __init__(self, public_url: str | None, secrets: SecretStore) -> None:
        self._public_url = public_url
        self._secrets = secrets

    async def url(self, job_id: str) -> str | None:
        """Return the job's callback URL; None if there is none now. Never fails."""
        if self._public_url is None:
            return None
        try:
            secret = await self._secrets.get(SECRET_NAME)
        except (SQLAlchemyError, OSError) as error:
            log.warning("callback_url_unavailable", job_id=job_id, error=str(error))
            return None
        return callback_url(self._public_url, job_id, secret)
