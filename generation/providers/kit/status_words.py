"""The words by which upstreams say where a task stands, in lower case and with `_` between them.

Words that only one upstream uses stand with its reader.
"""

QUEUED = frozenset({"submitted", "not_start", "queued", "pending", "waiting", "created"})
RUNNING = frozenset({"processing", "in_progress", "running"})
SUCCEEDED = frozenset({"succeed", "succeeded", "success", "completed"})
FAILED = frozenset({"failed", "failure", "fail", "error"})
CANCELED = frozenset({"canceled", "cancelled"})
