"""The local stack, with real programs and a real broker."""
