"""`genq up` and `genq demo`, as their user runs them."""
