"""The OpenAPI description and the manual."""
