"""The only package that talks to an upstream."""
