"""
The answers of `/v1/keys` as models.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.document import Document
from generation.access import Scope


class Key(Document):
    """A caller's key, without the key itself."""

    id: str
    object: Literal["key"]
    tenant: str
    prefix: str = Field(description="What the key begins with, to tell keys apart.")
    scopes: list[Scope]
    providers: list[str] | None = Field(description="Whom it may order from; null: everybody.")
    rate: str | None = Field(description="Jobs per second, minute or hour: `60/m`. null: any.")
    max_in_flight: int | None = Field(description="Jobs that have not ended, at once. null: any.")
    daily_jobs: int | None = Field(description="Jobs a day (UTC). null: any.")
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None = Field(description="To about half a minute.")
    revoked_at: datetime | None


class NewKey(Key):
    """A key just made. What is secret in it is shown this once."""

    key: str = Field(description="What its callers send.")
    webhook_secret: str = Field(description="What its webhooks are signed with.")


class KeyList(Document):
    """Keys, oldest first."""

    data: list[Key]
