"""Status words of upstreams, in lower case with `_` between words.

Words of a single upstream are in its own reader.
"""

QUEUED = frozenset({"submitted", "not_start", "queued", "pending", "waiting", "created"})
RUNNING = frozenset({"processing", "in_progress", "running"})
SUCCEEDED = frozenset({"succeed", "succeeded", "success", "completed"})
FAILED = frozenset({"failed", "failure", "fail", "error"})
CANCELED = frozenset({"canceled", "cancelled"})
