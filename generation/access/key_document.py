"""The JSON document of an API key, as operators see it."""

from typing import Any

from generation.access.api_key import ApiKey
from generation.job_document import rfc3339


def key_document(key: ApiKey) -> dict[str, Any]:
    """Return JSON values only. The document contains no secret."""
    access, limits = key.access, key.access.limits
    return {
        "id": key.id,
        "object": "key",
        "tenant": key.tenant,
        "prefix": key.prefix,
        "scopes": sorted(access.scopes),
        "providers": None if access.providers is None else sorted(access.providers),
        "rate": str(limits.rate) if limits.rate else None,
        "max_in_flight": limits.max_in_flight,
        "daily_jobs": limits.daily_jobs,
        "expires_at": rfc3339(access.expires_at),
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at),
        "revoked_at": rfc3339(key.revoked_at),
    }
