"""A whole genq for tests: real processes, real services, and a station that counts money."""
