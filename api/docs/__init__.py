"""The OpenAPI document, the manual, and the pages of problems."""
