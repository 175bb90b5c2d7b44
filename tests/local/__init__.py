"""`genq up` and `genq demo`, run like a user runs them."""
