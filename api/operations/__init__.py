"""What can be submitted."""
