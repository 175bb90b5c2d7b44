"""Events: the log, streams, and waiting for a job to end."""
