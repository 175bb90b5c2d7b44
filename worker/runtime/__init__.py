"""What a worker process runs on: event loop, Celery pool, clock, counters."""
