"""API keys, their permissions and limits, and signed tokens."""
