"""Health, metrics, and callbacks of upstreams."""
