"""What the vendor's first API offers: one row an endpoint, in modules by family."""
