"""Statements about webhook endpoints and deliveries."""
