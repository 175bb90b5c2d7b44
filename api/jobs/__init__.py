"""Jobs: submitted, looked at, listed, changed."""
