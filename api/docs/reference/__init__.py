"""What the description says of each endpoint."""
