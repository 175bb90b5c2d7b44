"""Key health and balances."""
