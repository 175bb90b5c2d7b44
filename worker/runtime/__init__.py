"""What a worker process runs on."""
