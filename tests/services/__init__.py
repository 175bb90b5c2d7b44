"""Real services for tests: brokers, databases, and proof that nothing is left running."""
