"""A whole genq for tests: real processes, real services, a station that counts payments."""
